// Winograd convolutions: chunks of tiles that fit in cache are transformed, multiplied plane by plane and transformed
// back. The transformed weights are made anew in each call (as often as the weights change in training); the memory is
// the allocator's, kept between calls. Loops over channels and the products are in winograd_loops.cpp.
#include <tandem/core/kernels/convolution/winograd.h>

#include <algorithm>

#include <tandem/core/kernels/convolution/winograd_loops.h>
#include <tandem/core/threads.h>

namespace tandem::kernels {

namespace {

using tiles::kPanel, tiles::kPlanes, tiles::Planes, tiles::Tiling;

/// Tiles of the output images, and how many of them are worked on at once.
struct Work {
  std::int64_t images, rows, columns;

  explicit Work(const Shape& y) : images(y[0]), rows((y[2] + 1) / 2), columns((y[3] + 1) / 2) {}
  std::int64_t per_image() const { return rows * columns; }
  std::int64_t count() const { return images * per_image(); }
};

float* floats(const Buffer& buffer) { return reinterpret_cast<float*>(buffer.data()); }
std::size_t bytes(std::int64_t numbers) { return static_cast<std::size_t>(numbers) * sizeof(float); }

Tiling tiling_of(const Array& x, const Work& work, Size2 padding) {
  return {x.shape(2), x.shape(3), x.shape(1), work.columns, padding.h, padding.w};
}

/// The planes from tile `tile` on.
Planes from(const Planes& p, std::int64_t tile) { return {p.data + tile * p.tile, p.plane, p.panel, p.tile}; }

/// f(image, first tile in it, count, tiles of this range before it) for the images that tiles [begin, end) touch.
template <class F>
void each_image(const Work& work, std::int64_t begin, std::int64_t end, F&& f) {
  const std::int64_t per_image = work.per_image();
  for (std::int64_t t = begin; t < end;) {
    const std::int64_t image = t / per_image, first = t % per_image;
    const std::int64_t count = std::min(per_image - first, end - t);
    f(image, first, count, t - begin);
    t += count;
  }
}

/// y = the convolution of x with weights u[16][K / 16][C][16], stride 1, with this padding.
void convolve(const Array& x, const float* u, const float* bias, Size2 padding, Array& y) {
  const Work work(y.shape());
  const std::int64_t C = x.shape(1), K = y.shape(1);
  // Both planes of a chunk in about 512 KB; multiples of the six rows of a product.
  const std::int64_t chunk = std::clamp<std::int64_t>(131072 / (kPlanes * (C + K)) / 6 * 6, 24, 192);
  const Tiling in = tiling_of(x, work, padding), out = tiling_of(y, work, 0);
  const std::int64_t x_image = in.H * in.W * C, y_image = out.H * out.W * K;
  const float* px = x.data<float>();
  float* py = y.data<float>();
  parallel_for((work.count() + chunk - 1) / chunk, 1, [&](std::int64_t begin, std::int64_t end) {
    const Buffer buffer(bytes(kPlanes * chunk * (C + K)));
    const Planes v{floats(buffer), chunk * C, kPanel, C}, m{v.data + kPlanes * chunk * C, chunk * K, kPanel, K};
    for (std::int64_t i = begin; i < end; ++i) {
      const std::int64_t t0 = i * chunk, t1 = std::min(t0 + chunk, work.count());
      each_image(work, t0, t1, [&](std::int64_t image, std::int64_t first, std::int64_t count, std::int64_t before) {
        tiles::transform_input(px + image * x_image, in, first, count, from(v, before));
      });
      for (std::int64_t p = 0; p < kPlanes; ++p)
        for (std::int64_t k = 0; k < K; k += kPanel)
          tiles::multiply_panel(v.data + p * v.plane, u + p * C * K + k * C, t1 - t0, C, m.data + p * m.plane + k, K);
      each_image(work, t0, t1, [&](std::int64_t image, std::int64_t first, std::int64_t count, std::int64_t before) {
        tiles::transform_output(from(m, before), out, first, count, bias, py + image * y_image);
      });
    }
  });
}

}  // namespace

// Measured on two Zen 3 cores (AVX2), batch 128, 3x3, ms: oneDNN 2.6.3 / here.
//                        y            dx           dw
//   16 -> 16,  32x32    4.5/4.5      3.6/4.4      4.5/5.1       oneDNN
//   32 -> 32,  16x16    5.4/3.2      5.2/3.2      7.3/4.5       here, all below
//   64 -> 64,   8x8     6.0/2.7      4.6/2.6      7.4/3.6
//   64 -> 64,  32x32    171/64       159/69       259/88
//   128 -> 128, 16x16   157/78       160/76       224/80
//   256 -> 256, 8x8     185/87       153/75       241/144
//   512 -> 512, 4x4     188/92       174/108      365/103
// The vectors here have eight numbers; with AVX-512 oneDNN's have sixteen, and it keeps the work.
bool is_winograd(const Shape& x, const Shape& w, const Shape& y, const Conv2dOptions& o) {
  static const bool is_avx2 = instruction_set() == "avx2";
  constexpr std::int64_t kChannels = 32, kTiles = 256;
  return is_avx2 && can_winograd(w, o) && x[1] >= kChannels && w[0] >= kChannels && Work(y).count() >= kTiles;
}

bool can_winograd(const Shape& w, const Conv2dOptions& o) {
  return w[2] == 3 && w[3] == 3 && o.stride == Size2(1) && o.dilation == Size2(1) && o.groups == 1 &&
         o.padding.h <= 2 && o.padding.w <= 2 && w[0] % kPanel == 0 && w[1] % kPanel == 0;
}

void winograd(const Array& x, const Array& w, const Array& b, const Conv2dOptions& options, Array& y) {
  const std::int64_t K = w.shape(0), C = w.shape(1);
  const Buffer u(bytes(kPlanes * C * K));
  parallel_for(K / kPanel, std::max<std::int64_t>(1, 4096 / (C * kPanel)), [&](std::int64_t begin, std::int64_t end) {
    tiles::transform_weights(w.data<float>(), w.stride(1), w.stride(0), w.stride(2), w.stride(3), C, K, begin, end,
                             floats(u));
  });
  convolve(x, floats(u), b.defined() ? b.data<float>() : nullptr, options.padding, y);
}

void winograd_input_grad(const Array& dy, const Array& w, const Conv2dOptions& options, Array& dx) {
  // The convolution of dy with the rotated filters, channels and filters exchanged.
  const std::int64_t K = w.shape(0), C = w.shape(1);
  const Buffer u(bytes(kPlanes * C * K));
  const float* last = w.data<float>() + 2 * w.stride(2) + 2 * w.stride(3);
  parallel_for(C / kPanel, std::max<std::int64_t>(1, 4096 / (K * kPanel)), [&](std::int64_t begin, std::int64_t end) {
    tiles::transform_weights(last, w.stride(0), w.stride(1), -w.stride(2), -w.stride(3), K, C, begin, end, floats(u));
  });
  convolve(dy, floats(u), nullptr, {2 - options.padding.h, 2 - options.padding.w}, dx);
}

namespace {

/// What the sum du of a weight gradient is computed from.
struct WeightGrad {
  Work work;
  Tiling in, out;
  const float *x, *dy;
  std::int64_t C, K;

  WeightGrad(const Array& dy_images, const Array& x_images, Size2 padding)
      : work(dy_images.shape()),
        in(tiling_of(x_images, work, padding)),
        out(tiling_of(dy_images, work, 0)),
        x(x_images.data<float>()),
        dy(dy_images.data<float>()),
        C(in.C),
        K(out.C) {}

  std::int64_t panels() const { return kPlanes * (C / kPanel) * (K / kPanel); }

  /// Transforms tiles [begin, end) of x and dy to tile `to` and the following of v and m.
  void transform(std::int64_t begin, std::int64_t end, const Planes& v, const Planes& m, std::int64_t to) const {
    each_image(work, begin, end, [&](std::int64_t image, std::int64_t first, std::int64_t count, std::int64_t before) {
      tiles::transform_input(x + image * in.H * in.W * C, in, first, count, from(v, to + before));
      tiles::transform_output_grad(dy + image * out.H * out.W * K, out, first, count, from(m, to + before));
    });
  }

  /// Adds (or assigns) panel i of v' m over `count` tiles to du.
  void multiply(std::int64_t i, const Planes& v, const Planes& m, std::int64_t count, bool add, float* du) const {
    const std::int64_t c_panels = C / kPanel, k_panels = K / kPanel;
    const std::int64_t p = i / (c_panels * k_panels), c = i / k_panels % c_panels, k = i % k_panels;
    tiles::multiply_gradient_panel(v.data + p * v.plane + c * v.panel, m.data + p * m.plane + k * m.panel, count, add,
                                   du + i * kPanel * kPanel);
  }
};

/// Few channels: each thread sums its own tiles, and the sums are added in order at the end.
void sum_by_parts(const WeightGrad& g, float* du) {
  const std::int64_t numbers = g.panels() * kPanel * kPanel, tiles = g.work.count();
  const std::int64_t chunk = std::clamp<std::int64_t>(131072 / (kPlanes * (g.C + g.K)), 32, 256);
  const Parts ranges = parallel_parts(tiles, chunk);
  const int parts = ranges.number;
  const Buffer others(bytes(numbers * (parts - 1)));
  parallel_for_parts(ranges, [&](std::int64_t begin, std::int64_t end, int part) {
    const Buffer buffer(bytes(kPlanes * chunk * (g.C + g.K)));
    const Planes v{floats(buffer), chunk * g.C, chunk * kPanel, kPanel};
    const Planes m{v.data + kPlanes * v.plane, chunk * g.K, chunk * kPanel, kPanel};
    float* mine = part == 0 ? du : floats(others) + numbers * (part - 1);
    for (std::int64_t t = begin; t < end; t += chunk) {
      const std::int64_t count = std::min(chunk, end - t);
      g.transform(t, t + count, v, m, 0);
      for (std::int64_t i = 0; i < g.panels(); ++i) g.multiply(i, v, m, count, t > begin, mine);
    }
  });
  for (int part = 1; part < parts; ++part) {
    const float* other = floats(others) + numbers * (part - 1);
    for (std::int64_t i = 0; i < numbers; ++i) du[i] += other[i];
  }
}

/// Many channels: all threads transform a chunk of tiles, then share out the panels of du.
void sum_by_panels(const WeightGrad& g, float* du) {
  const std::int64_t tiles = g.work.count();
  const std::int64_t chunk = std::min(tiles, std::clamp<std::int64_t>((1 << 22) / (kPlanes * (g.C + g.K)), 256, 2048));
  const Buffer buffer(bytes(kPlanes * chunk * (g.C + g.K)));
  const Planes v{floats(buffer), chunk * g.C, chunk * kPanel, kPanel};
  const Planes m{v.data + kPlanes * v.plane, chunk * g.K, chunk * kPanel, kPanel};
  for (std::int64_t t = 0; t < tiles; t += chunk) {
    const std::int64_t count = std::min(chunk, tiles - t);
    parallel_for(count, 8, [&](std::int64_t begin, std::int64_t end) { g.transform(t + begin, t + end, v, m, begin); });
    parallel_for(g.panels(), 16, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t i = begin; i < end; ++i) g.multiply(i, v, m, count, t > 0, du);
    });
  }
}

}  // namespace

void winograd_weight_grad(const Array& dy, const Array& x, const Conv2dOptions& options, Array& dw) {
  const WeightGrad g(dy, x, options.padding);
  const Buffer sums(bytes(kPlanes * g.C * g.K));
  float* du = floats(sums);
  if (g.C * g.K <= 128 * 128)
    sum_by_parts(g, du);
  else
    sum_by_panels(g, du);
  parallel_for(g.C / kPanel, std::max<std::int64_t>(1, 4096 / (g.K * kPanel)),
               [&](std::int64_t begin, std::int64_t end) {
                 tiles::transform_weight_grad(du, g.C, g.K, begin, end, dw.data<float>());
               });
}

}  // namespace tandem::kernels
