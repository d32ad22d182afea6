// What the kernels keep between calls: primitives are made once a problem, weights are packed once a version, and
// copies go with their Storage.
#include <doctest/doctest.h>

#include <memory>

#include <tandem/core/allocator.h>
#include <tandem/core/kernels/convolution/cache_stats.h>
#include <tandem/core/kernels/convolution/conv2d.h>
#include <tandem/core/onednn/convolution.h>
#include <tests/core/random_arrays.h>

using namespace tandem;
using namespace tandem::testing;
namespace k = tandem::kernels;

namespace {

const Conv2dOptions kOptions{.stride = 2, .padding = 1};

struct Layer {
  Array w;
  Conv2dOptions options;
};

std::vector<Layer> make_layers(Generator& g) {
  return {{random_array(g, {16, 3, 3, 3}), {.padding = 1}},
          {random_array(g, {16, 16, 3, 3}), {.padding = 1}},
          {random_array(g, {32, 16, 3, 3}), {.stride = 2, .padding = 1}},
          {random_array(g, {32, 1, 3, 3}), {.padding = 1, .groups = 32}},
          {random_array(g, {64, 32, 1, 1}), {.stride = 2}}};
}

/// Forward, both backwards and an update through all layers.
void train_step(std::vector<Layer>& layers, const Array& images) {
  std::vector<Array> inputs{images};
  for (const Layer& l : layers) inputs.push_back(k::conv2d(inputs.back(), l.w, {}, l.options));
  Array dy = inputs.back().clone();
  for (std::size_t i = layers.size(); i-- > 0;) {
    Layer& l = layers[i];
    const Array dw = k::conv2d_weight_grad(dy, inputs[i], l.w.shape(), l.options);
    if (i > 0) dy = k::conv2d_input_grad(dy, l.w, inputs[i].shape(), l.options);
    for (std::int64_t j = 0; j < dw.size(); ++j) l.w.data<float>()[j] -= 1e-9F * dw.data<float>()[j];
    l.w.mark_changed();
  }
}

void evaluate(const std::vector<Layer>& layers, Array x) {
  for (const Layer& l : layers) x = k::conv2d(x, l.w, {}, l.options);
}

}  // namespace

TEST_CASE("a changed weight is packed again") {
  Generator g(1);
  const Array x = random_array(g, {2, 16, 8, 8}, Memory::channels_last);
  Array w = random_array(g, {32, 16, 3, 3});
  const Array before = k::conv2d(x, w, {}, kOptions);
  for (std::int64_t i = 0; i < w.size(); ++i) w.data<float>()[i] *= 2;
  w.mark_changed();
  const Array after = k::conv2d(x, w, {}, kOptions), same = k::conv2d(x, w.clone(), {}, kOptions);
  CHECK(identical(after, same));
  CHECK(worst_error(after, k::conv2d(x.to(DType::f64), w.to(DType::f64), {}, kOptions)) < 1e-4);
  CHECK(!identical(after, before));

  const Array dy = random_array(g, after.shape(), Memory::channels_last);
  const Array dx = k::conv2d_input_grad(dy, w, x.shape(), kOptions);
  w.fill(0);
  CHECK(identical(k::conv2d_input_grad(dy, w, x.shape(), kOptions), Array::empty_like(x).clone()) == false);
  CHECK(k::conv2d_input_grad(dy, w, x.shape(), kOptions).to_vector<float>() ==
        std::vector<float>(static_cast<std::size_t>(x.size()), 0.0F));
  CHECK(!identical(dx, k::conv2d_input_grad(dy, w, x.shape(), kOptions)));
}

TEST_CASE("an unchanged weight is packed once a layout, whatever the batch") {
  Generator g(2);
  const Array w = random_array(g, {32, 16, 3, 3});
  const Array x = random_array(g, {8, 16, 8, 8}, Memory::channels_last);
  k::conv2d(x, w, {}, kOptions);
  const auto first = k::kernel_cache_stats();
  for (int i = 0; i < 4; ++i) k::conv2d(x, w, {}, kOptions);
  CHECK(k::kernel_cache_stats() == first);
  k::conv2d(x.slice(0, 0, 5), w, {}, kOptions);
  CHECK(k::kernel_cache_stats().packings == first.packings);
}

TEST_CASE("two views of one Storage have copies of their own") {
  Generator g(3);
  const Array both = random_array(g, {64, 16, 3, 3});
  const Array x = random_array(g, {2, 16, 8, 8}, Memory::channels_last);
  const Array low = both.slice(0, 0, 32), high = both.slice(0, 32, 64);
  const Array all = k::conv2d(x, both, {}, kOptions).contiguous();
  CHECK(worst_error(k::conv2d(x, low, {}, kOptions), all.slice(1, 0, 32)) < 1e-5);
  CHECK(worst_error(k::conv2d(x, high, {}, kOptions), all.slice(1, 32, 64)) < 1e-5);
  const Array swapped = both.permute({1, 0, 2, 3});  // the same memory as [16, 64, 3, 3]
  const Array wide = random_array(g, {2, 64, 8, 8}, Memory::channels_last);
  CHECK(worst_error(k::conv2d(wide, swapped, {}, kOptions), k::conv2d(wide, swapped.contiguous(), {}, kOptions)) <
        1e-5);
}

TEST_CASE("copies follow a Storage that moves and die with it") {
  Generator g(4);
  const Array x = random_array(g, {2, 16, 8, 8}, Memory::channels_last);
  const auto before = k::kernel_cache_stats();
  {
    Array w = random_array(g, {32, 16, 3, 3});
    const Array y = k::conv2d(x, w, {}, kOptions);
    CHECK(k::kernel_cache_stats().packed_copies == before.packed_copies + 1);
    auto arena = std::make_shared<Buffer>(2 * w.storage()->bytes());
    w.storage()->move_to(arena, w.storage()->bytes());
    CHECK(identical(y, k::conv2d(x, w, {}, kOptions)));
    w.data<float>()[0] += 1;
    w.mark_changed();
    CHECK(identical(k::conv2d(x, w, {}, kOptions), k::conv2d(x, w.clone(), {}, kOptions)));
    CHECK(k::kernel_cache_stats().packed_copies == before.packed_copies + 1);
  }
  CHECK(k::kernel_cache_stats().packed_copies == before.packed_copies);
}

TEST_CASE("after warm-up steps make no primitive, no copy, and ask the system for no memory") {
  Generator g(5);
  std::vector<Layer> layers = make_layers(g);
  const Array batch = random_array(g, {32, 3, 32, 32}), rest = random_array(g, {11, 3, 32, 32});
  for (int warm_up = 0; warm_up < 2; ++warm_up) {
    train_step(layers, batch);
    train_step(layers, rest);
    evaluate(layers, batch);
    evaluate(layers, rest);
  }
  const auto stats = k::kernel_cache_stats();
  const auto memory = memory_stats();
  for (int epoch = 0; epoch < 3; ++epoch) {
    train_step(layers, batch);
    train_step(layers, rest);
    evaluate(layers, batch);
    evaluate(layers, rest);
  }
  const auto now = k::kernel_cache_stats();
  CHECK(now.primitives == stats.primitives);
  CHECK(now.primitives_created == stats.primitives_created);
  CHECK(now.packed_copies == stats.packed_copies);
  CHECK(now.packings > stats.packings);
  CHECK(memory_stats().system_allocations == memory.system_allocations);
  CHECK(memory_stats().bytes_in_use == memory.bytes_in_use);
}

TEST_CASE("dropped primitives are made again") {
  Generator g(6);
  const Array x = random_array(g, {2, 16, 8, 8}, Memory::channels_last), w = random_array(g, {32, 16, 3, 3});
  const Array y = k::conv2d(x, w, {}, kOptions);
  k::release_kernel_caches();
  CHECK(k::kernel_cache_stats().primitives == 0);
  CHECK(identical(y, k::conv2d(x, w, {}, kOptions)));
}

TEST_CASE("what oneDNN refuses is an Error each time, and leaves no entry") {
  const Array x = Array::zeros({1, 4, 8, 8}, DType::f32, Layout::channels_last), w = Array::zeros({4, 4, 3, 3});
  Array wrong = Array::zeros({1, 4, 3, 3}, DType::f32, Layout::channels_last);  // must be 6x6
  const auto entries = k::kernel_cache_stats().primitives;
  for (int again = 0; again < 2; ++again) {
    CHECK(message_of([&] { onednn::convolution(x, w, {}, {}, wrong); }).starts_with("conv2d: oneDNN failed: "));
    CHECK(message_of([&] {
            onednn::convolution_input_grad(wrong, w, {}, const_cast<Array&>(x));
          }).starts_with("conv2d_input_grad: oneDNN failed: "));
    CHECK(message_of([&] {
            Array dw = w.clone();
            onednn::convolution_weight_grad(wrong, x, {}, dw);
          }).starts_with("conv2d_weight_grad: oneDNN failed: "));
  }
  CHECK(k::kernel_cache_stats().primitives == entries);
}
