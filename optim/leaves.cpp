// Every leaf of Tandem, compiled for its instruction sets, and the names under which parse_rule knows them.
// Adding a leaf: a header like adam.h, and two lines here.
#include <tandem/optim/adam.h>
#include <tandem/optim/adamw.h>
#include <tandem/optim/momentum.h>
#include <tandem/optim/register.h>
#include <tandem/optim/sgd.h>

namespace tandem {

Rule adam(const AdamOptions& options) { return leaf<Adam>(options); }
Rule adamw(const AdamwOptions& options) { return leaf<Adamw>(options); }
Rule momentum(const MomentumOptions& options) { return leaf<Momentum>(options); }
Rule sgd(const SgdOptions& options) { return leaf<Sgd>(options); }

void detail::register_leaves() {
  register_leaf<Adam>();
  register_leaf<Adamw>();
  register_leaf<Momentum>();
  register_leaf<Sgd>();
}

}  // namespace tandem
