// See groups.h. The Optimizer takes the groups apart when it binds.
#include <tandem/optim/groups.h>

#include <algorithm>

#include <fmt/format.h>

#include <tandem/autograd/split_by_name.h>
#include <tandem/core/error.h>
#include <tandem/optim/engine/running.h>

namespace tandem {
namespace {

class GroupsNode : public RuleNode {
 public:
  explicit GroupsNode(const std::vector<PatternRule>& parts) {
    for (const PatternRule& part : parts) {
      patterns.push_back(part.pattern);
      rules.push_back(part.rule.node().clone());
    }
  }
  std::string name() const override { return "groups"; }
  std::shared_ptr<RuleNode> clone() const override {
    auto copy = std::make_shared<GroupsNode>(*this);
    for (auto& rule : copy->rules) rule = rule->clone();
    return copy;
  }
  bool is_groups() const override { return true; }
  void fields(Fields&) override {}
  std::vector<std::string> default_texts() const override { return {}; }
  std::vector<Child> children() override {
    std::vector<Child> all;
    for (const auto& rule : rules) all.push_back({"inner", rule.get()});
    return all;
  }
  std::string describe() const override {
    std::string text;
    for (std::size_t i = 0; i < rules.size(); ++i) {
      text += fmt::format("{}{}: {}", i == 0 ? "" : "; ", patterns[i], rules[i]->describe());
    }
    return "groups(" + text + ")";
  }
  std::unique_ptr<Running<float>> bind_float(const Frame&) override { refuse(); }
  std::unique_ptr<Running<double>> bind_double(const Frame&) override { refuse(); }
  std::unique_ptr<Running<Traced>> bind_traced(const Frame&) override { refuse(); }

  std::vector<std::string> patterns;
  std::vector<std::shared_ptr<RuleNode>> rules;

 private:
  [[noreturn]] void refuse() const {
    fail_usage("groups", "must be the outermost rule", describe(), "write the rule round it into each group");
  }
};

bool fits(const NamedTensor& parameter, const std::string& pattern) {
  if (pattern == "vectors") return parameter.tensor.rank() <= 1;
  if (pattern == "matrices") return parameter.tensor.rank() > 1;
  return matches_pattern(parameter.name, pattern);
}

}  // namespace

Rule groups(const std::vector<PatternRule>& parts) {
  if (parts.empty())
    fail_usage("groups", "there is no pattern", {}, "e.g. groups(*.bias: sgd(lr=0.1); *: adam(lr=0.001))");
  for (const PatternRule& part : parts) {
    if (dynamic_cast<const GroupsNode*>(&part.rule.node()) != nullptr) {
      fail_usage("groups", "must be the outermost rule", part.rule.describe());
    }
  }
  return Rule(std::make_shared<GroupsNode>(parts));
}

std::vector<Group> groups_of(const NamedTensors& parameters, const Rule& rule) {
  const auto* const node = dynamic_cast<const GroupsNode*>(&rule.node());
  if (node == nullptr) return {{parameters, rule}};
  std::vector<Group> all;
  for (const auto& part : node->rules) all.push_back({{}, Rule(part)});
  for (const NamedTensor& parameter : parameters) {
    std::size_t i = 0;
    while (i < all.size() && !fits(parameter, node->patterns[i])) ++i;
    if (i == all.size()) {
      fail_usage("groups", fmt::format("parameter \"{}\" fits no pattern", parameter.name), rule.describe(),
                 "end with *: a rule for the rest");
    }
    all[i].parameters.push_back(parameter);
  }
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (!all[i].parameters.empty()) continue;
    fail_usage("groups", fmt::format("no parameter for \"{}\"", node->patterns[i]),
               parameters.empty()
                   ? std::string()
                   : fmt::format("the first of {} is \"{}\"", parameters.size(), parameters.front().name));
  }
  return all;
}

}  // namespace tandem
