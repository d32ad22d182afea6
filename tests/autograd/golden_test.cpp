// Every op against PyTorch: value, gradients, and gradients of gradients where the golden file has them.
// The numbers stand in tests/golden/ops.safetensors; tests/golden/make_golden.py says how each case was made.
#include <doctest/doctest.h>

#include <fstream>
#include <set>
#include <string>

#include "autograd/golden_compare.h"

using namespace tandem;
using golden::cases, golden::Precision;

namespace {

void compare_all(const Precision& precision) {
  const Safetensors file = golden::load("ops.safetensors");
  for (const auto& [name, compute] : cases()) compare(file, name, compute, precision);
}

}  // namespace

TEST_CASE("golden: every op in f64 equals PyTorch") { compare_all({DType::f64, Layout::row_major, 1e-12}); }

TEST_CASE("golden: every op in f32 equals PyTorch's f64") { compare_all({DType::f32, Layout::row_major, 1e-5}); }

TEST_CASE("golden: every op in f32, channels-last, equals PyTorch's f64") {
  compare_all({DType::f32, Layout::channels_last, 1e-5});
}

TEST_CASE("golden: the file and the table have the same cases") {
  std::set<std::string> in_file, in_table;
  for (const NamedArray& entry : golden::load("ops.safetensors").arrays) {
    in_file.insert(entry.name.substr(0, entry.name.find('/')));
  }
  for (const auto& entry : cases()) in_table.insert(entry.first);
  CHECK(in_file == in_table);
}

TEST_CASE("golden: every op of ops.h has a case, except dropout, whose mask is random") {
  std::ifstream header(TANDEM_SOURCE_DIR "/autograd/ops.h");
  REQUIRE(header);
  std::set<std::string> covered = {"dropout"};
  for (const auto& entry : cases()) covered.insert(entry.first.substr(0, entry.first.find('.')));
  for (std::string line; std::getline(header, line);) {
    const std::size_t open = line.find('(');
    if (open == std::string::npos || line.find("operator") != std::string::npos) continue;
    const bool returns_tensors = line.starts_with("Tensor ") || line.starts_with("std::pair<Tensor, Tensor> ");
    if (!returns_tensors) continue;
    const std::size_t begin = line.rfind(' ', open) + 1;
    const std::string op = line.substr(begin, open - begin);
    CAPTURE(op);
    // Two ops in one call: ops_leaky_relu_test.cpp holds it to the two.
    const std::string first = op.ends_with("_leaky_relu") ? op.substr(0, op.size() - 11) : op;
    CHECK(covered.count(first) == 1);
  }
}
