// Transforms as text: "random_crop(padding=4) | random_flip | cutout(size=8) | normalize".
//
//   transform = step { "|" step }                       "none": no step
//   step      = name [ "(" [ argument { "," argument } ] ")" ]
//   argument  = [ option "=" ] value                    without a name: the step's first option
//   value     = a number, numbers like 0.5/0.4/0.5, or a size like 32 or 24x32
//
// What a Transform describes itself as can be read back, but for the digits of normalize. Steps of your own:
// register_transform. Not here: the steps (transform.h).
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <tandem/data/dataset.h>
#include <tandem/data/transform.h>

namespace tandem {

/// The arguments of one step as its maker asks for them, each option once; the first asked for may stand without its
/// name. Each returns `fallback` where the option is not given. Throws UsageError naming the step, the option and the
/// column.
class StepArguments {
 public:
  struct Argument {
    std::string name, value;  // name: empty without one
    std::size_t column = 1;   // from 1
  };
  StepArguments(std::string_view text, std::string step, std::vector<Argument> arguments);
  StepArguments(const StepArguments&) = delete;
  StepArguments& operator=(const StepArguments&) = delete;

  std::int64_t whole(const std::string& option, std::int64_t fallback);
  double number(const std::string& option, double fallback);
  Size2 size(const std::string& option, Size2 fallback);
  std::vector<double> numbers(const std::string& option, const std::vector<double>& fallback);
  std::string word(const std::string& option, const std::string& fallback);

  /// Throws UsageError for an argument that was not asked for.
  void finish() const;

 private:
  const Argument* find(const std::string& option);
  [[noreturn]] void fail_value(const Argument& argument, const std::string& option, const char* wanted) const;

  std::string_view text_;
  std::string step_;
  std::vector<Argument> arguments_;
  std::vector<std::string> asked_;
  std::vector<const Argument*> used_;
};

/// A step from its arguments; the set says what the images are like, and has the statistics.
using StepMaker = std::function<Transform(StepArguments& arguments, const Dataset& dataset)>;

/// Makes `name` known to parse_transform. Throws Error when it is taken, no name (letters, digits, "_"), or there is no
/// maker.
///   register_transform("noise", [](StepArguments& a, const Dataset&) { return noise(a.number("deviation", 0.1)); });
void register_transform(const std::string& name, StepMaker maker);

/// The transform that the text says, for images of this set: crops are of the images' own size where none is given,
/// normalize takes the statistics of the set. Throws UsageError
/// `transform: unknown step "flip" at column 1: in "flip"; did you mean random_flip?`, and Error where the steps do not
/// fit the images.
Transform parse_transform(std::string_view text, const Dataset& dataset);

/// "random_crop", "centre_crop", "random_resized_crop", "resize", "random_flip", "cutout", "normalize", "to_unit", and
/// those that were registered.
std::vector<std::string> transform_names();

}  // namespace tandem
