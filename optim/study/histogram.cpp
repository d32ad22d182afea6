// See histogram.h. Bins are found by comparing with the edges, so that an edge is in its bin whatever log10 rounds to.
#include <tandem/optim/study/histogram.h>

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include <tandem/core/error.h>

namespace tandem {
namespace {

constexpr int kSide = Histogram::kSide;

/// Inner edges of the bins of positive numbers.
const std::array<double, kSide>& edges() {
  static const std::array<double, kSide> all = [] {
    std::array<double, kSide> e{};
    for (int i = 0; i < kSide; ++i)
      e[static_cast<std::size_t>(i)] =
          std::pow(10.0, Histogram::kLeast + static_cast<double>(i) / Histogram::kPerDecade);
    return e;
  }();
  return all;
}

int bin(double value, const std::array<double, kSide>& e) {
  const double size = std::fabs(value);
  const int side = static_cast<int>(std::upper_bound(e.begin(), e.end(), size) - e.begin());
  return value < 0 ? kSide - side : kSide + side;
}

/// Calls f(data of x) with its dtype.
template <class F>
void with_data(const Array& x, F&& f) {
  if (x.dtype() == DType::f64)
    f(x.data<double>());
  else
    f(x.data<float>());
}

}  // namespace

int Histogram::bin_of(double value) { return bin(value, edges()); }

double Histogram::edge_of(int bin) {
  if (bin == kSide) return 0;
  const double edge = edges()[static_cast<std::size_t>(std::abs(bin - kSide) - 1)];
  return bin < kSide ? -edge : edge;
}

std::string Histogram::name_of(int bin) { return bin == kSide ? "0" : fmt::format("{:.2g}", edge_of(bin)); }

void Histogram::add(const Array& values) {
  const auto& e = edges();
  const Array dense = values.is_dense() ? values : values.contiguous();
  with_data(dense, [&](const auto* p) {
    for (std::int64_t i = 0; i < dense.size(); ++i) {
      const auto value = static_cast<double>(p[i]);
      if (std::isnan(value))
        ++nan;
      else
        ++counts[static_cast<std::size_t>(bin(value, e))];
    }
  });
}

void Histogram::add(const Histogram& other) {
  for (std::size_t i = 0; i < counts.size(); ++i) counts[i] += other.counts[i];
  nan += other.nan;
}

void Histogram2d::add(const Array& x, const Array& y) {
  if (!(x.shape() == y.shape()) || !(x.strides() == y.strides()) || !x.is_dense() || x.dtype() != y.dtype())
    fail("histogram", "x and y differ in shape, memory order or dtype",
         fmt::format("x {} {}, y {} {}", to_string(x.shape()), name(x.dtype()), to_string(y.shape()), name(y.dtype())));
  const auto& e = edges();
  with_data(x, [&](const auto* px) {
    const auto* py = y.data<std::remove_cvref_t<decltype(*px)>>();
    for (std::int64_t i = 0; i < x.size(); ++i) {
      const auto vx = static_cast<double>(px[i]), vy = static_cast<double>(py[i]);
      if (std::isnan(vx) || std::isnan(vy))
        ++nan;
      else
        ++counts[static_cast<std::size_t>(bin(vy, e) * Histogram::kBins + bin(vx, e))];
    }
  });
}

void Histogram2d::add(const Histogram2d& other) {
  for (std::size_t i = 0; i < counts.size(); ++i) counts[i] += other.counts[i];
  nan += other.nan;
}

}  // namespace tandem
