// Contestants: the text work is optim's; here is what a comparison needs of it.
#include "sweep.h"

#include <algorithm>
#include <cctype>

#include <fmt/format.h>

#include <tandem/core/error.h>
#include <tandem/optim/rule_labels.h>
#include <tandem/optim/sweep.h>

namespace tandem::train {

std::vector<Contestant> expand_optimizers(const std::vector<std::string>& specs) {
  std::vector<Contestant> all;
  for (const std::string& spec : specs) {
    const std::vector<SweepPoint> points = expand_sweep(spec);
    for (const SweepPoint& point : points) {
      std::string label = point.name;
      if (!label.empty() && points.size() > 1)
        for (const auto& [axis, value] : point.choices) label += fmt::format(" {}={}", axis, value);
      all.push_back({point.spec, point.name, label, point.choices});
    }
  }
  if (all.empty()) fail_usage("--optimizer", "there is none");
  std::vector<std::string> unnamed;
  for (const Contestant& c : all)
    if (c.label.empty()) unnamed.push_back(c.spec);
  const std::vector<std::string> labels = distinguishing_labels(unnamed);
  std::size_t next = 0;
  for (Contestant& c : all)
    if (c.label.empty()) c.label = labels[next++];
  for (std::size_t i = 0; i < all.size(); ++i)
    for (std::size_t j = 0; j < i; ++j) {
      if (all[i].label == all[j].label)
        fail_usage("--optimizer", fmt::format("two have the same name \"{}\"", all[i].label),
                   fmt::format("{} and {}", all[j].spec, all[i].spec), "name one: NAME=SPEC");
      if (all[i].spec == all[j].spec) fail_usage("--optimizer", "the same one is given twice", all[i].spec);
    }
  return all;
}

std::vector<SweepAxis> sweep_axes(const std::vector<Contestant>& contestants) {
  std::vector<SweepAxis> axes;
  for (const Contestant& contestant : contestants) {
    for (const auto& [name, value] : contestant.choices) {
      auto axis = std::find_if(axes.begin(), axes.end(),
                               [&, &axis_name = name](const SweepAxis& a) { return a.name == axis_name; });
      if (axis == axes.end()) axis = axes.insert(axes.end(), {name, {}});
      if (std::find(axis->values.begin(), axis->values.end(), value) == axis->values.end())
        axis->values.push_back(value);
    }
  }
  return axes;
}

std::string run_name(const std::string& label, std::uint64_t seed) {
  std::string name;
  for (const char c : label) {
    const bool is_plain =
        std::isalnum(static_cast<unsigned char>(c)) != 0 || std::string_view("=._+").find(c) != std::string_view::npos;
    if (is_plain || (c == '-' && !name.empty())) {
      name += c;
    } else if (!name.empty() && name.back() != '-') {
      name += '-';
    }
  }
  while (!name.empty() && name.back() == '-') name.pop_back();
  if (name.empty() || name.front() == '.') name = "run-" + name;
  constexpr std::size_t kLongest = 200;  // names of files end at 255 bytes
  if (name.size() > kLongest) name.resize(kLongest);
  return fmt::format("{}-seed{}", name, seed);
}

}  // namespace tandem::train
