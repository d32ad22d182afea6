// Writing and reading the state tree; every error of a tree that does not fit. See tree_entry.h.
#include <tandem/optim/engine/tree_entry.h>

#include <map>

#include <fmt/format.h>

#include <tandem/core/error.h>

namespace tandem {
namespace {

[[noreturn]] void refuse(const std::string& name, const std::string& what, const std::string& facts = {}) {
  fail("optimizer", fmt::format("state \"{}\" {}", name, what), facts);
}

}  // namespace

NamedArrays write_tree(const std::vector<TreeEntry>& entries) {
  NamedArrays tree;
  for (const TreeEntry& e : entries) {
    const bool is_counter = e.counter != nullptr;
    if (is_counter && e.is_zero_left_out && *e.counter == 0) continue;
    tree.push_back({e.name, is_counter ? Array::scalar(static_cast<double>(*e.counter), DType::i64) : e.array});
  }
  return tree;
}

void read_tree(const std::vector<TreeEntry>& entries, const NamedArrays& tree, const std::string& owner) {
  std::map<std::string_view, const Array*> given;
  for (const NamedArray& entry : tree) {
    if (!given.emplace(entry.name, &entry.array).second) refuse(entry.name, "appears twice");
  }
  // Everything is found and checked before anything is written.
  std::vector<const Array*> sources;
  for (const TreeEntry& e : entries) {
    std::string name = e.name;
    for (const std::string& other : e.other_names) {
      if (given.count(name) == 0 && given.count(other) != 0) name = other;
    }
    const auto found = given.find(name);
    if (found == given.end() && e.is_zero_left_out) {
      sources.push_back(nullptr);
      continue;
    }
    if (found == given.end()) refuse(name, "is missing", fmt::format("the tree has {} entries", tree.size()));
    const Array& array = *found->second;
    const Shape shape = e.counter != nullptr ? Shape{} : e.array.shape();
    const DType dtype = e.counter != nullptr ? DType::i64 : e.array.dtype();
    if (!array.defined()) refuse(name, "does not fit", "it is not defined");
    if (array.shape() != shape || array.dtype() != dtype) {
      refuse(name, "does not fit",
             fmt::format("{} {}, expected {} {}", tandem::name(array.dtype()), array.shape().to_string(),
                         tandem::name(dtype), shape.to_string()));
    }
    if (e.array.defined() && array.storage() == e.array.storage()) {
      refuse(name, "is the optimizer's own buffer",
             "the tree was not cloned: its numbers are those of now; clone it, or use snapshot()");
    }
    if (e.counter != nullptr && array.item() < 0) {
      refuse(name, fmt::format("is {}, must be at least 0", static_cast<std::int64_t>(array.item())));
    }
    sources.push_back(&array);
    given.erase(found);
  }
  if (!given.empty()) refuse(std::string(given.begin()->first), "is unexpected", "in " + owner);
  for (std::size_t i = 0; i < entries.size(); ++i) {
    if (entries[i].counter != nullptr) {
      *entries[i].counter = sources[i] == nullptr ? 0 : static_cast<std::int64_t>(sources[i]->item());
    } else {
      Array target = entries[i].array;
      target.copy_from(*sources[i]);
    }
  }
}

}  // namespace tandem
