// Element types: 16-bit floats bit for bit, conversions at their ends, promotion and mixed arithmetic against PyTorch,
// and a state dict of PyTorch with many dtypes. The files are made by tests/golden/make_type_golden.py.
#include <doctest/doctest.h>

#include <cmath>
#include <fstream>
#include <limits>
#include <sstream>
#include <string>

#include <tandem/core/io/file.h>
#include <tandem/core/io/npy.h>
#include <tandem/core/io/safetensors.h>
#include <tandem/core/kernels/elementwise/elementwise.h>
#include <tandem/core/kernels/product/matmul.h>

#include "core/random_arrays.h"
#include "core/temporary_folder.h"
#include "golden/golden_file.h"

using namespace tandem;
using namespace tandem::testing;
namespace k = tandem::kernels;
using Doubles = std::vector<double>;
using Integers = std::vector<std::int64_t>;

namespace {

std::vector<DType> all_dtypes() {
  std::vector<DType> dtypes;
  for (std::size_t i = 0; i < kDTypeCount; ++i) dtypes.push_back(static_cast<DType>(i));
  return dtypes;
}

DType dtype_named(const std::string& text) {
  for (const DType dtype : all_dtypes())
    if (name(dtype) == text) return dtype;
  throw Error("no dtype " + text);
}

Integers converted(const Doubles& values, DType from, DType to) {
  return Array::from(values, {static_cast<std::int64_t>(values.size())}).to(from).to(to).to_vector<std::int64_t>();
}

// A number in (-3, 256) as an element of `to`.
double one_converted(double v, DType to) {
  switch (to) {
    case DType::f16:
      return static_cast<double>(static_cast<float>(float16(static_cast<float>(v))));
    case DType::bf16:
      return static_cast<double>(static_cast<float>(bfloat16(static_cast<float>(v))));
    case DType::f32:
      return static_cast<double>(static_cast<float>(v));
    case DType::f64:
      return v;
    case DType::boolean:
      return v != 0 ? 1 : 0;
    case DType::u8:
      return v <= -1 ? std::trunc(v) + 256 : std::trunc(v);
    case DType::i8:
      return v >= 128 ? v - 256 : std::trunc(v);  // of a u8
    default:
      return std::trunc(v);
  }
}

}  // namespace

TEST_CASE("names, sizes and C++ types stand in one order") {
  CHECK(name(DType::boolean) == "bool");
  CHECK(name(dtype_of<float16>) == "f16");
  CHECK(size_of(DType::f16) == 2);
  CHECK(size_of(DType::i32) == 4);
  for (const DType dtype : all_dtypes()) {
    CHECK(visit_dtype(dtype, [](auto element) { return dtype_of<decltype(element)>; }) == dtype);
    CHECK(dtype_named(std::string(name(dtype))) == dtype);
    CHECK(is_work(work_dtype(dtype)));
  }
}

TEST_CASE("every float16 is widened exactly and comes back, NaN as NaN") {
  for (std::uint32_t bits = 0; bits < 0x10000U; ++bits) {
    float16 h;
    h.bits = static_cast<std::uint16_t>(bits);
    const int exponent = static_cast<int>(bits >> 10 & 31U), mantissa = static_cast<int>(bits & 1023U);
    double truth = exponent == 0 ? std::ldexp(mantissa, -24) : std::ldexp(1024 + mantissa, exponent - 25);
    if (exponent == 31) truth = mantissa == 0 ? INFINITY : NAN;
    if (bits >> 15 != 0) truth = -truth;
    const float wide = h;
    if (std::isnan(truth)) {
      REQUIRE(std::isnan(wide));
      REQUIRE(std::isnan(static_cast<float>(float16(wide))));
      continue;
    }
    REQUIRE(static_cast<double>(wide) == truth);
    REQUIRE(float16(wide).bits == bits);
  }
}

TEST_CASE("16-bit floats round as PyTorch's do, one by one and in vectors") {
  const Safetensors file = golden::load("conversions.safetensors");
  const Array& x = golden::at(file, "x");
  CHECK(identical(x.to(DType::f16), golden::at(file, "f16")));
  CHECK(identical(x.to(DType::bf16), golden::at(file, "bf16")));
  CHECK(identical(x.to(DType::f64).to(DType::f16), golden::at(file, "f16")));
  for (std::int64_t i = 0; i < x.size(); ++i) {
    REQUIRE(float16(x.data<float>()[i]).bits == golden::at(file, "f16").data<float16>()[i].bits);
  }
}

TEST_CASE("floats become whole numbers by way of i64, modulo 2^n") {
  const Doubles x{-1.9, 1.9, 300.5, -300, INFINITY, NAN, 1e30};
  constexpr auto kLeast = std::numeric_limits<std::int64_t>::min();
  for (const DType dtype : {DType::f32, DType::f64}) {
    CHECK(converted(x, dtype, DType::u8) == Integers{255, 1, 44, 212, 0, 0, 0});
    CHECK(converted(x, dtype, DType::i8) == Integers{-1, 1, 44, -44, 0, 0, 0});
    CHECK(converted(x, dtype, DType::i32) == Integers{-1, 1, 300, -300, 0, 0, 0});
    CHECK(converted(x, dtype, DType::i64) == Integers{-1, 1, 300, -300, kLeast, kLeast, kLeast});
  }
  CHECK(converted({-1.9, 300, NAN}, DType::bf16, DType::i8) == Integers{-1, 44, 0});
  CHECK(converted({-1.9, 300, NAN}, DType::f16, DType::u8) == Integers{255, 44, 0});
  CHECK(converted({2147483647, -2147483648.0, 2147483648.0}, DType::f64, DType::i32) ==
        Integers{2147483647, -2147483648, -2147483648});
  CHECK(converted({0, -0.0, 0.1, NAN, -3}, DType::f32, DType::boolean) == Integers{0, 0, 1, 1, 1});
  CHECK(converted({0, 256, -7}, DType::i32, DType::boolean) == Integers{0, 1, 1});
  CHECK(converted({255, 256, -1}, DType::i64, DType::u8) == Integers{255, 0, 255});
}

TEST_CASE("every pair of dtypes converts, in every memory order, as one element after the other") {
  Generator g(31);
  for (const DType from : all_dtypes()) {
    for (const DType to : all_dtypes()) {
      CAPTURE(name(from));
      CAPTURE(name(to));
      for (int trial = 0; trial < 12; ++trial) {
        const Array x = random_array(g, random_shape(g), random_memory(g));
        const Array narrow = x.to(from), y = narrow.to(to), plain = narrow.contiguous();
        Doubles truth;
        for (const double v : plain.to_vector<double>()) truth.push_back(one_converted(v, to));
        REQUIRE(y.to_vector<double>() == truth);
      }
    }
  }
}

TEST_CASE("promotion is torch.result_type") {
  std::ifstream file(TANDEM_GOLDEN_DIR "/promotions.tsv");
  REQUIRE(file);
  int lines = 0;
  for (std::string line; std::getline(file, line); ++lines) {
    CAPTURE(line);
    std::istringstream words(line);
    std::vector<std::string> word;
    for (std::string one; words >> one;) word.push_back(one);
    if (word.size() == 5) {
      const DType a = dtype_named(word[0]), b = dtype_named(word[2]);
      CHECK(result_type(a, std::stoi(word[1]), b, std::stoi(word[3])) == dtype_named(word[4]));
      if (word[1] == word[3]) CHECK(promote(a, b) == dtype_named(word[4]));
    } else {
      REQUIRE(word.size() == 4);
      CHECK(result_type(dtype_named(word[0]), std::stod(word[2])) == dtype_named(word[3]));
    }
  }
  CHECK(lines == 9 * 2 * (9 * 2 + 2));
}

TEST_CASE("mixed arithmetic gives PyTorch's numbers and dtypes") {
  const Safetensors file = golden::load("mixed.safetensors");
  for (const DType type_a : all_dtypes()) {
    for (const DType type_b : all_dtypes()) {
      const std::string pair = "/" + std::string(name(type_a)) + "/" + std::string(name(type_b));
      CAPTURE(pair);
      const Array a = Array::from({1, 2, 3, 0}, {4}).to(type_a), b = Array::from({2, 1, 4, 5}, {4}).to(type_b);
      CHECK(identical(k::add(a, b), golden::at(file, "add" + pair)));
      CHECK(identical(k::divide(a, b), golden::at(file, "divide" + pair)));
    }
  }
}

TEST_CASE("an element of 16 bits is computed in f32 and rounded once") {
  Generator g(32);
  for (const DType dtype : {DType::f16, DType::bf16}) {
    for (const Shape& shape : large_shapes()) {
      const Array a = random_array(g, shape, random_memory(g)).to(dtype);
      const Array b = random_array(g, shape, random_memory(g)).to(dtype);
      const Array wide = k::multiply(a.to(DType::f32), b.to(DType::f32));
      CHECK(identical(k::multiply(a, b), wide.to(dtype)));
      CHECK(identical(k::add(a, b.to(DType::f32)), k::add(a.to(DType::f32), b.to(DType::f32))));
      Array c = a.clone();
      k::add_into(c, b);
      CHECK(identical(c, k::add(a, b)));
      CHECK(identical(k::exp(a), k::exp(a.to(DType::f32)).to(dtype)));
    }
  }
}

TEST_CASE("whole numbers wrap, and have exact powers") {
  CHECK(k::add(Array::from({200, 255}, {2}, DType::u8), 100).to_vector<std::int64_t>() == Integers{44, 99});
  const Array largest = Array::from(std::vector<std::int64_t>{std::numeric_limits<std::int64_t>::max()}, {1});
  CHECK(k::add(largest, 1).to_vector<std::int64_t>()[0] == std::numeric_limits<std::int64_t>::min());
  CHECK(k::power(Array::scalar(3, DType::i64), 39).to_vector<std::int64_t>()[0] == 4052555153018976267);
  CHECK(k::power(Array::from({2, -3}, {2}, DType::i32), Array::from({10, 3}, {2}, DType::i32))
            .to_vector<std::int64_t>() == Integers{1024, -27});
  CHECK(k::absolute(Array::from({-128, 5}, {2}, DType::i8)).to_vector<std::int64_t>() == Integers{-128, 5});
  CHECK(k::power(Array::from({1, -1, 3}, {3}, DType::i32), -1).to_vector<std::int64_t>() == Integers{1, -1, 0});
  CHECK(message_of([] { k::power(Array::scalar(0, DType::i64), -1); }) == "power: 0 to a negative power: dtype i64");
  CHECK(message_of([] { k::subtract(Array::scalar(1, DType::boolean), Array::scalar(1, DType::boolean)); }) ==
        "subtract: needs numbers: a is bool; convert with to()");
  CHECK(message_of([] { k::add(Array::scalar(1, DType::i8), 128); }) ==
        "add: 128 is not a number of i8: x is i8; convert x with to()");
}

TEST_CASE("a state dict of PyTorch with f16, bf16, i32, i8 and bool is read, used and written back bit for bit") {
  const std::string path = TANDEM_GOLDEN_DIR "/state_dict";
  const test::TemporaryFolder folder;
  const Safetensors file = load_safetensors(path + ".safetensors");
  REQUIRE(file.arrays.size() == 6);
  const Array &weight = golden::at(file, "encoder.weight"), &bias = golden::at(file, "encoder.bias");
  const Array &decoder = golden::at(file, "decoder.weight"), &mask = golden::at(file, "mask");
  CHECK(weight.dtype() == DType::f16);
  CHECK(bias.dtype() == DType::bf16);
  CHECK(golden::at(file, "position").dtype() == DType::i32);
  CHECK(golden::at(file, "position").to_vector<std::int64_t>() == Integers{2, 0, 1});
  CHECK(golden::at(file, "quantised").to_vector<std::int64_t>() == Integers{-128, 0, 127});
  CHECK(mask.to_vector<std::int64_t>() == Integers{1, 0, 1, 0, 1, 1});
  // Used: a weight in f16 added to one in f32, multiplied by a mask, and a product.
  const Array sum = k::add(decoder.transpose(0, 1), weight);
  CHECK(sum.dtype() == DType::f32);
  CHECK(sum.at({1, 2}) == doctest::Approx(decoder.at({2, 1}) + weight.at({1, 2})));
  CHECK(k::multiply(weight.slice(0, 0, 2), mask).dtype() == DType::f16);
  CHECK(k::multiply(weight.slice(0, 0, 2), mask).at({0, 1}) == 0);
  CHECK(k::linear(decoder, weight.to(DType::f32).transpose(0, 1), bias.slice(0, 0, 3).to(DType::f32)).shape() ==
        Shape{3, 3});
  NamedArrays same = file.arrays;
  save_safetensors(folder / "again.safetensors", same, file.metadata);
  const Safetensors again = load_safetensors(folder / "again.safetensors");
  CHECK(again.metadata == file.metadata);
  REQUIRE(again.arrays.size() == file.arrays.size());
  for (std::size_t i = 0; i < again.arrays.size(); ++i) {
    CHECK(again.arrays[i].name == file.arrays[i].name);
    CHECK(again.arrays[i].array.dtype() == file.arrays[i].array.dtype());
    CHECK(identical(again.arrays[i].array, file.arrays[i].array));
  }
  const NamedArrays zipped = load_npz(path + ".npz");
  REQUIRE(zipped.size() == 5);  // NumPy has no bf16
  for (const NamedArray& entry : zipped) {
    CAPTURE(entry.name);
    CHECK(identical(entry.array, golden::at(file, entry.name)));
  }
  save_npz(folder / "again.npz", zipped);
  const NamedArrays unzipped = load_npz(folder / "again.npz");
  REQUIRE(unzipped.size() == zipped.size());
  for (std::size_t i = 0; i < zipped.size(); ++i) CHECK(identical(unzipped[i].array, zipped[i].array));
}

TEST_CASE("a file whose bools are neither 0 nor 1, or whose type is not one of ours, is refused by name") {
  const test::TemporaryFolder folder;
  const std::string path = (folder / "f.safetensors").string();
  save_safetensors(path, {{"mask", Array::from({1, 0, 1}, {3}, DType::boolean)}});
  std::string bytes = read_file(path);
  bytes.back() = 2;
  write_file(path, bytes);
  CHECK(message_of([&] { load_safetensors(path); }) == path + ": entry \"mask\": a bool is neither 0 nor 1");
  bytes.replace(bytes.find("BOOL"), 4, "U128");
  write_file(path, bytes);
  CHECK(message_of([&] { load_safetensors(path); }) ==
        path + ": entry \"mask\": dtype \"U128\" is not known: known are F32, F64, F16, BF16, I64, I32, I8, U8, BOOL");
  const std::string npy = (folder / "f.npy").string();
  save_npy(npy, Array::from({1, 0, 1}, {3}, DType::boolean));
  CHECK(load_npy(npy).to_vector<bool>() == std::vector<bool>{true, false, true});
  bytes = read_file(npy);
  bytes.back() = 2;
  write_file(npy, bytes);
  CHECK(message_of([&] { load_npy(npy); }) == "load_npy: " + npy + ": a bool is neither 0 nor 1");
}
