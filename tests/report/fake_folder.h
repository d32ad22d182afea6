// FakeFolder: a run folder with known numbers, as a training program would have written it, and as nobody should.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

namespace tandem::test {

/// A run of a fake folder; its metrics.csv has train_loss and test_accuracy at steps 10, 20 ... of which the last is
/// `accuracy` and the first accuracy / steps * 10.
struct FakeRun {
  std::string name, label, optimizer;
  int seed = 0;
  double accuracy = 0.5;
  int diverged_at = 0;  ///< 0: it finished
  std::map<std::string, std::string> arguments = {};
  std::string status = "finished";
  int steps = 40;
};

struct FakeFolder {
  std::vector<FakeRun> runs;
  std::map<std::string, std::string> options = {{"batch", "8"}, {"schedule", "constant"}};
  std::string dataset = "set", machine = "any, avx2";
  int threads = 1;
  std::vector<std::pair<std::string, std::vector<std::string>>> sweep = {};

  void write(const std::filesystem::path& folder) const;
};

/// sgd with seeds 0, 1, 2: 0.5, 0.6, 0.7; lookahead: 0.6, 0.72, 0.78: differences 0.1, 0.12, 0.08.
FakeFolder two_optimizers();

/// The first bytes of a PNG of so many pixels: as much as a report reads.
std::string png_header(int width, int height);

}  // namespace tandem::test
