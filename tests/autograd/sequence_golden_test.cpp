// Every op of sequence_ops.h against PyTorch. The numbers stand in tests/golden/sequence_ops.safetensors, made by
// make_sequence_golden.py.
#include <doctest/doctest.h>

#include <fstream>
#include <set>
#include <string>

#include "autograd/golden_compare.h"
#include "autograd/sequence_golden_cases.h"

using namespace tandem;
using golden::sequence_cases;

namespace {

void compare_all(DType dtype, double tolerance) {
  const Safetensors file = golden::load("sequence_ops.safetensors");
  for (const auto& [name, compute] : sequence_cases())
    golden::compare(file, name, compute, {dtype, Layout::row_major, tolerance});
}

}  // namespace

TEST_CASE("golden: every op of sequences in f64 equals PyTorch") { compare_all(DType::f64, 1e-12); }

TEST_CASE("golden: every op of sequences in f32 equals PyTorch's f64") { compare_all(DType::f32, 1e-5); }

TEST_CASE("golden: the file and the table of sequences have the same cases") {
  std::set<std::string> in_file, in_table;
  for (const NamedArray& entry : golden::load("sequence_ops.safetensors").arrays)
    in_file.insert(entry.name.substr(0, entry.name.find('/')));
  for (const auto& entry : sequence_cases()) in_table.insert(entry.first);
  CHECK(in_file == in_table);
}

TEST_CASE("golden: every op of sequence_ops.h has a case, except dropout, whose mask is random") {
  std::ifstream header(TANDEM_SOURCE_DIR "/autograd/sequence_ops.h");
  REQUIRE(header);
  std::set<std::string> covered = {"locked_dropout"};
  for (const auto& entry : sequence_cases()) covered.insert(entry.first.substr(0, entry.first.find('.')));
  for (std::string line; std::getline(header, line);) {
    const bool returns = line.starts_with("Tensor ") || line.starts_with("RecurrentResult ");
    const std::size_t open = line.find('(');
    if (!returns || open == std::string::npos) continue;
    const std::size_t begin = line.rfind(' ', open) + 1;
    const std::string op = line.substr(begin, open - begin);
    CAPTURE(op);
    CHECK(covered.count(op) == 1);
  }
}
