// Process-wide oneDNN state. Never destroyed: Storages that die during exit still reach it through the reaper.
#include "engine.h"

#include <memory>

#include <tandem/core/storage.h>

namespace tandem::onednn {

namespace {

struct State {
  dnnl::engine engine{dnnl::engine::kind::cpu, 0};
  dnnl::stream stream{engine};
  std::mutex mutex;
  std::unique_ptr<Buffer> scratch;
};

State& state() {
  static State& instance = *new State;
  return instance;
}

}  // namespace

dnnl::engine& cpu_engine() { return state().engine; }
dnnl::stream& cpu_stream() { return state().stream; }
std::mutex& execution_mutex() { return state().mutex; }

std::byte* scratch(std::size_t bytes) {
  std::unique_ptr<Buffer>& kept = state().scratch;
  if (!kept || kept->bytes() < bytes) {
    kept.reset();  // first, so that the allocator may reuse its block
    kept = std::make_unique<Buffer>(bytes);
  }
  return kept->data();
}

void release_scratch() { state().scratch.reset(); }

}  // namespace tandem::onednn
