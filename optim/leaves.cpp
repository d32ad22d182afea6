// Every leaf of Tandem, compiled for its instruction sets, and the names under which parse_rule knows them.
// Adding a leaf: a header like adam.h, and two lines here.
#include <tandem/optim/adabelief.h>
#include <tandem/optim/adadelta.h>
#include <tandem/optim/adagrad.h>
#include <tandem/optim/adam.h>
#include <tandem/optim/adamax.h>
#include <tandem/optim/adamw.h>
#include <tandem/optim/adan.h>
#include <tandem/optim/ademamix.h>
#include <tandem/optim/adopt.h>
#include <tandem/optim/amsgrad.h>
#include <tandem/optim/engine/register.h>
#include <tandem/optim/lamb.h>
#include <tandem/optim/lars.h>
#include <tandem/optim/lion.h>
#include <tandem/optim/madgrad.h>
#include <tandem/optim/momentum.h>
#include <tandem/optim/nadam.h>
#include <tandem/optim/qhadam.h>
#include <tandem/optim/qhm.h>
#include <tandem/optim/radam.h>
#include <tandem/optim/rmsprop.h>
#include <tandem/optim/rprop.h>
#include <tandem/optim/sgd.h>
#include <tandem/optim/sign_sgd.h>
#include <tandem/optim/signum.h>
#include <tandem/optim/yogi.h>

namespace tandem {

Rule adabelief(const AdabeliefOptions& options) { return leaf<Adabelief>(options); }
Rule adadelta(const AdadeltaOptions& options) { return leaf<Adadelta>(options); }
Rule adagrad(const AdagradOptions& options) { return leaf<Adagrad>(options); }
Rule adam(const AdamOptions& options) { return leaf<Adam>(options); }
Rule adamax(const AdamaxOptions& options) { return leaf<Adamax>(options); }
Rule adamw(const AdamwOptions& options) { return leaf<Adamw>(options); }
Rule adan(const AdanOptions& options) { return leaf<Adan>(options); }
Rule ademamix(const AdemamixOptions& options) { return leaf<Ademamix>(options); }
Rule adopt(const AdoptOptions& options) { return leaf<Adopt>(options); }
Rule amsgrad(const AmsgradOptions& options) { return leaf<Amsgrad>(options); }
Rule lamb(const LambOptions& options) { return leaf<Lamb>(options); }
Rule lars(const LarsOptions& options) { return leaf<Lars>(options); }
Rule lion(const LionOptions& options) { return leaf<Lion>(options); }
Rule madgrad(const MadgradOptions& options) { return leaf<Madgrad>(options); }
Rule momentum(const MomentumOptions& options) { return leaf<Momentum>(options); }
Rule nadam(const NadamOptions& options) { return leaf<Nadam>(options); }
Rule qhadam(const QhadamOptions& options) { return leaf<Qhadam>(options); }
Rule qhm(const QhmOptions& options) { return leaf<Qhm>(options); }
Rule radam(const RadamOptions& options) { return leaf<Radam>(options); }
Rule rmsprop(const RmspropOptions& options) { return leaf<Rmsprop>(options); }
Rule rprop(const RpropOptions& options) { return leaf<Rprop>(options); }
Rule sgd(const SgdOptions& options) { return leaf<Sgd>(options); }
Rule sign_sgd(const SignSgdOptions& options) { return leaf<SignSgd>(options); }
Rule signum(const SignumOptions& options) { return leaf<Signum>(options); }
Rule yogi(const YogiOptions& options) { return leaf<Yogi>(options); }

void detail::register_leaves() {
  register_leaf<Adabelief>();
  register_leaf<Adadelta>();
  register_leaf<Adagrad>();
  register_leaf<Adam>();
  register_leaf<Adamax>();
  register_leaf<Adamw>();
  register_leaf<Adan>();
  register_leaf<Ademamix>();
  register_leaf<Adopt>();
  register_leaf<Amsgrad>();
  register_leaf<Lamb>();
  register_leaf<Lars>();
  register_leaf<Lion>();
  register_leaf<Madgrad>();
  register_leaf<Momentum>();
  register_leaf<Nadam>();
  register_leaf<Qhadam>();
  register_leaf<Qhm>();
  register_leaf<Radam>();
  register_leaf<Rmsprop>();
  register_leaf<Rprop>();
  register_leaf<Sgd>();
  register_leaf<SignSgd>();
  register_leaf<Signum>();
  register_leaf<Yogi>();
}

}  // namespace tandem
