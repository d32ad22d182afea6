// See snapshot.h.
#include <tandem/optim/study/snapshot.h>

#include <algorithm>
#include <iterator>
#include <map>
#include <set>
#include <tuple>

#include <tandem/optim/engine/optimizer_impl.h>

namespace tandem {
namespace {

/// The role of an entry: its path without the levels round the leaf, "groups/0/exp_avg/conv.weight". Outer rules have
/// roles of their own.
std::string role_of(std::string path) {
  for (std::size_t at = 0; (at = path.find("inner/", at)) != std::string::npos;) path.erase(at, 6);
  return path;
}

/// The path of the same in copy 0, where it is of another copy (optim/lookaround.h): a new copy begins as that one.
std::string in_first_copy(std::string path) {
  const std::string_view word = "copies/";
  const std::size_t at = path.find(word);
  return at == std::string::npos ? path : path.erase(at, path.find('/', at + word.size()) + 1 - at);
}

NamedArrays cloned(const NamedArrays& tree) {
  NamedArrays copy;
  for (const NamedArray& entry : tree) copy.push_back({entry.name, entry.array.clone()});
  return copy;
}

/// A path without its last parts: of "groups/0/inner/exp_avg/conv.weight" two name a buffer and a parameter, of
/// "groups/0/inner/step" one.
std::string owner_of(std::string path, int parts) {
  for (int i = 0; i < parts; ++i) path.resize(std::min(path.size(), path.rfind('/')));
  return path;
}

bool fits(const Array& a, const Array& b) { return a.shape() == b.shape() && a.dtype() == b.dtype(); }

}  // namespace

Snapshot Optimizer::snapshot() const { return {describe(), impl_->weights(), cloned(impl_->state_tree())}; }

void Optimizer::restore(const Snapshot& snapshot) { impl_->restore(snapshot.weights, cloned(snapshot.state)); }

ForkReport Optimizer::fork(const Snapshot& snapshot) {
  // The weights first: loops start their cycles from there, and what is taken over replaces that.
  NamedArrays fresh = cloned(impl_->state_tree());
  impl_->restore(snapshot.weights, fresh);
  impl_->start_cycles();
  fresh = cloned(impl_->state_tree());

  std::map<std::string, const Array*> by_name;
  std::multimap<std::string, const Array*> by_role;
  for (const NamedArray& entry : snapshot.state) {
    by_name[entry.name] = &entry.array;
    by_role.emplace(role_of(entry.name), &entry.array);
  }
  for (const TreeEntry& entry : impl_->entries()) {  // a tree has such counters only where they are above 0
    const bool is_there = by_name.count(entry.name) != 0 || by_role.count(role_of(entry.name)) != 0 ||
                          by_role.count(role_of(in_first_copy(entry.name))) != 0;
    if (entry.is_zero_left_out && *entry.counter == 0 && is_there)
      fresh.push_back({entry.name, Array::zeros({}, DType::i64)});
  }
  const auto source_of = [&](const NamedArray& entry) -> const Array* {
    const auto same = by_name.find(entry.name);
    if (same != by_name.end() && fits(*same->second, entry.array)) return same->second;
    auto [first, last] = by_role.equal_range(role_of(entry.name));
    if (first == last) std::tie(first, last) = by_role.equal_range(role_of(in_first_copy(entry.name)));
    return first != last && std::next(first) == last && fits(*first->second, entry.array) ? first->second : nullptr;
  };
  const NamedArrays weights = impl_->weights();
  const auto is_of_parameter = [&](const NamedArray& entry) {
    return std::any_of(weights.begin(), weights.end(),
                       [&](const NamedArray& w) { return entry.name.ends_with("/" + w.name); });
  };
  std::set<std::string> begun;  // leaves and levels of whose state the snapshot has not all
  for (const NamedArray& entry : fresh)
    if (is_of_parameter(entry) && source_of(entry) == nullptr) begun.insert(owner_of(entry.name, 2));
  ForkReport report;
  for (NamedArray& entry : fresh) {
    const bool is_count = entry.name.ends_with("/step");
    const bool begins = begun.count(owner_of(entry.name, is_count ? 1 : 2)) != 0;
    const Array* const source = begins ? nullptr : source_of(entry);
    if (source != nullptr) entry.array = source->clone();
    (source != nullptr ? report.taken : report.fresh).push_back(entry.name);
  }
  impl_->restore(snapshot.weights, fresh);
  return report;
}

}  // namespace tandem
