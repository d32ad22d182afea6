// error_text(f): the message of the Error that f throws, or "no error".
#pragma once

#include <string>

#include <tandem/core/error.h>

template <class F>
std::string error_text(F&& f) {
  try {
    f();
  } catch (const tandem::Error& error) {
    return error.what();
  }
  return "no error";
}
