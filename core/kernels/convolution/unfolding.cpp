// See unfolding.h. Products are those of Winograd's algorithm and of recurrent layers; here are the copies around them.
#include <tandem/core/kernels/convolution/unfolding.h>

#include <algorithm>

#include <tandem/core/dispatch.h>
#include <tandem/core/kernels/convolution/scratch.h>
#include <tandem/core/kernels/convolution/windows.h>
#include <tandem/core/kernels/product/panels.h>
#include <tandem/core/threads.h>

namespace tandem::kernels {

namespace {

using tiles::kPanel, tiles::Loops;

constexpr std::int64_t kRows = 128;               // unfolded at a time
constexpr std::int64_t kFoldedNumbers = 1 << 14;  // of a product that is folded at a time

/// u[K / 16][depth][16] of the weights w [K, C, R, S]; numbers beyond R S C are zeros.
void pack_filters(const Array& w, std::int64_t depth, float* u) {
  const std::int64_t K = w.shape(0), C = w.shape(1), R = w.shape(2), S = w.shape(3);
  const float* from = w.data<float>();
  parallel_for(K / kPanel, std::max<std::int64_t>(1, 4096 / depth), [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t panel = begin; panel < end; ++panel) {
      const float* filters = from + panel * kPanel * w.stride(0);
      float* to = u + panel * depth * kPanel;
      for (std::int64_t c = 0; c < C; ++c)
        for (std::int64_t r = 0; r < R; ++r)
          for (std::int64_t s = 0; s < S; ++s)
            for (std::int64_t k = 0; k < kPanel; ++k)  // 16 streams of filters, whole lines of u
              to[((r * S + s) * C + c) * kPanel + k] =
                  filters[k * w.stride(0) + c * w.stride(1) + r * w.stride(2) + s * w.stride(3)];
      std::fill_n(to + R * S * C * kPanel, (depth - R * S * C) * kPanel, 0.0F);
    }
  });
}

/// to[i] += from[i] for the first `count` of 16 numbers; the others of `to` stay as they are.
TANDEM_TARGETS void add_rows(const float* from, std::int64_t rows, std::int64_t count, std::int64_t step, float* to) {
  for (std::int64_t j = 0; j < rows; ++j, from += kPanelColumns, to += step)
    for (int q = 0; q < static_cast<int>(kPanelColumns); ++q) to[q] += q < count ? from[q] : 0.0F;
}

}  // namespace

bool can_unfold(const Shape& w, const Conv2dOptions& o) { return o.groups == 1 && w[0] % kPanel == 0; }

bool can_fold(const Conv2dOptions& o) { return o.groups == 1 && o.dilation.w == 1; }

void unfolded(const Array& x, const Array& w, const Conv2dOptions& options, Array& y, const Loops& loops) {
  const Windows g(x.shape(), w.shape(), y.shape(), options);
  const std::int64_t K = w.shape(0), depth = in_panels(g.numbers()), step = row_of(depth);
  const Buffer filters(bytes(K * depth));
  pack_filters(w, depth, floats(filters));
  const float* px = x.data<float>();
  float* py = y.data<float>();
  parallel_for(g.count(), kRows, [&](std::int64_t begin, std::int64_t end) {
    const Buffer buffer(bytes(kRows * step));
    for (std::int64_t t = begin; t < end; t += kRows) {
      const std::int64_t count = std::min(kRows, end - t);
      unfold(g, px, t, count, step, floats(buffer));
      loops.multiply(floats(buffer), step, floats(filters), count, depth, K, py + t * K, K);
    }
  });
}

void unfolded_weight_grad(const Array& dy, const Array& x, const Conv2dOptions& options, Array& dw,
                          const Loops& loops) {
  const Windows g(x.shape(), dw.shape(), dy.shape(), options);
  const std::int64_t K = dw.shape(0), depth = in_panels(g.numbers()), step = row_of(depth), numbers = K * step;
  const float *px = x.data<float>(), *pdy = dy.data<float>();
  const Parts parts = parallel_parts(g.count(), kRows);
  const Buffer sums(bytes(numbers * parts.number));
  parallel_for_parts(parts, [&](std::int64_t begin, std::int64_t end, int part) {
    const Buffer buffer(bytes(kRows * (step + row_of(K))));
    float *v = floats(buffer), *m = v + kRows * step;
    for (std::int64_t t = begin; t < end; t += kRows) {
      const std::int64_t count = std::min(kRows, end - t);
      unfold(g, px, t, count, step, v);
      for (std::int64_t i = 0; i < count; ++i) std::copy_n(pdy + (t + i) * K, K, m + i * row_of(K));
      loops.multiply_gradient(m, row_of(K), v, step, count, 0, K, depth, t > begin, floats(sums) + numbers * part,
                              step);
    }
  });
  const std::int64_t places = g.R * g.S;
  float* to = dw.data<float>();
  parallel_for(K, std::max<std::int64_t>(1, 16384 / step), [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t k = begin; k < end; ++k) {
      float* sum = floats(sums) + k * step;
      for (int part = 1; part < parts.number; ++part)
        for (std::int64_t p = 0; p < step; ++p) sum[p] += sum[numbers * part + p];
      for (std::int64_t c = 0; c < g.C; ++c)
        for (std::int64_t p = 0; p < places; ++p) to[(k * g.C + c) * places + p] = sum[p * g.C + c];
    }
  });
}

void folded_input_grad(const Array& dy, const Array& w, const Conv2dOptions& options, Array& dx) {
  const Windows g(dx.shape(), w.shape(), dy.shape(), options);
  const std::int64_t K = w.shape(0), line = g.S * g.C, blocks = (line + kPanelColumns - 1) / kPanelColumns;
  const Array filters = w.permute({0, 2, 3, 1}).contiguous();  // [K, R, S C]
  const std::int64_t panel = K * kPanelColumns;
  const Buffer panels(bytes(g.R * blocks * panel));
  const auto columns_of = [&](std::int64_t block) { return std::min(kPanelColumns, line - block * kPanelColumns); };
  for (std::int64_t p = 0; p < g.R * blocks; ++p) {
    const std::int64_t first = p / blocks * line + p % blocks * kPanelColumns;
    pack_panel({filters.data<float>() + first, g.R * line, 1}, K, columns_of(p % blocks), floats(panels) + p * panel);
  }
  // The image with its padding, and a panel beyond each row.
  const std::int64_t height = std::max((g.rows - 1) * g.stride.h + (g.R - 1) * g.dilation.h + 1, g.H + g.padding.h),
                     width = std::max((g.columns - 1) * g.stride.w + g.S, g.W + g.padding.w) * g.C + kPanelColumns;
  const std::int64_t chunk = std::max<std::int64_t>(1, kFoldedNumbers / (g.columns * kPanelColumns));
  const float* pdy = dy.data<float>();
  float* pdx = dx.data<float>();
  parallel_for(g.images, 1, [&](std::int64_t begin, std::int64_t end) {
    const Buffer image(bytes(height * width)), product(bytes(chunk * g.columns * kPanelColumns));
    float* sums = floats(image);
    for (std::int64_t n = begin; n < end; ++n) {
      std::fill_n(sums, height * width, 0.0F);
      for (std::int64_t i = 0; i < g.rows; i += chunk) {
        const std::int64_t rows = std::min(chunk, g.rows - i);
        for (std::int64_t p = 0; p < g.R * blocks; ++p) {
          multiply_panel(pdy + (n * g.rows + i) * g.columns * K, K, floats(panels) + p * panel, rows * g.columns, K,
                         floats(product));
          for (std::int64_t row = 0; row < rows; ++row) {
            const std::int64_t h = (i + row) * g.stride.h + p / blocks * g.dilation.h;
            add_rows(floats(product) + row * g.columns * kPanelColumns, g.columns, columns_of(p % blocks),
                     g.stride.w * g.C, sums + h * width + p % blocks * kPanelColumns);
          }
        }
      }
      for (std::int64_t h = 0; h < g.H; ++h)
        std::copy_n(sums + (h + g.padding.h) * width + g.padding.w * g.C, g.W * g.C, pdx + (n * g.H + h) * g.W * g.C);
    }
  });
}

}  // namespace tandem::kernels
