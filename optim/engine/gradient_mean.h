// GradientMean: the gradients of all workers become their mean before a step, which is then the step of one process
// with the whole batch. The gradient arena is summed in pieces: the matrices from their end, where backward begins,
// then the vectors, which it fills up to its end:
//
//   | conv1.weight | conv2.weight | ... | fc.weight | bn1.weight ... |
//   |    piece 2   |      piece 1       |  piece 0  |     piece 3    |    each begun when its last gradient is there
//
// and all pieces before it are begun, so that every worker begins them in one order. Private to optim/
// (optimizer_impl.cpp). Loops over workers do without: worker_mean.h.
#pragma once

#include <memory>
#include <vector>

#include <tandem/autograd/arrivals.h>
#include <tandem/core/workers/workers.h>
#include <tandem/optim/engine/group.h>

namespace tandem {

class GradientMean {
 public:
  /// Of the groups whose rule has no loop over workers.
  GradientMean(std::shared_ptr<Workers> workers, const std::vector<std::unique_ptr<RunningGroup>>& groups);

  ~GradientMean();
  GradientMean(const GradientMean&) = delete;
  GradientMean& operator=(const GradientMean&) = delete;

  bool is_empty() const { return pieces_.empty(); }
  /// A gradient is complete: begins the pieces that now are. Throws Error when it has been begun already.
  void arrived(const TensorState* leaf);
  /// Waits for what is begun; what it gave is not used.
  void forget();
  /// Begins what is left, waits, and divides. A gradient that arrived on some workers is zero on the others.
  void finish();

 private:
  struct Piece {
    Arena* arena;
    std::int64_t begin, end;        // elements
    std::size_t first_slot, slots;  // of the arena
    std::size_t missing = 0;        // gradients of this step that are not complete
    std::uint64_t sum = 0;
  };
  void cut(Arena& arena);
  void cut(Arena& arena, std::size_t from, std::size_t to);
  void begin_piece(Piece& piece);
  void rewind();

  std::shared_ptr<Workers> workers_;
  std::vector<Piece> pieces_;
  std::size_t begun_ = 0;                      // pieces, from the first
  std::vector<std::vector<double>> arrivals_;  // of each arena's slots: how many workers have a gradient
  std::vector<Arena*> arenas_;
  std::vector<std::pair<const TensorState*, std::size_t>> piece_of_;  // sorted by the first
  std::vector<char> is_complete_;                                     // of piece_of_
};

}  // namespace tandem
