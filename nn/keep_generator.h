// KeepGenerator: default_generator() is where it was when the scope ends, so that making a model which is then filled
// with known weights changes no other random number.
#pragma once

#include <tandem/nn/init.h>

namespace tandem::nn {

class KeepGenerator {
 public:
  KeepGenerator() : before_(default_generator()) {}
  ~KeepGenerator() { default_generator() = before_; }
  KeepGenerator(const KeepGenerator&) = delete;
  KeepGenerator& operator=(const KeepGenerator&) = delete;

 private:
  Generator before_;
};

}  // namespace tandem::nn
