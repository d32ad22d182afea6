// See snapshot.h.
#include <tandem/optim/study/snapshot.h>

#include <algorithm>
#include <map>
#include <optional>

#include <tandem/optim/engine/optimizer_impl.h>

namespace tandem {
namespace {

/// The role of an entry: its path without the levels round the leaf, "groups/0/exp_avg/conv.weight". Outer rules have
/// roles of their own.
std::string role_of(std::string path) {
  for (std::size_t at = 0; (at = path.find("inner/", at)) != std::string::npos;) path.erase(at, 6);
  return path;
}

NamedArrays cloned(const NamedArrays& tree) {
  NamedArrays copy;
  for (const NamedArray& entry : tree) copy.push_back({entry.name, entry.array.clone()});
  return copy;
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
    const bool is_there = by_name.count(entry.name) != 0 || by_role.count(role_of(entry.name)) != 0;
    if (entry.is_zero_left_out && *entry.counter == 0 && is_there)
      fresh.push_back({entry.name, Array::zeros({}, DType::i64)});
  }
  ForkReport report;
  for (NamedArray& entry : fresh) {
    const Array* source = nullptr;
    const auto same = by_name.find(entry.name);
    if (same != by_name.end() && fits(*same->second, entry.array)) source = same->second;
    const std::string role = role_of(entry.name);
    if (source == nullptr && by_role.count(role) == 1 && fits(*by_role.find(role)->second, entry.array)) {
      source = by_role.find(role)->second;
    }
    if (source != nullptr) entry.array = source->clone();
    (source != nullptr ? report.taken : report.fresh).push_back(entry.name);
  }
  impl_->restore(snapshot.weights, fresh);
  return report;
}

}  // namespace tandem
