// Reading rules: the registry of names, and the fields of each rule by name. The grammar stands in spec.h.
#include <cmath>
#include <map>
#include <mutex>

#include <fmt/format.h>

#include <tandem/core/error.h>
#include <tandem/optim/engine/register.h>
#include <tandem/optim/groups.h>
#include <tandem/optim/rule.h>
#include <tandem/optim/text/schedule_parse.h>
#include <tandem/optim/text/spec.h>

namespace tandem {
namespace {

using spec::Argument;
using spec::Source;
using spec::Value;

struct Kind {
  std::vector<std::string> children;
  std::shared_ptr<RuleNode> (*make)(const std::vector<Rule>& children);
};

std::mutex registry_mutex;
std::map<std::string, Kind>& registry() {
  static std::map<std::string, Kind> all;
  return all;
}

thread_local bool is_registering_own = false;

void register_own() {
  static std::once_flag once;
  std::call_once(once, [] {
    is_registering_own = true;
    detail::register_leaves();
    detail::register_adam_leaves();
    detail::register_tensor_leaves();
    detail::register_lookahead();
    detail::register_lookaround();
    detail::register_outer_loop();
    detail::register_clips();
    detail::register_averages();
    detail::register_accumulate();
    detail::register_agc();
    detail::register_apply_if_finite();
    detail::register_asgd();
    detail::register_cautious();
    detail::register_centralize();
    detail::register_clip_update();
    detail::register_lbfgs();
    detail::register_noise();
    detail::register_polyak_sgd();
    detail::register_projections();
    detail::register_sam();
    detail::register_schedule_free();
    detail::register_sophia();
    is_registering_own = false;
  });
}

std::vector<std::string> names() {
  std::vector<std::string> all;
  for (const auto& [name, kind] : registry()) all.push_back(name);
  return all;
}

bool is_known(const std::string& name) {
  const std::lock_guard lock(registry_mutex);
  return registry().count(name) != 0;
}

Kind find_kind(const Source& source, const Value& value) {
  register_own();
  const std::lock_guard lock(registry_mutex);
  const auto found = registry().find(value.name);
  if (found != registry().end()) return found->second;
  source.fail_unknown("rule", value.name, "", value.column, names());
}

class Reader {
 public:
  Reader(const Source& source, std::int64_t total_steps) : source_(source), total_steps_(total_steps) {}

  Rule rule(const Value& value) const {
    if (value.kind != Value::Kind::call) source_.fail("expected a rule", value.column, "e.g. momentum(lr=0.1)");
    const Kind kind = find_kind(source_, value);
    std::shared_ptr<RuleNode> node = kind.make(children(value, kind));
    Fields fields;
    node->fields(fields);
    std::vector<std::string> given;
    std::size_t rules = 0;
    for (const Argument& argument : value.arguments) {
      if (is_rule(argument, kind, rules)) {
        ++rules;
        continue;
      }
      const Field& field = find_field(value, argument, fields);
      for (const std::string& name : given) {
        if (name == field.name) {
          source_.fail(fmt::format("argument \"{}\" of {} is given twice", name, value.name), argument.column);
        }
      }
      given.emplace_back(field.name);
      set(field, argument);
    }
    node->check();
    return Rule(std::move(node));
  }

 private:
  /// Positional calls are children. Words without parentheses are flags in a rule that takes none, or has its children
  /// already, unless they name a rule.
  static bool is_rule(const Argument& argument, const Kind& kind, std::size_t children_before) {
    if (!argument.name.empty() || argument.value.kind != Value::Kind::call || kind.children.empty()) return false;
    return argument.value.has_parentheses || children_before < kind.children.size() || is_known(argument.value.name);
  }

  std::vector<Rule> children(const Value& value, const Kind& kind) const {
    std::vector<Rule> rules;
    for (const Argument& argument : value.arguments) {
      if (!is_rule(argument, kind, rules.size())) continue;
      if (rules.size() == kind.children.size()) {
        source_.fail(
            fmt::format("{} takes {} rule{}, found another", value.name, rules.size(), rules.size() == 1 ? "" : "s"),
            argument.column);
      }
      rules.push_back(rule(argument.value));
    }
    if (rules.size() < kind.children.size()) {
      source_.fail(fmt::format("{} needs an {} rule", value.name, kind.children[rules.size()]), value.column,
                   fmt::format("e.g. {}({})", value.name,
                               kind.children.size() == 1 ? "adam(lr=0.001)" : "adam(lr=0.001), sgd(lr=0.5)"));
    }
    return rules;
  }

  const Field& find_field(const Value& value, const Argument& argument, const Fields& fields) const {
    const bool is_word =
        argument.name.empty() && argument.value.kind == Value::Kind::call && !argument.value.has_parentheses;
    if (argument.name.empty() && !is_word) {
      source_.fail(fmt::format("expected an argument of {} like name=value", value.name), argument.column);
    }
    const std::string& name = is_word ? argument.value.name : argument.name;
    const Field* field = fields.find(name);
    if (field == nullptr) {
      std::vector<std::string> known;
      for (const Field& f : fields.all()) known.emplace_back(f.name);
      source_.fail_unknown("argument", name, value.name, argument.column, known);
    }
    if (is_word && !std::holds_alternative<bool*>(field->value)) {
      source_.fail(fmt::format("argument \"{}\" of {} needs a value", name, value.name), argument.column,
                   fmt::format("e.g. {}={}", name, field->text()));
    }
    return *field;
  }

  void set(const Field& field, const Argument& argument) const {
    const Value& value = argument.value;
    const bool is_word = value.kind == Value::Kind::call && !value.has_parentheses;
    if (auto* const* schedule = std::get_if<Schedule*>(&field.value)) {
      **schedule = spec::to_schedule(source_, value, total_steps_);
      const bool is_fraction = (*schedule)->is_constant() && (*schedule)->scale() != std::floor((*schedule)->scale());
      if (field.range.is_whole && is_fraction) {
        source_.fail(fmt::format("{} must be a whole number", field.name), value.column);
      }
    } else if (auto* const* count = std::get_if<std::int64_t*>(&field.value)) {
      const bool is_whole = value.kind == Value::Kind::number && value.numbers.size() == 1 &&
                            std::abs(value.numbers[0]) < 1e15 && value.numbers[0] == std::floor(value.numbers[0]);
      if (!is_whole) source_.fail(fmt::format("{} must be a whole number", field.name), value.column);
      **count = static_cast<std::int64_t>(value.numbers[0]);
    } else if (auto* const* flag = std::get_if<bool*>(&field.value)) {
      const std::string word = argument.name.empty() ? "true" : is_word ? value.name : "";
      if (word != "true" && word != "false") {
        source_.fail(fmt::format("{} must be true or false", field.name), value.column);
      }
      **flag = word == "true";
    } else {
      static const std::vector<std::string> names = {"maintain", "reset", "interpolate"};
      const std::string word = is_word ? value.name : "";
      for (std::size_t i = 0; i < names.size(); ++i) {
        if (word == names[i]) return void(*std::get<InnerState*>(field.value) = static_cast<InnerState>(i));
      }
      source_.fail_unknown("state", word, "", value.column, names);
    }
  }

  const Source& source_;
  std::int64_t total_steps_;
};

}  // namespace

void register_rule(const std::string& name, std::vector<std::string> children,
                   std::shared_ptr<RuleNode> (*make)(const std::vector<Rule>& children)) {
  if (!is_registering_own) register_own();  // so that who wins does not depend on what was parsed before
  const std::lock_guard lock(registry_mutex);
  const auto [place, is_new] = registry().try_emplace(name, Kind{std::move(children), make});
  if (!is_new && place->second.make != make)
    fail("register_rule", "another rule has this name", name, "take a kName of its own");
}

std::vector<std::string> rule_names() {
  register_own();
  const std::lock_guard lock(registry_mutex);
  return names();
}

namespace {

/// groups(pattern: rule; pattern: rule): each rule is a text of its own.
Rule parse_groups(std::string_view text, std::int64_t total_steps) {
  const Source source{"optimizer", text};
  if (text.back() != ')') source.fail("expected \")\"", text.size());
  std::vector<PatternRule> parts;
  const std::size_t last = text.size() - 1;
  int depth = 0;
  for (std::size_t i = text.find('(') + 1, begin = i; i <= last; ++i) {
    const bool is_end = i == last || (text[i] == ';' && depth == 0);
    if (i < last) depth += text[i] == '(' ? 1 : text[i] == ')' ? -1 : 0;
    if (!is_end) continue;
    const std::string_view part = text.substr(begin, i - begin);
    const std::size_t colon = part.find(':');
    if (colon == std::string_view::npos) {
      source.fail("expected a group like \"*.bias: sgd(lr=0.1)\"", begin + 1);
    }
    const std::string_view pattern = part.substr(0, colon);
    const std::size_t from = pattern.find_first_not_of(' '), to = pattern.find_last_not_of(' ');
    if (from == std::string_view::npos) source.fail("expected a pattern of parameters", begin + 1, "e.g. \"*\"");
    parts.push_back(
        {std::string(pattern.substr(from, to - from + 1)), parse_rule(part.substr(colon + 1), total_steps)});
    begin = i + 1;
  }
  return groups(parts);
}

}  // namespace

Rule parse_rule(std::string_view text, std::int64_t total_steps) {
  const std::size_t begin = text.find_first_not_of(" \t\n"), end = text.find_last_not_of(" \t\n");
  if (begin != std::string_view::npos && text.substr(begin).starts_with("groups(")) {
    return parse_groups(text.substr(begin, end - begin + 1), total_steps);
  }
  const Source source{"optimizer", text};
  return Reader(source, total_steps).rule(spec::parse(source));
}

}  // namespace tandem
