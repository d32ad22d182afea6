// A recursive-descent parser of specs that knows the column of everything it reads.
#include <tandem/optim/text/spec.h>

#include <cctype>
#include <cstdlib>

#include <fmt/format.h>

#include <tandem/core/error.h>

namespace tandem::spec {
namespace {

constexpr int kMaxDepth = 64;  // of parentheses: a text cannot overflow the stack

class Parser {
 public:
  explicit Parser(const Source& source) : source_(source), text_(source.text) {}

  Value whole() {
    skip_space();
    if (at_end()) source_.fail("the text is empty", 1, "e.g. \"momentum(lr=0.1)\"");
    Value value = product();
    if (!at_end()) source_.fail(fmt::format("unexpected {} after the end", here()), column());
    return value;
  }

 private:
  bool at_end() const { return position_ >= text_.size(); }
  char peek() const { return at_end() ? '\0' : text_[position_]; }
  std::size_t column() const { return position_ + 1; }
  std::string here() const { return at_end() ? "end of text" : fmt::format("\"{}\"", text_.substr(position_, 1)); }
  void skip_space() {
    while (!at_end() && std::isspace(static_cast<unsigned char>(peek()))) ++position_;
  }
  bool take(char c) {
    if (peek() != c) return false;
    ++position_;
    skip_space();
    return true;
  }
  static bool begins_name(char c) { return std::isalpha(static_cast<unsigned char>(c)) || c == '_'; }
  static bool begins_number(char c) {
    return std::isdigit(static_cast<unsigned char>(c)) || c == '.' || c == '-' || c == '+';
  }

  std::string name() {
    const std::size_t begin = position_;
    while (!at_end() && (begins_name(peek()) || std::isdigit(static_cast<unsigned char>(peek())))) ++position_;
    const std::string word(text_.substr(begin, position_ - begin));
    skip_space();
    return word;
  }

  double number() {
    const std::size_t begin = position_;
    if (peek() == '-' || peek() == '+') ++position_;
    const auto digits = [this] {
      const std::size_t first = position_;
      while (std::isdigit(static_cast<unsigned char>(peek()))) ++position_;
      return position_ - first;
    };
    std::size_t count = digits();
    if (peek() == '.') {
      ++position_;
      count += digits();
    }
    bool good = count > 0;
    if (good && (peek() == 'e' || peek() == 'E')) {
      ++position_;
      if (peek() == '-' || peek() == '+') ++position_;
      good = digits() > 0;
    }
    if (!good || begins_name(peek()) || peek() == '.') {
      while (begins_name(peek()) || begins_number(peek())) ++position_;
      source_.fail(fmt::format("\"{}\" is not a number", text_.substr(begin, position_ - begin)), begin + 1);
    }
    const std::string digits_text(text_.substr(begin, position_ - begin));
    skip_space();
    return std::strtod(digits_text.c_str(), nullptr);
  }

  Value factor() {
    Value value;
    value.column = column();
    if (begins_number(peek())) {
      do value.numbers.push_back(number());
      while (take('/'));
      return value;
    }
    if (!begins_name(peek())) source_.fail(fmt::format("expected a name or a number, found {}", here()), column());
    value.kind = Value::Kind::call;
    value.name = name();
    if (peek() != '(') return value;
    const std::size_t open = column();
    take('(');
    value.has_parentheses = true;
    if (++depth_ > kMaxDepth) source_.fail("parentheses nest too deep", open);
    if (!take(')')) {
      do value.arguments.push_back(argument());
      while (take(','));
      if (!take(')')) {
        if (at_end()) source_.fail("\")\" is missing for the \"(\"", open);
        source_.fail(fmt::format("expected \",\" or \")\", found {}", here()), column());
      }
    }
    --depth_;
    return value;
  }

  Value product() {
    Value first = factor();
    if (peek() != '*') return first;
    Value value;
    value.kind = Value::Kind::product;
    value.column = first.column;
    value.factors.push_back(std::move(first));
    while (take('*')) value.factors.push_back(factor());
    return value;
  }

  Argument argument() {
    Argument argument;
    argument.column = column();
    argument.value = product();
    const Value& left = argument.value;
    if (peek() != '=') return argument;
    if (left.kind != Value::Kind::call || left.has_parentheses)
      source_.fail("expected the name of an argument before \"=\"", argument.column);
    argument.name = left.name;
    take('=');
    argument.value = product();
    return argument;
  }

  const Source& source_;
  std::string_view text_;
  std::size_t position_ = 0;
  int depth_ = 0;
};

}  // namespace

void Source::fail(const std::string& what, std::size_t column, const std::string& remedy) const {
  fail_usage(where, fmt::format("{} at column {}", what, column), fmt::format("in \"{}\"", text), remedy);
}

void Source::fail_unknown(const std::string& noun, const std::string& word, const std::string& owner,
                          std::size_t column, const std::vector<std::string>& known) const {
  const std::string near = nearest_word(word, known.data(), known.size());
  const std::string remedy = !near.empty()   ? fmt::format("did you mean \"{}\"?", near)
                             : known.empty() ? std::string("it takes none")
                                             : fmt::format("known: {}", fmt::join(known, ", "));
  fail(fmt::format("unknown {} \"{}\"{}", noun, word, owner.empty() ? "" : " of " + owner), column, remedy);
}

Value parse(const Source& source) { return Parser(source).whole(); }

std::string number(double value) { return fmt::format("{}", value); }

}  // namespace tandem::spec
