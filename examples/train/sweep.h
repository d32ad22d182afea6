// The optimizers of a command line as contestants: lists in braces expanded, each with the label that tells it from the
// others. Not here: the grammar of a spec (optim/sweep.h, optim/parse.h).
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace tandem::train {

struct Contestant {
  std::string spec;   ///< one rule, without braces
  std::string name;   ///< that it was given; may be empty
  std::string label;  ///< "k=5 alpha=0.2", "lookahead(momentum)", or the name it was given
  std::vector<std::pair<std::string, std::string>> choices;  ///< of the lists in braces: axis and value
};

/// A list of values in a spec, which the report draws as an axis.
struct SweepAxis {
  std::string name;
  std::vector<std::string> values;
};

/// In the order of the command line, of lists the last one varying fastest. Throws UsageError for a spec that cannot be
/// read, and when two contestants are the same rule.
std::vector<Contestant> expand_optimizers(const std::vector<std::string>& specs);

/// Each list in braces once, with the values of all contestants that have it.
std::vector<SweepAxis> sweep_axes(const std::vector<Contestant>& contestants);

/// The name of a run and its folder: the label with '-' for what files should not have, and the seed:
/// "k=5-alpha=0.2-seed0".
std::string run_name(const std::string& label, std::uint64_t seed);

}  // namespace tandem::train
