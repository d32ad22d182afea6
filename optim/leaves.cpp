// Every leaf of Tandem, compiled for its instruction sets, and the names under which parse_rule knows them.
// Adding a leaf: a header like adam.h, and two lines here.
#include <tandem/optim/adadelta.h>
#include <tandem/optim/adagrad.h>
#include <tandem/optim/adam.h>
#include <tandem/optim/adamw.h>
#include <tandem/optim/amsgrad.h>
#include <tandem/optim/engine/register.h>
#include <tandem/optim/lamb.h>
#include <tandem/optim/lars.h>
#include <tandem/optim/lion.h>
#include <tandem/optim/momentum.h>
#include <tandem/optim/nadam.h>
#include <tandem/optim/radam.h>
#include <tandem/optim/rmsprop.h>
#include <tandem/optim/sgd.h>

namespace tandem {

Rule adadelta(const AdadeltaOptions& options) { return leaf<Adadelta>(options); }
Rule adagrad(const AdagradOptions& options) { return leaf<Adagrad>(options); }
Rule adam(const AdamOptions& options) { return leaf<Adam>(options); }
Rule adamw(const AdamwOptions& options) { return leaf<Adamw>(options); }
Rule amsgrad(const AmsgradOptions& options) { return leaf<Amsgrad>(options); }
Rule lamb(const LambOptions& options) { return leaf<Lamb>(options); }
Rule lars(const LarsOptions& options) { return leaf<Lars>(options); }
Rule lion(const LionOptions& options) { return leaf<Lion>(options); }
Rule momentum(const MomentumOptions& options) { return leaf<Momentum>(options); }
Rule nadam(const NadamOptions& options) { return leaf<Nadam>(options); }
Rule radam(const RadamOptions& options) { return leaf<Radam>(options); }
Rule rmsprop(const RmspropOptions& options) { return leaf<Rmsprop>(options); }
Rule sgd(const SgdOptions& options) { return leaf<Sgd>(options); }

void detail::register_leaves() {
  register_leaf<Adadelta>();
  register_leaf<Adagrad>();
  register_leaf<Adam>();
  register_leaf<Adamw>();
  register_leaf<Amsgrad>();
  register_leaf<Lamb>();
  register_leaf<Lars>();
  register_leaf<Lion>();
  register_leaf<Momentum>();
  register_leaf<Nadam>();
  register_leaf<Radam>();
  register_leaf<Rmsprop>();
  register_leaf<Sgd>();
}

}  // namespace tandem
