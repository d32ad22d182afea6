// Leaves that are formulas for one scalar without Adam's two moments, compiled for their instruction sets, and the
// names under which parse_rule knows them. Others: leaves_adam.cpp, leaves_tensor.cpp. Adding a leaf: a header like
// momentum.h, and two lines here.
#include <tandem/optim/adadelta.h>
#include <tandem/optim/adagrad.h>
#include <tandem/optim/engine/register.h>
#include <tandem/optim/lion.h>
#include <tandem/optim/madgrad.h>
#include <tandem/optim/momentum.h>
#include <tandem/optim/qhm.h>
#include <tandem/optim/rmsprop.h>
#include <tandem/optim/rprop.h>
#include <tandem/optim/sgd.h>
#include <tandem/optim/sign_sgd.h>
#include <tandem/optim/signum.h>

namespace tandem {

Rule adadelta(const AdadeltaOptions& options) { return leaf<Adadelta>(options); }
Rule adagrad(const AdagradOptions& options) { return leaf<Adagrad>(options); }
Rule lion(const LionOptions& options) { return leaf<Lion>(options); }
Rule madgrad(const MadgradOptions& options) { return leaf<Madgrad>(options); }
Rule momentum(const MomentumOptions& options) { return leaf<Momentum>(options); }
Rule qhm(const QhmOptions& options) { return leaf<Qhm>(options); }
Rule rmsprop(const RmspropOptions& options) { return leaf<Rmsprop>(options); }
Rule rprop(const RpropOptions& options) { return leaf<Rprop>(options); }
Rule sgd(const SgdOptions& options) { return leaf<Sgd>(options); }
Rule sign_sgd(const SignSgdOptions& options) { return leaf<SignSgd>(options); }
Rule signum(const SignumOptions& options) { return leaf<Signum>(options); }

void detail::register_leaves() {
  register_leaf<Adadelta>();
  register_leaf<Adagrad>();
  register_leaf<Lion>();
  register_leaf<Madgrad>();
  register_leaf<Momentum>();
  register_leaf<Qhm>();
  register_leaf<Rmsprop>();
  register_leaf<Rprop>();
  register_leaf<Sgd>();
  register_leaf<SignSgd>();
  register_leaf<Signum>();
}

}  // namespace tandem
