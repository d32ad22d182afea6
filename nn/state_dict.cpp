// Module: parameters, buffers and state dict by name, and loading them all or not at all. See module.h.
#include <algorithm>
#include <unordered_map>
#include <unordered_set>

#include <fmt/format.h>

#include <tandem/nn/module.h>

namespace tandem::nn {

// --- listing

void Module::collect(const std::string& prefix, std::vector<Found>& found) const {
  for (const bool parameters_first : {true, false}) {
    for (const Entry& e : entries_) {
      if ((e.kind == Kind::parameter) != parameters_first) continue;
      const auto same = std::find_if(found.begin(), found.end(),
                                     [&](const Found& f) { return f.tensor.state() == e.tensor.state(); });
      if (same == found.end()) {
        found.push_back({{prefix + e.name}, e.tensor, e.kind});
      } else {
        same->names.push_back(prefix + e.name);
      }
    }
  }
  for (const NamedModule& c : children_) c.module->collect(prefix + c.name + ".", found);
}

NamedTensors Module::list(bool (*wanted)(Kind)) const {
  std::vector<Found> found;
  collect("", found);
  NamedTensors tensors;
  for (const Found& f : found) {
    if (wanted(f.kind)) tensors.push_back({f.names.front(), f.tensor});
  }
  return tensors;
}

NamedTensors Module::parameters() const {
  return list([](Kind k) { return k == Kind::parameter; });
}

NamedTensors Module::buffers() const {
  return list([](Kind k) { return k == Kind::buffer; });
}

NamedTensors Module::state_dict() const {
  return list([](Kind k) { return k != Kind::random; });
}

NamedTensors Module::random_state() const {
  return list([](Kind k) { return k == Kind::random; });
}

// --- loading

namespace {

constexpr std::size_t kListed = 8;  // names of one sort in an error; the others are counted

/// "; missing (3): a, b, c", or nothing when there are none.
void append_list(std::string& facts, std::string_view sort, const std::vector<std::string>& names) {
  if (names.empty()) return;
  if (!facts.empty()) facts += "; ";
  fmt::format_to(std::back_inserter(facts), "{} ({}): ", sort, names.size());
  for (std::size_t i = 0; i < std::min(names.size(), kListed); ++i) facts.append(i == 0 ? "" : ", ").append(names[i]);
  if (names.size() > kListed) fmt::format_to(std::back_inserter(facts), " and {} more", names.size() - kListed);
}

}  // namespace

std::string LoadReport::to_string() const {
  std::string text = fmt::format("loaded {} entries", loaded.size());
  append_list(text, "missing", missing);
  append_list(text, "unexpected", unexpected);
  append_list(text, "misshapen", misshapen);
  return text;
}

LoadReport Module::load(const char* where, bool (*wanted)(Kind), const NamedTensors& state,
                        const LoadOptions& options) {
  std::vector<Found> targets;
  collect("", targets);
  std::unordered_map<std::string, Found*> target_of;
  for (Found& target : targets) {
    if (!wanted(target.kind)) continue;
    if (const char* lock = target.tensor.state()->locked) {
      fail(where, fmt::format("\"{}\" cannot be written now", target.names.front()), lock);
    }
    for (const std::string& name : target.names) target_of[name] = &target;
  }

  LoadReport report;
  std::vector<std::string> repeated;
  std::unordered_set<std::string> given;
  std::unordered_map<const Found*, const NamedTensor*> source_of;
  for (const NamedTensor& entry : state) {
    if (!given.insert(entry.name).second) {
      repeated.push_back(entry.name);
      continue;
    }
    const auto at = target_of.find(entry.name);
    if (at == target_of.end()) {
      report.unexpected.push_back(entry.name);
    } else if (!entry.tensor.defined()) {
      report.misshapen.push_back(entry.name + " has no value");
    } else if (entry.tensor.shape() != at->second->tensor.shape()) {
      report.misshapen.push_back(fmt::format("{} is {}, must be {}", entry.name, to_string(entry.tensor.shape()),
                                             to_string(at->second->tensor.shape())));
    } else {
      const auto [place, fresh] = source_of.emplace(at->second, &entry);
      if (!fresh && !identical(place->second->tensor.value(), entry.tensor.value())) {
        repeated.push_back(
            fmt::format("{} and {} are one tied parameter with two values", place->second->name, entry.name));
      } else {
        report.loaded.push_back(entry.name);
      }
    }
  }
  // A misshapen entry is not missing as well.
  for (const Found& target : targets) {
    const bool has_entry = std::any_of(target.names.begin(), target.names.end(),
                                       [&](const std::string& name) { return given.count(name) != 0; });
    if (wanted(target.kind) && !has_entry) report.missing.push_back(target.names.front());
  }

  std::string facts;
  if (options.strict) append_list(facts, "missing", report.missing);
  if (options.strict) append_list(facts, "unexpected", report.unexpected);
  if (!options.skip_misshapen) append_list(facts, "misshapen", report.misshapen);
  append_list(facts, "repeated", repeated);
  if (!facts.empty()) fail(where, fmt::format("the state does not fit {}", describe()), facts);

  for (const auto& [target, entry] : source_of) {
    Tensor tensor = target->tensor;
    tensor.mutable_value().copy_from(entry->tensor.value());
  }
  return report;
}

LoadReport Module::load_state_dict(const NamedTensors& state, const LoadOptions& options) {
  return load(
      "load_state_dict", [](Kind k) { return k != Kind::random; }, state, options);
}

void Module::load_random_state(const NamedTensors& state) {
  load("load_random_state", [](Kind k) { return k == Kind::random; }, state, {});
}

}  // namespace tandem::nn
