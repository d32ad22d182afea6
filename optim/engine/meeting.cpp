// Norms over all groups, and the loss at other weights. See meeting.h.
#include <tandem/optim/engine/meeting.h>

#include <algorithm>
#include <cassert>
#include <map>
#include <string>
#include <utility>

#include <tandem/core/error.h>

namespace tandem {

void Meeting::run(const std::vector<std::unique_ptr<RunningGroup>>& groups, const Evaluate* evaluate, double loss) {
  evaluate_ = evaluate;
  step_loss_ = loss_ = loss;
  if (seats_.size() != groups.size()) {
    seats_.clear();
    for (const auto& group : groups) seats_.emplace_back(*this, *group);
    name_sums();
  }
  for (GroupSeat& seat : seats_) seat.begin();
  for (bool again = true; again;) {
    again = false;
    bool has_progressed = false;
    for (GroupSeat& seat : seats_) {
      again = seat.look() || again;
      has_progressed = has_progressed || seat.has_progressed;
    }
    // Groups may come to their questions in different rounds, behind norms of all: the points of all belong together.
    if (again && !has_progressed) evaluate_where_asked();
  }
}

void Meeting::name_sums() {
  std::map<std::pair<std::string, int>, int> all;  // (level, which of this name in its group): id
  for (GroupSeat& seat : seats_) {
    std::map<std::string, int> seen;
    for (const char* const level : seat.group_.sums()) {
      const std::pair<std::string, int> name(level, seen[level]++);
      seat.ids.push_back(all.try_emplace(name, static_cast<int>(all.size())).first->second);
    }
  }
}

void Meeting::GroupSeat::begin() {
  parts.clear();
  is_done = has_asked = false;
}

bool Meeting::GroupSeat::look() {
  has_progressed = false;
  if (is_done || has_asked) return !is_done;
  is_done = !group_.look(*this);
  has_progressed = has_progressed || is_done;
  return !is_done;
}

void Meeting::GroupSeat::add(int key, const Squares& part) {
  assert(static_cast<std::size_t>(key) == parts.size());  // a rule's levels look from the outermost
  (void)key;
  has_progressed = true;
  parts.push_back(part);
}

const Squares* Meeting::GroupSeat::part(int id) const {
  const auto found = std::find(ids.begin(), ids.begin() + static_cast<std::ptrdiff_t>(parts.size()), id);
  const auto at = static_cast<std::size_t>(found - ids.begin());
  return at < parts.size() ? &parts[at] : nullptr;
}

bool Meeting::GroupSeat::is_complete(int key) const {
  const int id = ids[static_cast<std::size_t>(key)];
  return std::all_of(meeting_.seats_.begin(), meeting_.seats_.end(), [id](const GroupSeat& seat) {
    return seat.is_done || seat.part(id) != nullptr ||
           std::find(seat.ids.begin(), seat.ids.end(), id) == seat.ids.end();
  });
}

Squares Meeting::GroupSeat::sum(int key) const {
  Squares all;
  for (const GroupSeat& seat : meeting_.seats_) {
    if (const Squares* const part = seat.part(ids[static_cast<std::size_t>(key)])) all.add(*part);
  }
  return all;
}

void Meeting::GroupSeat::ask(void* where, std::int64_t whose) {
  if (meeting_.evaluate_ == nullptr)
    fail("optimizer", "the rule needs the loss at other weights", {}, "call step(closure)");
  has_asked = has_progressed = true;
  point = where, copy = whose;
}

void Meeting::evaluate_where_asked() {
  bool is_asked = false;
  for (const GroupSeat& seat : seats_) is_asked = is_asked || seat.has_asked;
  if (!is_asked) return;
  /// The points stand in the arenas meanwhile; an exception brings the weights and the step's gradients back too.
  struct Exchange {
    Exchange(std::vector<GroupSeat>& s, std::int64_t& c) : seats(s), copy(c) {
      for (const GroupSeat& seat : seats) copy = std::max(copy, seat.has_asked ? seat.copy : 0);
      swap();
      for (GroupSeat& seat : seats) seat.group_.keep_gradients();
    }
    ~Exchange() {
      for (GroupSeat& seat : seats) seat.group_.take_evaluated();
      swap();
      copy = 0;
    }
    void swap() const {
      for (GroupSeat& seat : seats) seat.group_.exchange(seat.has_asked ? seat.point : nullptr);
    }
    std::vector<GroupSeat>& seats;
    std::int64_t& copy;
  };
  {
    const Exchange exchange(seats_, copy_);
    loss_ = (*evaluate_)();
  }
  for (GroupSeat& seat : seats_) seat.has_asked = false, seat.point = nullptr;
}

}  // namespace tandem
