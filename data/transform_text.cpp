// Reading transforms, and the table of their steps. See transform_text.h.
#include <tandem/data/transform_text.h>

#include <algorithm>
#include <cctype>
#include <charconv>
#include <mutex>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <tandem/core/error.h>

namespace tandem {

namespace {

/// `transform: what at column N: in "text"; remedy`.
[[noreturn]] void fail_at(std::string_view text, const std::string& what, std::size_t column,
                          const std::string& remedy = {}) {
  fail_usage("transform", fmt::format("{} at column {}", what, column), fmt::format("in \"{}\"", text), remedy);
}

[[noreturn]] void fail_unknown(std::string_view text, const std::string& what, const std::string& word,
                               std::size_t column, const std::vector<std::string>& known) {
  const std::string near = nearest_word(word, known.data(), known.size());
  fail_at(text, what, column,
          !near.empty()   ? fmt::format("did you mean {}?", near)
          : known.empty() ? "it takes none"
                          : fmt::format("known: {}", fmt::join(known, ", ")));
}

template <class T>
bool read(std::string_view text, T& value) {
  const char* const last = text.data() + text.size();
  const auto [end, status] = std::from_chars(text.data(), last, value);
  return status == std::errc{} && end == last;
}

bool is_name_character(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_'; }

struct Row {
  std::string name;
  StepMaker make;
};

Size2 size_of_images(const Dataset& set) { return {set.images.shape(2), set.images.shape(3)}; }

std::vector<Row> builtin() {
  using Arguments = StepArguments;
  return {
      {"random_crop",
       [](Arguments& a, const Dataset& set) {
         return random_crop({.size = a.size("size", size_of_images(set)), .padding = a.whole("padding", 0)});
       }},
      {"centre_crop",
       [](Arguments& a, const Dataset& set) { return centre_crop({.size = a.size("size", size_of_images(set))}); }},
      {"random_resized_crop",
       [](Arguments& a, const Dataset& set) {
         RandomResizedCropOptions o;
         o.size = a.size("size", size_of_images(set));
         const std::vector<double> area = a.numbers("area", {o.least_area, o.most_area});
         const std::vector<double> ratio = a.numbers("ratio", {o.least_ratio, o.most_ratio});
         if (area.size() != 2 || ratio.size() != 2)
           fail_usage("transform", "area and ratio of random_resized_crop are two numbers, the least and the most",
                      fmt::format("{} and {} given", area.size(), ratio.size()), "e.g. area=0.08/1");
         o.least_area = area[0], o.most_area = area[1];
         o.least_ratio = ratio[0], o.most_ratio = ratio[1];
         return random_resized_crop(o);
       }},
      {"resize",
       [](Arguments& a, const Dataset& set) {
         return resize({.side = a.whole("side", std::min(set.images.shape(2), set.images.shape(3)))});
       }},
      {"random_flip",
       [](Arguments& a, const Dataset&) { return random_flip({.probability = a.number("probability", 0.5)}); }},
      {"cutout", [](Arguments& a, const Dataset&) { return cutout({.size = a.whole("size", CutoutOptions().size)}); }},
      {"normalize",
       [](Arguments& a, const Dataset& set) {
         ChannelStatistics statistics;
         statistics.mean = a.numbers("mean", set.statistics.mean);
         statistics.deviation = a.numbers("deviation", set.statistics.deviation);
         return normalize(statistics);
       }},
      {"to_unit", [](Arguments&, const Dataset&) { return to_unit(); }},
  };
}

std::mutex table_mutex;

std::vector<Row>& table() {
  static std::vector<Row> rows = builtin();
  return rows;
}

StepMaker find_step(const std::string& name) {
  const std::lock_guard lock(table_mutex);
  const auto at = std::find_if(table().begin(), table().end(), [&](const Row& row) { return row.name == name; });
  return at == table().end() ? StepMaker() : at->make;
}

class Parser {
 public:
  Parser(std::string_view text, const Dataset& dataset) : text_(text), dataset_(dataset) {}

  Transform whole() {
    skip_space();
    if (at_end()) fail_at(text_, "the text is empty", 1, "e.g. \"random_flip | normalize\", or \"none\"");
    Transform all = step();
    while (take('|')) all = all | step();
    if (!at_end()) fail_at(text_, fmt::format("unexpected {}", here()), column(), "steps are joined by |");
    return all;
  }

 private:
  bool at_end() const { return position_ >= text_.size(); }
  std::size_t column() const { return position_ + 1; }
  std::string here() const { return at_end() ? "end of text" : fmt::format("\"{}\"", text_.substr(position_, 1)); }
  void skip_space() {
    while (!at_end() && std::isspace(static_cast<unsigned char>(text_[position_])) != 0) ++position_;
  }
  bool take(char c) {
    if (at_end() || text_[position_] != c) return false;
    ++position_;
    skip_space();
    return true;
  }

  std::string word(const char* what, bool (*belongs)(char)) {
    const std::size_t begin = position_;
    while (!at_end() && belongs(text_[position_])) ++position_;
    if (position_ == begin) fail_at(text_, fmt::format("expected {}, found {}", what, here()), column());
    const std::string found(text_.substr(begin, position_ - begin));
    skip_space();
    return found;
  }

  Transform step() {
    const std::size_t begin = column();
    const std::string name = word("a step", is_name_character);
    std::vector<StepArguments::Argument> arguments;
    if (take('(') && !take(')')) {
      do arguments.push_back(argument());
      while (take(','));
      if (!take(')')) fail_at(text_, fmt::format("expected \")\", found {}", here()), column());
    }
    StepArguments given(text_, name, std::move(arguments));
    if (name == "none") {
      given.finish();
      return {};
    }
    const StepMaker make = find_step(name);
    if (!make) fail_unknown(text_, fmt::format("unknown step \"{}\"", name), name, begin, transform_names());
    const Transform made = make(given, dataset_);
    given.finish();
    return made;
  }

  StepArguments::Argument argument() {
    const auto belongs = [](char c) { return is_name_character(c) || c == '.' || c == '/' || c == '-' || c == '+'; };
    StepArguments::Argument found;
    found.column = column();
    found.value = word("an argument", belongs);
    if (!take('=')) return found;
    found.name = std::exchange(found.value, word("a value", belongs));
    return found;
  }

  std::string_view text_;
  const Dataset& dataset_;
  std::size_t position_ = 0;
};

}  // namespace

StepArguments::StepArguments(std::string_view text, std::string step, std::vector<Argument> arguments)
    : text_(text), step_(std::move(step)), arguments_(std::move(arguments)) {}

const StepArguments::Argument* StepArguments::find(const std::string& option) {
  const bool is_first = asked_.empty();
  asked_.push_back(option);
  const Argument* found = nullptr;
  for (const Argument& each : arguments_) {
    const bool is_it = each.name == option || (each.name.empty() && is_first && &each == &arguments_.front());
    if (!is_it) continue;
    if (found != nullptr) fail_at(text_, fmt::format("{} of {} is given twice", option, step_), each.column);
    found = &each;
    used_.push_back(found);
  }
  return found;
}

void StepArguments::fail_value(const Argument& argument, const std::string& option, const char* wanted) const {
  fail_at(text_, fmt::format("{} of {} must be {}, found \"{}\"", option, step_, wanted, argument.value),
          argument.column);
}

std::int64_t StepArguments::whole(const std::string& option, std::int64_t fallback) {
  const Argument* given = find(option);
  if (given != nullptr && !read(given->value, fallback)) fail_value(*given, option, "a whole number");
  return fallback;
}

double StepArguments::number(const std::string& option, double fallback) {
  const Argument* given = find(option);
  if (given != nullptr && !read(given->value, fallback)) fail_value(*given, option, "a number");
  return fallback;
}

Size2 StepArguments::size(const std::string& option, Size2 fallback) {
  const Argument* given = find(option);
  if (given == nullptr) return fallback;
  const std::string_view value = given->value;
  const std::size_t cross = value.find('x');
  Size2 found;
  bool good = read(value.substr(0, cross), found.h);
  found.w = found.h;
  if (cross != std::string_view::npos) good = good && read(value.substr(cross + 1), found.w);
  if (!good) fail_value(*given, option, "a size like 32 or 24x32");
  return found;
}

std::vector<double> StepArguments::numbers(const std::string& option, const std::vector<double>& fallback) {
  const Argument* given = find(option);
  if (given == nullptr) return fallback;
  std::vector<double> values;
  for (std::string_view rest = given->value;;) {
    const std::size_t slash = rest.find('/');
    if (!read(rest.substr(0, slash), values.emplace_back())) fail_value(*given, option, "numbers like 0.5/0.4/0.5");
    if (slash == std::string_view::npos) return values;
    rest.remove_prefix(slash + 1);
  }
}

std::string StepArguments::word(const std::string& option, const std::string& fallback) {
  const Argument* given = find(option);
  return given != nullptr ? given->value : fallback;
}

void StepArguments::finish() const {
  for (const Argument& each : arguments_) {
    if (std::find(used_.begin(), used_.end(), &each) != used_.end()) continue;
    if (each.name.empty()) {
      fail_at(text_, fmt::format("expected an argument of {} like option=value", step_), each.column,
              asked_.empty() ? "it takes none" : fmt::format("known: {}", fmt::join(asked_, ", ")));
    }
    fail_unknown(text_, fmt::format("unknown option \"{}\" of {}", each.name, step_), each.name, each.column, asked_);
  }
}

void register_transform(const std::string& name, StepMaker maker) {
  const std::string where = fmt::format("register_transform: \"{}\"", name);
  if (name.empty() || !std::all_of(name.begin(), name.end(), is_name_character) || !maker)
    fail(where, "a step needs a name of letters, digits and \"_\", and a function that makes it");
  if (name == "none" || find_step(name)) fail(where, "the name is taken");
  const std::lock_guard lock(table_mutex);
  table().push_back({name, std::move(maker)});
}

Transform parse_transform(std::string_view text, const Dataset& dataset) {
  validate(dataset);
  const Transform transform = Parser(text, dataset).whole();
  const Array& images = dataset.images;
  static_cast<void>(transform.output({images.shape(2), images.shape(3), images.shape(1), true}));
  return transform;
}

std::vector<std::string> transform_names() {
  const std::lock_guard lock(table_mutex);
  std::vector<std::string> names;
  for (const Row& row : table()) names.push_back(row.name);
  return names;
}

}  // namespace tandem
