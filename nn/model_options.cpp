// See model_options.h.
#include <tandem/nn/model_options.h>

#include <charconv>
#include <limits>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <tandem/core/error.h>

namespace tandem::nn {

namespace {

constexpr std::string_view kSeparators = ", \t\n";

template <class T>
bool read(std::string_view text, T& value) {
  const char* const last = text.data() + text.size();
  const auto [end, status] = std::from_chars(text.data(), last, value);
  return status == std::errc{} && end == last;
}

bool read_list(std::string_view text, std::vector<std::int64_t>& values) {
  values.clear();
  while (true) {
    const std::size_t slash = text.find('/');
    if (!read(text.substr(0, slash), values.emplace_back())) return false;
    if (slash == std::string_view::npos) return true;
    text.remove_prefix(slash + 1);
  }
}

}  // namespace

ModelOptions::Item::Item(std::string option, double number)
    : name(std::move(option)), value(fmt::format("{}", number)) {}

ModelOptions::Item::Item(std::string option, const std::vector<std::int64_t>& numbers)
    : name(std::move(option)), value(fmt::format("{}", fmt::join(numbers, "/"))) {}

ModelOptions::ModelOptions(std::initializer_list<Item> items) {
  for (const Item& item : items) set(item);
}

void ModelOptions::set(const Item& item) {
  for (const std::string& part : {item.name, item.value}) {
    if (part.empty() || part.find_first_of(kSeparators) != std::string::npos || part.find('=') != std::string::npos) {
      fail("model options", "names and values are not empty and hold no blank, comma or \"=\"",
           fmt::format("\"{}\" = \"{}\"", item.name, item.value));
    }
  }
  values_[item.name] = item.value;
}

const std::string* ModelOptions::find(const std::string& name) const {
  const auto at = values_.find(name);
  return at == values_.end() ? nullptr : &at->second;
}

std::string ModelOptions::to_text() const {
  std::string text;
  for (const auto& [name, value] : values_) text += fmt::format("{}{}={}", text.empty() ? "" : ", ", name, value);
  return text;
}

ModelOptions ModelOptions::from_text(std::string_view text) {
  ModelOptions options;
  while (true) {
    const std::size_t begin = text.find_first_not_of(kSeparators);
    if (begin == std::string_view::npos) return options;
    text.remove_prefix(begin);
    const std::string_view word = text.substr(0, text.find_first_of(kSeparators));
    text.remove_prefix(word.size());
    const std::size_t equals = word.find('=');
    if (equals == std::string_view::npos || equals == 0 || word.find('=', equals + 1) != std::string_view::npos ||
        equals + 1 == word.size()) {
      fail_usage("model options", "expected name=value", word, "e.g. classes=10, widths=16/32/64");
    }
    const std::string name(word.substr(0, equals));
    if (options.find(name) != nullptr) fail_usage("model options", "an option is given twice", name);
    options.set({name, word.substr(equals + 1)});
  }
}

OptionReader::OptionReader(std::string model, ModelOptions options)
    : model_(std::move(model)), options_(std::move(options)) {}

void OptionReader::fail_value(const char* name, const std::string& value, const char* wanted) const {
  fail_usage(fmt::format("model \"{}\"", model_), fmt::format("{} is {}, must be {}", name, value, wanted));
}

void OptionReader::operator()(const char* name, std::int64_t& value) {
  if (const std::string* text = given(name)) {
    if (!read(*text, value)) fail_value(name, *text, "a whole number");
  }
  resolved_.set({name, value});
}

void OptionReader::operator()(const char* name, int& value) {
  if (const std::string* text = given(name)) {
    if (!read(*text, value)) fail_value(name, *text, "a whole number below 2^31");
  }
  resolved_.set({name, value});
}

void OptionReader::operator()(const char* name, double& value) {
  if (const std::string* text = given(name)) {
    if (!read(*text, value)) fail_value(name, *text, "a number");
  }
  resolved_.set({name, value});
}

void OptionReader::operator()(const char* name, bool& value) {
  if (const std::string* text = given(name)) {
    if (*text != "true" && *text != "false") fail_value(name, *text, "true or false");
    value = *text == "true";
  }
  resolved_.set({name, value});
}

void OptionReader::operator()(const char* name, std::vector<std::int64_t>& value) {
  if (const std::string* text = given(name)) {
    if (!read_list(*text, value)) fail_value(name, *text, "whole numbers like 16/32/64");
  }
  resolved_.set({name, value});
}

void OptionReader::operator()(const char* name, std::string& value) {
  if (const std::string* text = given(name)) value = *text;
  resolved_.set({name, value});
}

void OptionReader::choice(const char* name, int& value, const std::vector<std::string>& words) {
  if (const std::string* text = given(name)) {
    std::size_t at = 0;
    while (at < words.size() && words[at] != *text) ++at;
    if (at == words.size()) fail_value(name, *text, fmt::format("one of {}", fmt::join(words, ", ")).c_str());
    value = static_cast<int>(at);
  }
  resolved_.set({name, words.at(static_cast<std::size_t>(value))});
}

void OptionReader::finish() const {
  for (const auto& [name, value] : options_.values()) {
    if (resolved_.find(name) != nullptr) continue;
    std::vector<std::string> known;
    for (const auto& [each, unused] : resolved_.values()) known.push_back(each);
    const std::string near = nearest_word(name, known.data(), known.size());
    fail_usage(fmt::format("model \"{}\"", model_), fmt::format("option \"{}\" is not known", name),
               known.empty() ? "it has none" : fmt::format("known: {}", fmt::join(known, ", ")),
               near.empty() ? "" : fmt::format("did you mean {}?", near));
  }
}

}  // namespace tandem::nn
