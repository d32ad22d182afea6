// The grammar of errors, and suggestions for misspelt words. See error.h.
#include <algorithm>
#include <cstdio>
#include <string>
#include <vector>

#include <tandem/core/error.h>
#include <tandem/core/workers/launched.h>

namespace tandem {

namespace {

std::string join(std::string_view where, std::string_view what, std::string_view facts, std::string_view remedy) {
  std::string line(where);
  for (std::string_view part : {what, facts}) {
    if (part.empty()) continue;
    if (!line.empty()) line += ": ";
    line += part;
  }
  if (!remedy.empty()) line.append("; ").append(remedy);
  return line;
}

std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t above = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, diagonal + (a[i - 1] == b[j - 1] ? 0U : 1U)});
      diagonal = above;
    }
  }
  return row[b.size()];
}

}  // namespace

void Error::enter_layer(std::string_view name, std::string_view description) {
  if (description_.empty()) {
    description_ = description;
    path_ = name;
  } else if (!name.empty()) {
    path_ = path_.empty() ? std::string(name) : std::string(name) + "." + path_;
  }
  compose();
}

void Error::compose() {
  line_ = message_;
  if (!path_.empty()) {
    line_ = "layer \"" + path_ + "\" " + description_ + ": " + message_;
  } else if (!description_.empty()) {
    line_ = description_ + ": " + message_;
  }
}

void fail(std::string_view where, std::string_view what, std::string_view facts, std::string_view remedy) {
  throw Error(join(where, what, facts, remedy));
}

void fail_usage(std::string_view where, std::string_view what, std::string_view facts, std::string_view remedy) {
  throw UsageError(join(where, what, facts, remedy));
}

/// Of several processes that mpirun has started, which all come to the same, the first.
void warn(std::string_view message) {
  if (launched().index > 0) return;
  std::fprintf(stderr, "warning: %.*s\n", static_cast<int>(message.size()), message.data());
}

std::string nearest_word(std::string_view word, const std::string* known, std::size_t count) {
  std::string best;
  std::size_t distance = 1 + word.size() / 3;  // a third of the letters may be wrong, and one more
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t d = edit_distance(word, known[i]);
    if (d <= distance && (best.empty() || d < distance)) {
      best = known[i];
      distance = d;
    }
  }
  return best;
}

}  // namespace tandem
