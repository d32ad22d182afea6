// The lists of free pieces of a thread. See pooled.h. AddressSanitizer sees every piece: under it none is kept.
#include <tandem/core/pooled.h>

#include <array>
#include <cstdint>

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define TANDEM_SEES_PIECES 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__)
#define TANDEM_SEES_PIECES 1
#endif

namespace tandem::detail {

namespace {

#ifdef TANDEM_SEES_PIECES
constexpr bool kKeepsPieces = false;
#else
constexpr bool kKeepsPieces = true;
#endif
constexpr std::size_t kStep = 64;              // sizes are rounded up to it
constexpr std::size_t kLists = 32;             // larger pieces are the system's
constexpr std::size_t kMostKept = 256 * 1024;  // bytes in a list

struct Piece {
  Piece* next;
};

struct List {
  Piece* first = nullptr;
  std::size_t kept = 0;  // bytes
};

/// closed: the thread ends, and what is freed from now on is the system's.
enum class State : std::uint8_t { fresh, open, closed };

// Trivial to destroy, so that objects which outlive the thread's other variables may still be freed.
struct Lists {
  std::array<List, kLists> lists;
  State state = State::fresh;
};

constinit thread_local Lists own;

struct Closer {
  ~Closer() {
    own.state = State::closed;
    for (List& list : own.lists) {
      while (list.first != nullptr) {
        Piece* piece = list.first;
        list.first = piece->next;
        ::operator delete(piece);
      }
    }
  }
};

bool is_open() {
  if (own.state == State::fresh) {
    static thread_local Closer closer;
    static_cast<void>(closer);
    own.state = State::open;
  }
  return own.state == State::open;
}

}  // namespace

void* allocate_piece(std::size_t bytes) {
  const std::size_t index = (bytes + kStep - 1) / kStep;
  if (!kKeepsPieces || index >= kLists) return ::operator new(bytes);
  List& list = own.lists[index];
  Piece* piece = list.first;
  if (piece == nullptr) return ::operator new(index* kStep);
  list.first = piece->next;
  list.kept -= index * kStep;
  return piece;
}

void free_piece(void* bytes_of_piece, std::size_t bytes) noexcept {
  const std::size_t index = (bytes + kStep - 1) / kStep;
  if (!kKeepsPieces || index >= kLists) return ::operator delete(bytes_of_piece);
  List& list = own.lists[index];
  if (list.kept >= kMostKept || !is_open()) return ::operator delete(bytes_of_piece);
  list.first = new (bytes_of_piece) Piece{list.first};
  list.kept += index * kStep;
}

}  // namespace tandem::detail
