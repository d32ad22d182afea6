// Pieces of the gradient arena, begun as backward fills them. See gradient_mean.h.
#include <tandem/optim/engine/gradient_mean.h>

#include <algorithm>

#include <fmt/format.h>

#include <tandem/core/error.h>

namespace tandem {
namespace {

// About eight pieces a model, none so small that its latency costs more than its bytes.
constexpr std::int64_t kPieces = 8, kLeastBytes = 64 << 10, kMostBytes = 8 << 20;

template <class T>
void divide(T* x, std::int64_t n, int by) {
  const auto divisor = static_cast<T>(by);
  for_blocks<T>(n, [&](std::int64_t begin, std::int64_t end, T*) {
    for (std::int64_t i = begin; i < end; ++i) x[i] /= divisor;
  });
}

}  // namespace

GradientMean::GradientMean(std::shared_ptr<Workers> workers, const std::vector<std::unique_ptr<RunningGroup>>& groups)
    : workers_(std::move(workers)) {
  for (const auto& group : groups)
    if (!group->is_over_workers()) cut(group->arena);
  std::sort(piece_of_.begin(), piece_of_.end());
  is_complete_.resize(piece_of_.size());
  rewind();
}

/// What is begun writes into the arena: without an end of the step the others are left.
GradientMean::~GradientMean() {
  if (begun_ > 0) workers_->give_up();
}

void GradientMean::cut(Arena& arena) {
  const std::vector<Slot>& slots = arena.slots();
  arenas_.push_back(&arena);
  arrivals_.emplace_back(slots.size());
  const auto vectors = std::find_if(slots.begin(), slots.end(), [](const Slot& s) { return s.tensor.rank() < 2; });
  const auto matrices = static_cast<std::size_t>(vectors - slots.begin());
  cut(arena, 0, matrices);
  cut(arena, matrices, slots.size());
}

/// Slots [from, to), the last ones first.
void GradientMean::cut(Arena& arena, std::size_t from, std::size_t to) {
  const std::vector<Slot>& slots = arena.slots();
  const auto element = static_cast<std::int64_t>(size_of(arena.frame().dtype));
  const std::int64_t wanted = std::clamp(arena.frame().size * element / kPieces, kLeastBytes, kMostBytes) / element;
  for (std::size_t end = to; end > from;) {
    std::size_t first = end - 1;
    while (first > from && slots[end - 1].padded_end - slots[first].begin < wanted) --first;
    for (std::size_t s = first; s < end; ++s) piece_of_.emplace_back(slots[s].tensor.state(), pieces_.size());
    pieces_.push_back({&arena, slots[first].begin, slots[end - 1].padded_end, first, end - first});
    end = first;
  }
}

void GradientMean::rewind() {
  begun_ = 0;
  for (Piece& piece : pieces_) piece.missing = piece.slots;
  std::fill(is_complete_.begin(), is_complete_.end(), char{0});
}

void GradientMean::arrived(const TensorState* leaf) {
  const auto place = std::lower_bound(piece_of_.begin(), piece_of_.end(), std::pair{leaf, std::size_t{0}});
  if (place == piece_of_.end() || place->first != leaf) return;
  char& is_complete = is_complete_[static_cast<std::size_t>(place - piece_of_.begin())];
  Piece& piece = pieces_[place->second];
  if (is_complete != 0) {
    const std::vector<Slot>& slots = piece.arena->slots();
    const auto slot = std::find_if(slots.begin(), slots.end(), [&](const Slot& s) { return s.tensor.state() == leaf; });
    fail("optimizer", fmt::format("the gradient of \"{}\" comes after its mean was begun", slot->name), {},
         "open overlap() round the last backward of a step alone");
  }
  is_complete = 1;
  --piece.missing;
  while (begun_ < pieces_.size() && pieces_[begun_].missing == 0) begin_piece(pieces_[begun_]);
}

void GradientMean::begin_piece(Piece& piece) {
  const DType dtype = piece.arena->frame().dtype;
  std::byte* const begin =
      static_cast<std::byte*>(piece.arena->gradients<void>()) + piece.begin * static_cast<std::int64_t>(size_of(dtype));
  piece.sum = workers_->begin_sum(begin, piece.end - piece.begin, dtype, Workers::Channel::pieces);
  ++begun_;
}

void GradientMean::forget() {
  for (std::size_t i = 0; i < begun_; ++i) workers_->wait(pieces_[i].sum);
  rewind();
}

void GradientMean::finish() {
  if (begun_ < pieces_.size())
    for (Arena* arena : arenas_) arena->fill_missing_gradients();
  while (begun_ < pieces_.size()) begin_piece(pieces_[begun_]);
  std::vector<std::uint64_t> sums;
  for (std::size_t a = 0; a < arenas_.size(); ++a) {
    const std::vector<Slot>& slots = arenas_[a]->slots();
    for (std::size_t s = 0; s < slots.size(); ++s) arrivals_[a][s] = slots[s].tensor.state()->grad_arrived ? 1 : 0;
    sums.push_back(workers_->begin_sum(arrivals_[a].data(), static_cast<std::int64_t>(slots.size()), DType::f64,
                                       Workers::Channel::words));
  }
  for (const Piece& piece : pieces_) workers_->wait(piece.sum);
  for (std::size_t a = 0; a < arenas_.size(); ++a) {
    Arena& arena = *arenas_[a];
    workers_->wait(sums[a]);
    for (std::size_t s = 0; s < arena.slots().size(); ++s)
      arena.slots()[s].tensor.state()->grad_arrived = arrivals_[a][s] > 0;
    if (arena.frame().dtype == DType::f64) {
      divide(arena.gradients<double>(), arena.frame().size, workers_->size());
    } else {
      divide(arena.gradients<float>(), arena.frame().size, workers_->size());
    }
  }
  rewind();
}

}  // namespace tandem
