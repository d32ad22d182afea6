// The stack of observers of this thread. See call_observer.h.
#include <utility>

#include <tandem/nn/call_observer.h>

namespace tandem::nn {

namespace {
thread_local ObserveCalls* innermost = nullptr;
}

ObserveCalls::ObserveCalls(CallObserver observer) : observer_(std::move(observer)), outer_(innermost) {
  innermost = this;
}

ObserveCalls::~ObserveCalls() { innermost = outer_; }

void ObserveCalls::report(Module& module, const Tensor& x, const Tensor& y) {
  for (ObserveCalls* scope = innermost; scope != nullptr; scope = scope->outer_) scope->observer_(module, x, y);
}

}  // namespace tandem::nn
