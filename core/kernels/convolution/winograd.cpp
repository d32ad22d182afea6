// Winograd convolutions: chunks of tiles that fit in the L2 cache are transformed, multiplied plane by plane and
// transformed back. Loops over channels and the products are in winograd_loops.cpp.
#include <tandem/core/kernels/convolution/winograd.h>

#include <algorithm>

#include <tandem/core/kernels/convolution/scratch.h>
#include <tandem/core/threads.h>

namespace tandem::kernels {

namespace {

using tiles::kOutputs, tiles::kPanel, tiles::kPlanes, tiles::Loops, tiles::Planes, tiles::Tiling;

/// Tiles of the output images.
struct Work {
  std::int64_t images, rows, columns;

  explicit Work(const Shape& y)
      : images(y[0]), rows((y[2] + kOutputs - 1) / kOutputs), columns((y[3] + kOutputs - 1) / kOutputs) {}
  std::int64_t per_image() const { return rows * columns; }
  std::int64_t count() const { return images * per_image(); }
};

Tiling tiling_of(const Array& x, const Work& work, Size2 padding, const float* zeros) {
  return {x.shape(2), x.shape(3), x.shape(1), work.columns, padding.h, padding.w, zeros};
}

// A cache line beyond the channels, and planes an odd number of lines apart: rows and planes a power of two apart would
// share the sets of the caches.
std::int64_t row_of(std::int64_t channels) { return channels + kPanel; }
std::int64_t plane_of(std::int64_t numbers) { return (numbers / kPanel | 1) * kPanel; }

/// `rows` rows of so many channels in each plane, from `data` on.
Planes planes_at(float* data, std::int64_t rows, std::int64_t channels) {
  return {data, plane_of(rows * row_of(channels) + kPanel), row_of(channels)};
}

std::int64_t numbers_of(std::int64_t rows, std::int64_t channels) {
  return kPlanes * planes_at(nullptr, rows, channels).plane;
}

/// The planes from tile `tile` on.
Planes from(const Planes& p, std::int64_t tile) { return {p.data + tile * p.row, p.plane, p.row}; }

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

/// The tiles of a chunk: about `wanted`, in as many chunks for each thread.
std::int64_t even_chunk(std::int64_t count, std::int64_t wanted) {
  const std::int64_t team = threads(), chunks = ((count + wanted - 1) / wanted + team - 1) / team * team;
  return (count + chunks - 1) / chunks;
}

/// y = the convolution of x with weights u[36][K / 16][C][16], stride 1, with this padding, and the epilogue.
void convolve(const Array& x, const float* u, const tiles::Epilogue& epilogue, Size2 padding, Array& y,
              const Loops& loops) {
  const Work work(y.shape());
  const std::int64_t C = x.shape(1), K = y.shape(1), u_plane = plane_of(C * K);
  const std::int64_t chunk =
      even_chunk(work.count(), std::clamp<std::int64_t>((1 << 18) / (kPlanes * (C + K)) / 12 * 12, 48, 192));
  const Buffer nothing(bytes(C));
  std::fill_n(floats(nothing), C, 0.0F);
  const Tiling in = tiling_of(x, work, padding, floats(nothing)), out = tiling_of(y, work, 0, nullptr);
  const std::int64_t x_image = in.H * in.W * C, y_image = out.H * out.W * K;
  const float* px = x.data<float>();
  float* py = y.data<float>();
  parallel_for((work.count() + chunk - 1) / chunk, 1, [&](std::int64_t begin, std::int64_t end) {
    const Buffer buffer(bytes(numbers_of(chunk, C) + numbers_of(chunk, K)));
    const Planes v = planes_at(floats(buffer), chunk, C), m = planes_at(v.data + kPlanes * v.plane, chunk, K);
    for (std::int64_t i = begin; i < end; ++i) {
      const std::int64_t t0 = i * chunk, t1 = std::min(t0 + chunk, work.count());
      each_image(work, t0, t1, [&](std::int64_t image, std::int64_t first, std::int64_t count, std::int64_t before) {
        loops.transform_input(px + image * x_image, in, first, count, from(v, before));
      });
      for (std::int64_t p = 0; p < kPlanes; ++p)
        loops.multiply(v.data + p * v.plane, v.row, u + p * u_plane, t1 - t0, C, K, m.data + p * m.plane, m.row);
      each_image(work, t0, t1, [&](std::int64_t image, std::int64_t first, std::int64_t count, std::int64_t before) {
        loops.transform_output(from(m, before), out, first, count, epilogue, py + image * y_image);
      });
    }
  });
}

/// G w G' in memory of its own.
class Transformed {
 public:
  Transformed(const tiles::Filters& w, const Loops& loops) : buffer_(bytes(kPlanes * plane_of(w.C * w.K))) {
    float* u = data();
    parallel_for(
        w.K / kPanel, std::max<std::int64_t>(1, 2048 / (w.C * kPanel)),
        [&](std::int64_t begin, std::int64_t end) { loops.transform_weights(w, begin, end, u, plane_of(w.C * w.K)); });
  }

  float* data() const { return floats(buffer_); }

 private:
  Buffer buffer_;
};

}  // namespace

bool can_winograd(const Shape& w, const Conv2dOptions& o) {
  return w[2] == 3 && w[3] == 3 && o.stride == Size2(1) && o.dilation == Size2(1) && o.groups == 1 &&
         o.padding.h <= 2 && o.padding.w <= 2 && w[0] % kPanel == 0 && w[1] % kPanel == 0;
}

void winograd(const Array& x, const Array& w, const Array& b, const Conv2dOptions& options, double slope, Array& y,
              const Loops& loops) {
  const Transformed u({w.data<float>(), w.shape(1), w.shape(0), w.stride(1), w.stride(0), w.stride(2), w.stride(3)},
                      loops);
  convolve(x, u.data(), {b.defined() ? b.data<float>() : nullptr, static_cast<float>(slope)}, options.padding, y,
           loops);
}

void winograd_input_grad(const Array& dy, const Array& w, const Conv2dOptions& options, Array& dx, const Loops& loops) {
  // The convolution of dy with the rotated filters, channels and filters exchanged.
  const float* last = w.data<float>() + 2 * w.stride(2) + 2 * w.stride(3);
  const Transformed u({last, w.shape(0), w.shape(1), w.stride(0), w.stride(1), -w.stride(2), -w.stride(3)}, loops);
  convolve(dy, u.data(), {}, {2 - options.padding.h, 2 - options.padding.w}, dx, loops);
}

namespace {

/// What the sum du of a weight gradient is computed from.
struct WeightGrad {
  const Loops& loops;
  Work work;
  Buffer nothing;  // numbers outside of the images
  Tiling in, out;
  const float *x, *dy;
  std::int64_t C, K;

  WeightGrad(const Array& dy_images, const Array& x_images, Size2 padding, const Loops& all)
      : loops(all),
        work(dy_images.shape()),
        nothing(bytes(std::max(x_images.shape(1), dy_images.shape(1)))),
        in(tiling_of(x_images, work, padding, floats(nothing))),
        out(tiling_of(dy_images, work, 0, floats(nothing))),
        x(x_images.data<float>()),
        dy(dy_images.data<float>()),
        C(in.C),
        K(out.C) {
    std::fill_n(floats(nothing), std::max(C, K), 0.0F);
  }

  /// Transforms tiles [begin, end) of x and dy to tile `to` and the following of v and m.
  void transform(std::int64_t begin, std::int64_t end, const Planes& v, const Planes& m, std::int64_t to) const {
    each_image(work, begin, end, [&](std::int64_t image, std::int64_t first, std::int64_t count, std::int64_t before) {
      loops.transform_input(x + image * in.H * in.W * C, in, first, count, from(v, to + before));
      loops.transform_output_grad(dy + image * out.H * out.W * K, out, first, count, from(m, to + before));
    });
  }

  /// Adds (or assigns) m' v over `count` tiles to filters [begin, end) of plane p of du.
  void multiply(std::int64_t p, std::int64_t begin, std::int64_t end, const Planes& v, const Planes& m,
                std::int64_t count, bool add, const Planes& du) const {
    loops.multiply_gradient(m.data + p * m.plane, m.row, v.data + p * v.plane, v.row, count, begin, end, C, add,
                            du.data + p * du.plane, du.row);
  }
};

/// Few channels: each thread sums its own tiles, and the sums are added in order at the end.
void sum_by_parts(const WeightGrad& g, const Planes& du) {
  const std::int64_t numbers = kPlanes * du.plane, tiles = g.work.count();
  const std::int64_t chunk = even_chunk(tiles, std::clamp<std::int64_t>((1 << 18) / (kPlanes * (g.C + g.K)), 48, 192));
  const Parts ranges = parallel_parts(tiles, chunk);
  const Buffer others(bytes(numbers * (ranges.number - 1)));
  parallel_for_parts(ranges, [&](std::int64_t begin, std::int64_t end, int part) {
    const Buffer buffer(bytes(numbers_of(chunk, g.C) + numbers_of(chunk, g.K)));
    const Planes v = planes_at(floats(buffer), chunk, g.C), m = planes_at(v.data + kPlanes * v.plane, chunk, g.K);
    const Planes mine{part == 0 ? du.data : floats(others) + numbers * (part - 1), du.plane, du.row};
    for (std::int64_t t = begin; t < end; t += chunk) {
      const std::int64_t count = std::min(chunk, end - t);
      g.transform(t, t + count, v, m, 0);
      for (std::int64_t p = 0; p < kPlanes; ++p) g.multiply(p, 0, g.K, v, m, count, t > begin, mine);
    }
  });
  parallel_for(kPlanes * g.K, std::max<std::int64_t>(1, 16384 / g.C), [&](std::int64_t begin, std::int64_t end) {
    for (int part = 1; part < ranges.number; ++part)
      for (std::int64_t i = begin; i < end; ++i) {
        const std::int64_t place = i / g.K * du.plane + i % g.K * du.row;
        const float* other = floats(others) + numbers * (part - 1) + place;
        for (std::int64_t c = 0; c < g.C; ++c) du.data[place + c] += other[c];
      }
  });
}

/// Many channels: all threads transform a chunk of tiles, then share out the filters of all planes of du.
void sum_by_planes(const WeightGrad& g, const Planes& du) {
  const std::int64_t tiles = g.work.count();
  const std::int64_t chunk = std::min(tiles, std::clamp<std::int64_t>((1 << 23) / (kPlanes * (g.C + g.K)), 256, 2048));
  const Buffer buffer(bytes(numbers_of(chunk, g.C) + numbers_of(chunk, g.K)));
  const Planes v = planes_at(floats(buffer), chunk, g.C), m = planes_at(v.data + kPlanes * v.plane, chunk, g.K);
  const std::int64_t panels = g.K / kPanel;
  for (std::int64_t t = 0; t < tiles; t += chunk) {
    const std::int64_t count = std::min(chunk, tiles - t);
    parallel_for(count, 8, [&](std::int64_t begin, std::int64_t end) { g.transform(t + begin, t + end, v, m, begin); });
    parallel_for(kPlanes * panels, 1, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t i = begin; i < end;) {
        const std::int64_t p = i / panels, k = i % panels, n = std::min(panels - k, end - i);
        g.multiply(p, k * kPanel, (k + n) * kPanel, v, m, count, t > 0, du);
        i += n;
      }
    });
  }
}

}  // namespace

void winograd_weight_grad(const Array& dy, const Array& x, const Conv2dOptions& options, Array& dw,
                          const Loops& loops) {
  const WeightGrad g(dy, x, options.padding, loops);
  const Buffer sums(bytes(numbers_of(g.K, g.C)));
  const Planes du = planes_at(floats(sums), g.K, g.C);
  if (g.C * g.K <= 128 * 128)
    sum_by_parts(g, du);
  else
    sum_by_planes(g, du);
  float* to = dw.data<float>();
  parallel_for(g.K, std::max<std::int64_t>(1, 4096 / g.C),
               [&](std::int64_t begin, std::int64_t end) { loops.transform_weight_grad(du, g.C, begin, end, to); });
}

}  // namespace tandem::kernels
