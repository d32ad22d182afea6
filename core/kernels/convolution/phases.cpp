// See phases.h. Products are those of Winograd's algorithm, windows those of unfolding.cpp.
#include <tandem/core/kernels/convolution/phases.h>

#include <algorithm>
#include <deque>

#include <tandem/core/dispatch.h>
#include <tandem/core/kernels/convolution/scratch.h>
#include <tandem/core/kernels/convolution/windows.h>
#include <tandem/core/threads.h>

namespace tandem::kernels {

namespace {

using tiles::kPanel, tiles::Loops;

constexpr std::int64_t kRows = 128;  // unfolded at a time

/// Phases [first, last) of one direction. Phase a meets the taps a, a + stride, ... of the kernel, and its place i is
/// place stride * i + a - padding of dx.
struct Phases {
  std::int64_t first, last, taps;  ///< all with as many taps
  std::int64_t begin, end;         ///< places i with one of dx in any of these phases

  Phases(std::int64_t first_phase, std::int64_t last_phase, std::int64_t kernel, std::int64_t stride,
         std::int64_t padding, std::int64_t size)
      : first(first_phase),
        last(last_phase),
        taps(std::max<std::int64_t>(0, (kernel - first - 1 + stride) / stride)),
        begin((std::max<std::int64_t>(0, padding - last + 1) + stride - 1) / stride),
        end((size - 1 + padding - first + stride) / stride) {}

  std::int64_t number() const { return last - first; }
  std::int64_t places() const { return std::max<std::int64_t>(0, end - begin); }
};

/// Phases of both directions that share their windows.
struct Group {
  Phases h, v;
  std::int64_t columns;  ///< of the product: numbers of dx for each window, in panels

  Group(const Phases& along_h, const Phases& along_v, std::int64_t C)
      : h(along_h), v(along_v), columns(in_panels(h.number() * v.number() * C)) {}

  std::int64_t depth(std::int64_t K) const { return in_panels(h.taps * v.taps * K); }
  /// Products of one image, up to a factor that all groups share.
  std::int64_t products() const { return h.places() * v.places() * h.taps * v.taps * columns; }
};

/// All phases in one product where the kernel is a multiple of the stride, so that all have as many taps, and where
/// that is less work: with few channels, which fill no panel. Else a product each.
std::vector<Group> groups_of(const Shape& dx, const Shape& w, const Conv2dOptions& o) {
  const auto along_h = [&](std::int64_t first, std::int64_t last) {
    return Phases(first, last, w[2], o.stride.h, o.padding.h, dx[2]);
  };
  const auto along_v = [&](std::int64_t first, std::int64_t last) {
    return Phases(first, last, w[3], o.stride.w, o.padding.w, dx[3]);
  };
  std::vector<Group> each;
  std::int64_t products = 0;
  for (std::int64_t a = 0; a < o.stride.h; ++a) {
    for (std::int64_t b = 0; b < o.stride.w; ++b) {
      each.emplace_back(along_h(a, a + 1), along_v(b, b + 1), dx[1]);
      products += each.back().products();
    }
  }
  if (w[2] % o.stride.h != 0 || w[3] % o.stride.w != 0) return each;
  const Group all(along_h(0, o.stride.h), along_v(0, o.stride.w), dx[1]);
  return all.products() < products ? std::vector<Group>{all} : each;
}

/// u[columns / 16][depth][16]: column (a, b, c) of the product has the filters' numbers in the order of the windows,
/// whose first place in dy meets the last tap.
void pack_taps(const Array& w, const Group& group, const Conv2dOptions& o, float* u) {
  const std::int64_t K = w.shape(0), C = w.shape(1), depth = group.depth(K), taps = group.h.taps * group.v.taps;
  const bool is_full = depth == taps * K && group.columns == group.h.number() * group.v.number() * C;
  if (!is_full) std::fill_n(u, group.columns * depth, 0.0F);
  parallel_for(K, std::max<std::int64_t>(1, 4096 / (taps * group.columns)), [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t k = begin; k < end; ++k) {
      const float* filter = w.data<float>() + k * w.stride(0);
      std::int64_t first = 0;  // column of (a, b, 0)
      for (std::int64_t a = group.h.first; a < group.h.last; ++a) {
        for (std::int64_t b = group.v.first; b < group.v.last; ++b, first += C) {
          for (std::int64_t i = 0; i < taps; ++i) {
            const std::int64_t r = a + (group.h.taps - 1 - i / group.v.taps) * o.stride.h,
                               s = b + (group.v.taps - 1 - i % group.v.taps) * o.stride.w;
            const float* tap = filter + r * w.stride(2) + s * w.stride(3);
            for (std::int64_t c = 0; c < C; ++c) {
              const std::int64_t column = first + c;
              u[(column / kPanel * depth + i * K + k) * kPanel + column % kPanel] = tap[c * w.stride(1)];
            }
          }
        }
      }
    }
  });
}

/// Rows of the product of windows [t, t + count) to their places in dx: a run of numbers in each of its rows.
TANDEM_TARGETS void put(const float* from, std::int64_t step, std::int64_t t, std::int64_t count,
                        const Windows& windows, const Group& group, const Conv2dOptions& o, const Shape& dx,
                        float* to) {
  const std::int64_t C = dx[1], H = dx[2], W = dx[3], wide = group.v.number() * C;
  Windows::Place place = windows.place(t);
  for (std::int64_t q = 0; q < count; ++q, from += step, windows.advance(place)) {
    const std::int64_t top = o.stride.h * (group.h.begin + place.row) + group.h.first - o.padding.h,
                       left = o.stride.w * (group.v.begin + place.column) + group.v.first - o.padding.w;
    const std::int64_t begin = std::max<std::int64_t>(0, -left) * C, end = std::min(wide, (W - left) * C);
    for (std::int64_t a = std::max<std::int64_t>(0, -top); a < std::min(group.h.number(), H - top); ++a) {
      float* row = to + ((place.image * H + top + a) * W + left) * C;
      for (std::int64_t p = begin; p < end; ++p) row[p] = from[a * wide + p];
    }
  }
}

/// What the products of a group need.
struct Product {
  const Group& group;
  Windows windows;
  std::int64_t depth, step, out;  ///< numbers of a window, of its row, of a row of the product
  Buffer taps;

  Product(const Group& g, const Array& dy, const Array& w, const Conv2dOptions& o)
      : group(g),
        windows(dy.shape(), {1, w.shape(0), g.h.taps, g.v.taps}, {dy.shape(0), g.columns, g.h.places(), g.v.places()},
                {.padding = {g.h.taps - 1 - g.h.begin, g.v.taps - 1 - g.v.begin}}),
        depth(g.depth(w.shape(0))),
        step(row_of(depth)),
        out(row_of(g.columns)),
        taps(bytes(g.columns * depth)) {
    pack_taps(w, g, o, floats(taps));
  }
  std::int64_t per_image() const { return windows.rows * windows.columns; }
};

}  // namespace

bool can_phase(const Conv2dOptions& o) { return o.groups == 1 && o.dilation.h == 1 && o.dilation.w == 1; }

void phased_input_grad(const Array& dy, const Array& w, const Conv2dOptions& options, Array& dx, const Loops& loops) {
  const bool has_gaps = options.stride.h > w.shape(2) || options.stride.w > w.shape(3);  // phases that no tap meets
  if (has_gaps) dx.fill(0);
  const std::vector<Group> groups = groups_of(dx.shape(), w.shape(), options);
  std::deque<Product> products;
  std::int64_t fewest = kRows, numbers = 0;
  for (const Group& group : groups) {
    if (group.products() == 0) continue;
    const Product& p = products.emplace_back(group, dy, w, options);
    fewest = std::min(fewest, p.per_image());
    numbers = std::max(numbers, kRows * (p.step + p.out));
  }
  const float* from = dy.data<float>();
  float* to = dx.data<float>();
  // As many images at a time as fill a block of rows: their dx stays in the cache for all phases.
  const std::int64_t images = kRows / fewest;
  parallel_for(dx.shape(0), images, [&](std::int64_t first, std::int64_t last) {
    const Buffer buffer(bytes(numbers));
    for (std::int64_t n = first; n < last; n += images) {
      for (const Product& p : products) {
        const std::int64_t end = std::min(last, n + images) * p.per_image();
        float *v = floats(buffer), *y = v + kRows * p.step;
        for (std::int64_t t = n * p.per_image(); t < end; t += kRows) {
          const std::int64_t count = std::min(kRows, end - t);
          unfold(p.windows, from, t, count, p.step, v);
          loops.multiply(v, p.step, floats(p.taps), count, p.depth, p.group.columns, y, p.out);
          put(y, p.out, t, count, p.windows, p.group, options, dx.shape(), to);
        }
      }
    }
  });
}

}  // namespace tandem::kernels
