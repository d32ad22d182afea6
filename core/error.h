// Error: the one exception for misuse, in the one grammar `where: what is wrong: the facts[; what to do]`.
// Our own faults are asserts. Not here: how a layer adds its path (nn/module.cpp calls enter_layer).
#pragma once

#include <stdexcept>
#include <string>
#include <string_view>

namespace tandem {

/// What a caller did wrong. what() is one line: `layer "features.2" Conv2d(16 -> 32): conv2d: x has 3 channels, ...`.
class Error : public std::exception {
 public:
  explicit Error(std::string message) : message_(std::move(message)) { compose(); }

  const char* what() const noexcept override { return line_.c_str(); }
  /// The message without the layer path.
  const std::string& message() const { return message_; }
  /// "features.2", or empty when the error came from outside any layer.
  const std::string& layer_path() const { return path_; }

  /// Called as the error leaves a layer, innermost first: the first call names the layer, later ones extend its path.
  void enter_layer(std::string_view name, std::string_view description);

 private:
  void compose();
  std::string message_, path_, description_, line_;
};

/// An error in a value that a user gave on a command line or in a spec: programs end with exit code 2 on it.
class UsageError : public Error {
 public:
  using Error::Error;
};

/// Throws Error("where: what: facts; remedy"); empty parts are left out.
[[noreturn]] void fail(std::string_view where, std::string_view what, std::string_view facts = {},
                       std::string_view remedy = {});

/// The same as fail, as UsageError.
[[noreturn]] void fail_usage(std::string_view where, std::string_view what, std::string_view facts = {},
                             std::string_view remedy = {});

/// One line "warning: message" on standard error.
void warn(std::string_view message);

/// The entry of `known` nearest to `word` by edit distance when it is near enough to suggest, else empty.
std::string nearest_word(std::string_view word, const std::string* known, std::size_t count);

}  // namespace tandem
