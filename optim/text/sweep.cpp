// Sweeps as text: a template with gaps, and the lists that fill them. See sweep.h.
#include <tandem/optim/sweep.h>

#include <algorithm>
#include <cctype>

#include <fmt/format.h>

#include <tandem/optim/text/spec.h>

namespace tandem {
namespace {

constexpr std::size_t kMostPoints = 10000;

/// One list: the text before it, its name with and without path, its entries.
struct Axis {
  std::string before, name, path;
  std::vector<std::string> entries;
};

bool is_space(char c) { return std::isspace(static_cast<unsigned char>(c)) != 0; }
bool is_word(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_'; }

std::string trimmed(std::string_view text) {
  while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
  return std::string(text);
}

class Scanner {
 public:
  explicit Scanner(const spec::Source& source) : source_(source), text_(source.text) {}

  /// Fills axes, and gives the text after the last.
  std::string scan(std::size_t begin, std::vector<Axis>& axes) {
    std::string text, word;
    std::vector<Call> calls(1);
    for (std::size_t i = begin; i < text_.size(); ++i) {
      const char c = text_[i];
      Call& call = calls.back();
      if (c == '{') {
        axes.push_back(list(i, call));
        axes.back().before = std::move(text);
        text.clear();
        continue;
      }
      text += c;
      if (is_word(c)) {
        word += c;
        continue;
      }
      if (is_space(c)) continue;
      if (c == '=') call.argument = word;
      if (c == ',') call.argument.clear();
      if (c == '(') calls.push_back({call.path + step_into(call, calls.size() == 1), {}, 0});
      if (c == ')' && calls.size() > 1) calls.pop_back();
      if (c == '}') source_.fail("\"}\" without a \"{\"", i + 1);
      word.clear();
    }
    return text;
  }

 private:
  /// Where in the nest of rules and schedules the scanner is.
  struct Call {
    std::string path;      // of its arguments
    std::string argument;  // being read; empty: positional
    int rules = 0;         // positional arguments with parentheses or braces so far
  };

  /// The part of a path that a call or list adds at this place.
  static std::string step_into(Call& call, bool is_outermost) {
    if (!call.argument.empty()) return call.argument + "/";
    if (is_outermost) return "";
    const int place = call.rules++;
    return place == 0 ? "inner/" : place == 1 ? "outer/" : fmt::format("rule{}/", place + 1);
  }

  /// The list that opens at i, which moves to its end.
  Axis list(std::size_t& i, Call& call) {
    const std::size_t open = i + 1;
    Axis axis;
    axis.name = call.argument.empty() ? "rule" : call.argument;
    axis.path = call.path + (call.argument.empty() ? step_into(call, false) + "rule" : call.argument);
    int depth = 0;
    std::size_t begin = ++i;
    const auto end_entry = [&] {
      axis.entries.push_back(trimmed(text_.substr(begin, i - begin)));
      begin = i + 1;
    };
    for (; i < text_.size(); ++i) {
      const char c = text_[i];
      if (c == '{') source_.fail("a list inside a list", i + 1, "write its combinations out as entries");
      depth += c == '(' ? 1 : c == ')' ? -1 : 0;
      if (depth < 0) source_.fail("unexpected \")\" in a list", i + 1);
      if (c == '}') {
        if (depth > 0) source_.fail("\")\" is missing in the list that ends", i + 1);
        end_entry();
        if (axis.entries.size() == 1 && axis.entries[0].empty()) source_.fail("the list is empty", open);
        for (const std::string& entry : axis.entries) {
          if (entry.empty()) source_.fail("an entry is empty in the list", open);
        }
        return axis;
      }
      if (c == ',' && depth == 0) end_entry();
    }
    source_.fail("\"}\" is missing for the \"{\"", open);
  }

  const spec::Source& source_;
  std::string_view text_;
};

/// Paths in place of names that several lists have; a number where a path does not tell them apart either.
void tell_apart(std::vector<Axis>& axes) {
  const auto count = [&](auto member, const std::string& value) {
    return std::count_if(axes.begin(), axes.end(), [&](const Axis& a) { return a.*member == value; });
  };
  std::vector<std::string> names;
  for (const Axis& axis : axes) names.push_back(count(&Axis::name, axis.name) > 1 ? axis.path : axis.name);
  for (std::size_t i = 0; i < axes.size(); ++i) {
    const auto before = std::count(names.begin(), names.begin() + static_cast<std::ptrdiff_t>(i), names[i]);
    axes[i].name = before == 0 ? names[i] : fmt::format("{} {}", names[i], before + 1);
  }
}

}  // namespace

std::vector<SweepPoint> expand_sweep(std::string_view text) {
  const spec::Source source{"sweep", text};
  std::size_t begin = 0;
  std::string name;
  const std::size_t equals = text.find('=');
  if (equals != std::string_view::npos && text.find_first_of("(){},") > equals) {
    name = trimmed(text.substr(0, equals));
    if (name.empty()) source.fail("the name before \"=\" is empty", equals + 1);
    begin = equals + 1;
  }
  std::vector<Axis> axes;
  const std::string after = Scanner(source).scan(begin, axes);
  if (axes.empty() && trimmed(after).empty()) source.fail("there is no rule", begin + 1, "e.g. \"adam(lr={0.1,0.2})\"");
  tell_apart(axes);

  std::size_t points = 1;
  for (const Axis& axis : axes) {
    points *= axis.entries.size();
    if (points > kMostPoints) source.fail("more than 10000 combinations", begin + 1, "take fewer or shorter lists");
  }
  std::vector<SweepPoint> all;
  for (std::size_t point = 0; point < points; ++point) {
    SweepPoint p{name, {}, {}};
    std::size_t stride = points;
    for (const Axis& axis : axes) {
      stride /= axis.entries.size();
      const std::string& entry = axis.entries[point / stride % axis.entries.size()];
      p.spec += axis.before + entry;
      p.choices.emplace_back(axis.name, entry);
    }
    p.spec = trimmed(p.spec + after);
    all.push_back(std::move(p));
  }
  return all;
}

}  // namespace tandem
