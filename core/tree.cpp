// Comparing trees. See tree.h.
#include <tandem/core/tree.h>

#include <cmath>
#include <cstring>
#include <limits>
#include <map>

#include <fmt/format.h>

namespace tandem {

namespace {

void compare_values(const std::string& name, const Array& a, const Array& b, double tolerance,
                    std::vector<TreeDifference>& out) {
  if (identical(a, b)) return;
  const auto x = a.to_vector<double>(), y = b.to_vector<double>();
  const Array plain_a = a.contiguous(), plain_b = b.contiguous();
  const std::size_t width = size_of(a.dtype());
  TreeDifference difference{TreeDifference::Kind::values, name, {}, 0, 0};
  std::size_t worst = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    if (std::memcmp(plain_a.bytes() + i * width, plain_b.bytes() + i * width, width) == 0) continue;
    const double distance = std::abs(x[i] - y[i]);
    if (tolerance > 0 && distance <= tolerance) continue;
    const double size = std::isnan(distance) ? std::numeric_limits<double>::infinity() : distance;
    if (difference.count++ == 0 || size > difference.largest) {
      difference.largest = size;
      worst = i;
    }
  }
  if (difference.count == 0) return;
  difference.detail =
      fmt::format("{} of {} values differ, most at {}: {} and {}", difference.count, x.size(),
                  index_at(a.shape(), static_cast<std::int64_t>(worst)).to_string(), x[worst], y[worst]);
  out.push_back(std::move(difference));
}

}  // namespace

std::vector<TreeDifference> compare_trees(const NamedArrays& a, const NamedArrays& b, double tolerance) {
  using Kind = TreeDifference::Kind;
  std::map<std::string_view, const Array*> second;
  for (const NamedArray& entry : b) second[entry.name] = &entry.array;
  std::vector<TreeDifference> out;
  for (const NamedArray& entry : a) {
    const auto found = second.find(entry.name);
    if (found == second.end()) {
      out.push_back({Kind::only_in_first, entry.name, "only in the first", 0, 0});
      continue;
    }
    const Array& other = *found->second;
    second.erase(found);
    if (!(entry.array.shape() == other.shape()) || entry.array.dtype() != other.dtype()) {
      out.push_back({Kind::shape_or_dtype, entry.name,
                     fmt::format("{} {} and {} {}", entry.array.shape().to_string(), name(entry.array.dtype()),
                                 other.shape().to_string(), name(other.dtype())),
                     0, 0});
    } else {
      compare_values(entry.name, entry.array, other, tolerance, out);
    }
  }
  for (const NamedArray& entry : b) {
    if (second.contains(entry.name)) out.push_back({Kind::only_in_second, entry.name, "only in the second", 0, 0});
  }
  return out;
}

std::string to_string(const std::vector<TreeDifference>& differences) {
  if (differences.empty()) return "equal";
  std::string text;
  for (const TreeDifference& d : differences)
    text += fmt::format("{}{}: {}", text.empty() ? "" : "\n", d.name, d.detail);
  return text;
}

NamedArrays subtree(const NamedArrays& tree, std::string_view prefix) {
  NamedArrays out;
  for (const NamedArray& entry : tree) {
    if (entry.name.starts_with(prefix)) out.push_back({entry.name.substr(prefix.size()), entry.array});
  }
  return out;
}

void graft(NamedArrays& tree, std::string_view prefix, const NamedArrays& entries) {
  for (const NamedArray& entry : entries) tree.push_back({std::string(prefix) + entry.name, entry.array});
}

NamedArrays clone(const NamedArrays& tree) {
  NamedArrays copy;
  copy.reserve(tree.size());
  for (const NamedArray& entry : tree)
    copy.push_back({entry.name, entry.array.defined() ? entry.array.clone() : Array()});
  return copy;
}

const Array* find_array(const NamedArrays& tree, std::string_view name) {
  for (const NamedArray& entry : tree)
    if (entry.name == name) return &entry.array;
  return nullptr;
}

}  // namespace tandem
