// ModelOptions: what a model is made from, by name and as text, so that a file or a command line can hold it:
// "classes=100, widths=16/32/64". OptionReader: how a model takes its options out of them, each named once:
//
//   struct MineOptions { std::int64_t classes = 10; double dropout = 0; };
//   register_model("mine", {.description = "...", .make = [](OptionReader& option) -> std::shared_ptr<Module> {
//                    MineOptions o;
//                    option("classes", o.classes);
//                    option("dropout", o.dropout);
//                    return std::make_shared<Mine>(o);
//                  }});
//
// Not here: the table of models (models/make_model.h).
#pragma once

#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace tandem::nn {

class ModelOptions {
 public:
  /// A name and a value; numbers stand in the shortest form that reads back the same, lists as 16/32/64.
  struct Item {
    Item(std::string option, std::string_view text) : name(std::move(option)), value(text) {}
    Item(std::string option, const char* text) : name(std::move(option)), value(text) {}
    Item(std::string option, bool flag) : name(std::move(option)), value(flag ? "true" : "false") {}
    template <std::integral T>
    Item(std::string option, T number) : name(std::move(option)), value(std::to_string(number)) {}
    Item(std::string option, double number);
    Item(std::string option, const std::vector<std::int64_t>& numbers);
    std::string name, value;
  };

  ModelOptions() = default;
  /// make_model("vae", {{"size", 64}, {"widths", std::vector<std::int64_t>{32, 64}}}). Throws Error as set does.
  ModelOptions(std::initializer_list<Item> items);

  /// Sets or replaces one. Throws Error when name or value is empty or holds a blank, a comma or "=".
  void set(const Item& item);
  /// The value, or nullptr.
  const std::string* find(const std::string& name) const;
  bool empty() const { return values_.empty(); }
  const std::map<std::string, std::string>& values() const { return values_; }

  /// "channels=3, size=64", by name; empty without options. from_text(to_text()) gives the same.
  std::string to_text() const;
  /// Reads name=value, several with commas or blanks between them. Throws UsageError.
  static ModelOptions from_text(std::string_view text);

  bool operator==(const ModelOptions&) const = default;

 private:
  std::map<std::string, std::string> values_;
};

/// Hands a model its options and notes which there are: each call gives `value` its option where there is one, and
/// leaves the default else. Throws UsageError `model "vae": size is 3.5, must be a whole number`.
class OptionReader {
 public:
  OptionReader(std::string model, ModelOptions options);

  void operator()(const char* name, std::int64_t& value);
  void operator()(const char* name, int& value);
  void operator()(const char* name, double& value);
  void operator()(const char* name, bool& value);
  void operator()(const char* name, std::vector<std::int64_t>& value);
  void operator()(const char* name, std::string& value);
  /// One of `words`, by its number.
  void choice(const char* name, int& value, const std::vector<std::string>& words);

  /// All options that were asked for, with the values that are in force.
  const ModelOptions& resolved() const { return resolved_; }
  /// Throws UsageError for an option that was never asked for, with those that were, and the nearest.
  void finish() const;

 private:
  const std::string* given(const char* name) const { return options_.find(name); }
  [[noreturn]] void fail_value(const char* name, const std::string& value, const char* wanted) const;

  std::string model_;
  ModelOptions options_, resolved_;
};

/// What a model can be made again from, without its weights: a name that make_model knows, and options.
struct ModelOrigin {
  std::string name;
  ModelOptions options;
};

/// The origin of a model that was made from a struct of options: its visit_options lists them.
template <class Options>
ModelOrigin origin_of(std::string name, Options options) {
  OptionReader all(name, {});
  visit_options(options, all);
  return {std::move(name), all.resolved()};
}

}  // namespace tandem::nn
