// A process alone, and what is composed of sums and broadcasts.
#include <tandem/core/workers/workers.h>

#include <fmt/format.h>

#include <tandem/core/error.h>

namespace tandem {
namespace {

class OneWorker : public Workers {
 public:
  OneWorker() : Workers({}) {}
  std::uint64_t begin_sum(void*, std::int64_t, DType, Channel) override { return 0; }
  void wait(std::uint64_t) override {}
  void broadcast(void*, std::int64_t, int) override {}
  void pass(void*, std::int64_t, int, int) override {}
};

}  // namespace

std::vector<std::int64_t> Workers::gather(std::int64_t number) {
  std::vector<std::int64_t> all(static_cast<std::size_t>(size()));
  all[static_cast<std::size_t>(rank())] = number;
  wait(begin_sum(all.data(), size(), DType::i64, Channel::words));
  return all;
}

std::string Workers::broadcast(const std::string& text, int from) {
  if (size() == 1) return text;
  auto bytes = static_cast<std::int64_t>(text.size());
  broadcast(&bytes, sizeof(bytes), from);
  std::string all = rank() == from ? text : std::string(static_cast<std::size_t>(bytes), '\0');
  if (bytes > 0) broadcast(all.data(), bytes, from);
  return all;
}

void Workers::require_same(const std::string& what, const std::string& text, const std::string& remedy) {
  if (size() == 1) return;
  const std::string first = broadcast(text);
  const std::vector<std::int64_t> differs = gather(first == text ? 0 : 1);
  for (int r = 0; r < size(); ++r) {
    if (differs[static_cast<std::size_t>(r)] == 0) continue;
    const std::string other = broadcast(text, r);
    fail("workers", fmt::format("rank {} has another {} than rank 0", r, what), fmt::format("{}, not {}", other, first),
         remedy);
  }
}

std::shared_ptr<Workers> one_worker() { return std::make_shared<OneWorker>(); }

}  // namespace tandem
