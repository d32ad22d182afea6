// The grammar of specs, shared by rules and schedules, and its parser. Private to optim/ (rules: parse.cpp, schedules:
// schedule_parse.cpp).
//
//   value    = factor { "*" factor }
//   factor   = number { "/" number } | name [ "(" [ argument { "," argument } ] ")" ]
//   argument = [ name "=" ] value
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace tandem::spec {

struct Argument;

/// A number (or list of numbers), a name with or without arguments, or a product of such.
struct Value {
  enum class Kind { number, call, product };
  Kind kind = Kind::number;
  std::size_t column = 1;           // from 1
  std::vector<double> numbers;      // number
  std::string name;                 // call
  bool has_parentheses = false;     // call
  std::vector<Argument> arguments;  // call
  std::vector<Value> factors;       // product, at least two
};

struct Argument {
  std::string name;  // empty when positional
  std::size_t column = 1;
  Value value;
};

/// The text being read and the word its errors begin with: "optimizer" or "schedule".
struct Source {
  std::string_view where;
  std::string_view text;

  /// Throws UsageError `where: what at column N: in "text"; remedy`.
  [[noreturn]] void fail(const std::string& what, std::size_t column, const std::string& remedy = {}) const;
  /// `unknown <noun> "word"`, with the nearest of `known`, else all of them.
  [[noreturn]] void fail_unknown(const std::string& noun, const std::string& word, const std::string& owner,
                                 std::size_t column, const std::vector<std::string>& known) const;
};

/// The whole text as one value.
Value parse(const Source& source);

/// The shortest text that reads back as the same double.
std::string number(double value);

}  // namespace tandem::spec
