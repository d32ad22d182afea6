// A short training run of resnet20 for the tests beside it: what a step costs after warm-up (steady_state_test.py) and
// whether runs repeat (determinism_test.py).   steady_state [SEED [WORKERS [THREADS [PRECISION [EPOCHS]]]]]
//
// Trains epochs with a partial last batch, each followed by an evaluation on the slow weights. The first is the
// warm-up; then come up to EPOCHS (1) more, until one needs no more memory than all before it. What one needs differs a
// little with how far the loader is ahead, and oneDNN's sgemm takes its workspace from malloc in every call: where such
// a block finds no gap among others the heap grows by it, a few times in all. Markers before and after each let a
// tracer count what happened in between. The checksum is that of the second epoch.
#include <malloc.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>

#include <tandem/tandem.h>

using namespace tandem;

namespace {

/// `count` pictures of noise in ten classes.
Dataset noise(const std::string& name, std::int64_t count, std::uint64_t seed) {
  Generator generator(seed);
  Dataset set;
  set.name = name;
  set.images = Array::empty({count, 3, 32, 32}, DType::u8, Layout::channels_last);
  for (std::int64_t i = 0; i < set.images.size(); ++i) {
    set.images.data<std::uint8_t>()[i] = static_cast<std::uint8_t>(generator.below(256));
  }
  set.labels = Array::empty({count}, DType::i64);
  for (std::int64_t i = 0; i < count; ++i) set.labels.data<std::int64_t>()[i] = generator.below(10);
  for (int c = 0; c < 10; ++c) set.classes.push_back(std::to_string(c));
  set.statistics = channel_statistics(set.images);
  return set;
}

void train_epoch(nn::Module& model, Optimizer& optimizer, Loader& loader) {
  model.train();
  for (const auto& [images, labels] : loader) {
    const Tensor loss = cross_entropy(model(images), labels);
    optimizer.zero_grad();
    loss.backward();
    optimizer.step();
  }
}

double evaluate(nn::Module& model, Optimizer& optimizer, Loader& loader) {
  const auto slow = optimizer.evaluation_weights();
  const NoGradGuard no_grad;
  model.evaluate();
  double total = 0;
  for (const auto& [images, labels] : loader) total += cross_entropy(model(images), labels).item();
  return total;
}

/// FNV-1a over the bytes of every parameter and buffer.
std::uint64_t checksum(const nn::Module& model) {
  std::uint64_t hash = 0xcbf29ce484222325U;
  for (const NamedTensor& entry : model.state_dict()) {
    const Array plain = entry.tensor.value().contiguous();
    const auto bytes = static_cast<std::size_t>(plain.size()) * size_of(plain.dtype());
    for (std::size_t i = 0; i < bytes; ++i) {
      hash = (hash ^ static_cast<std::uint64_t>(plain.bytes()[i])) * 0x100000001b3U;
    }
  }
  return hash;
}

void mark(const char* text) {
  std::printf("== %s\n", text);
  std::fflush(stdout);
}

/// malloc gives nothing back, takes large blocks from its heap and asks for no more than it needs: growth after the
/// warm-up is then a need for more memory than ever before, not the return of a page that was trimmed.
void keep_heap() {
  mallopt(M_TRIM_THRESHOLD, 1 << 30);
  mallopt(M_MMAP_THRESHOLD, 32 << 20);
  mallopt(M_TOP_PAD, 0);
}

std::size_t heap_size() {
  const struct mallinfo2 heap = mallinfo2();
  return heap.arena + heap.hblkhd;
}

}  // namespace

int main(int argc, char** argv) {
  keep_heap();
  const std::uint64_t seed = argc > 1 ? std::strtoull(argv[1], nullptr, 10) : 0;
  const int workers = argc > 2 ? std::atoi(argv[2]) : 2;
  if (argc > 3) set_threads(std::atoi(argv[3]));
  const int epochs = argc > 5 ? std::atoi(argv[5]) : 1;
  const AutocastScope scope = autocast(argc > 4 && std::string(argv[4]) == "bf16" ? DType::bf16 : DType::f32);

  const Dataset train = noise("train", 100, 1), test = noise("test", 60, 2);
  Loader loader(train, {.batch = 32, .seed = seed, .workers = workers, .transform = standard_augmentation(train)});
  Loader test_loader(test,
                     {.batch = 40, .shuffle = false, .workers = workers, .transform = normalize(train.statistics)});
  nn::seed(seed);
  const auto model = nn::resnet20();
  Optimizer optimizer(model->parameters(),
                      lookahead(momentum({.lr = 0.05, .momentum = 0.9, .weight_decay = 5e-4}), {.k = 5, .alpha = 0.5}));

  train_epoch(*model, optimizer, loader);
  evaluate(*model, optimizer, test_loader);
  std::size_t growth = 1, allocations = 1;
  for (int epoch = 0; epoch < epochs && growth + allocations > 0; ++epoch) {
    const std::size_t heap = heap_size(), allocated = memory_stats().system_allocations;
    mark("epoch begins");
    train_epoch(*model, optimizer, loader);
    const double loss = evaluate(*model, optimizer, test_loader);
    mark("epoch ends");
    growth = heap_size() - heap;
    allocations = memory_stats().system_allocations - allocated;
    if (epoch == 0) {
      std::printf("loss: %.17g\n", loss);
      std::printf("weights: %016llx\n", static_cast<unsigned long long>(checksum(*model)));
      std::fflush(stdout);
    }
  }
  std::printf("system allocations: %zu\n", allocations);
  std::printf("heap growth: %zu\n", growth);
  return 0;
}
