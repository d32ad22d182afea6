// Bins of the signed logarithmic axis, by hand.
#include <tandem/optim/study/histogram.h>

#include "support.h"

#include <limits>

using namespace support;

TEST_CASE("an edge is in the bin further from 0, zero in the middle, what is larger in the outermost") {
  constexpr int kMiddle = Histogram::kSide;
  CHECK(Histogram::kBins == 41);
  for (const double small : {0.0, -0.0, 9.9e-9, -9.9e-9, 1e-300}) CHECK(Histogram::bin_of(small) == kMiddle);
  CHECK(Histogram::bin_of(1e-8) == kMiddle + 1);
  CHECK(Histogram::bin_of(-1e-8) == kMiddle - 1);
  CHECK(Histogram::bin_of(3.1e-8) == kMiddle + 1);
  CHECK(Histogram::bin_of(3.2e-8) == kMiddle + 2);
  CHECK(Histogram::bin_of(1.0) == kMiddle + 17);
  CHECK(Histogram::bin_of(-1.0) == kMiddle - 17);
  CHECK(Histogram::bin_of(1e9) == 40);
  CHECK(Histogram::bin_of(-std::numeric_limits<double>::infinity()) == 0);
  for (int bin = 0; bin < Histogram::kBins; ++bin) CHECK(Histogram::bin_of(Histogram::edge_of(bin)) == bin);
  CHECK(Histogram::name_of(kMiddle) == "0");
  CHECK(Histogram::name_of(kMiddle + 17) == "1");
  CHECK(Histogram::name_of(kMiddle - 2) == "-3.2e-08");
}

TEST_CASE("counts of both dtypes, of views, and of what is no number") {
  Histogram h;
  h.add(Array::from({0, 1, -1, 1.5}, {4}));
  h.add(Array::from({0, 1, -1, std::numeric_limits<double>::quiet_NaN()}, {4}, DType::f64));
  h.add(Array::from({1, 7, 1, 7}, {2, 2}).slice(1, 0, 1));
  CHECK(h.counts[20] == 2);
  CHECK(h.counts[37] == 5);
  CHECK(h.counts[3] == 2);
  CHECK(h.nan == 1);
  Histogram twice = h;
  twice.add(h);
  CHECK(twice.counts[37] == 10);
  CHECK(twice.nan == 2);
}

TEST_CASE("pairs: x across, y down; another memory order is an error") {
  Histogram2d h;
  h.add(Array::from({1, 0, -1}, {3}), Array::from({0, 0, 1}, {3}));
  CHECK(h.at(37, 20) == 1);
  CHECK(h.at(20, 20) == 1);
  CHECK(h.at(3, 37) == 1);
  const Array a = Array::from({1, 2, 3, 4}, {2, 2});
  CHECK(message([&] { h.add(a, a.transpose(0, 1)); }).find("histogram: x and y differ") == 0);
}
