// Adam and its kin, compiled for their instruction sets, and the names under which parse_rule knows them. See
// leaves.cpp.
#include <tandem/optim/adabelief.h>
#include <tandem/optim/adam.h>
#include <tandem/optim/adamax.h>
#include <tandem/optim/adamw.h>
#include <tandem/optim/adan.h>
#include <tandem/optim/ademamix.h>
#include <tandem/optim/adopt.h>
#include <tandem/optim/amsgrad.h>
#include <tandem/optim/engine/register.h>
#include <tandem/optim/nadam.h>
#include <tandem/optim/qhadam.h>
#include <tandem/optim/radam.h>
#include <tandem/optim/yogi.h>

namespace tandem {

Rule adabelief(const AdabeliefOptions& options) { return leaf<Adabelief>(options); }
Rule adam(const AdamOptions& options) { return leaf<Adam>(options); }
Rule adamax(const AdamaxOptions& options) { return leaf<Adamax>(options); }
Rule adamw(const AdamwOptions& options) { return leaf<Adamw>(options); }
Rule adan(const AdanOptions& options) { return leaf<Adan>(options); }
Rule ademamix(const AdemamixOptions& options) { return leaf<Ademamix>(options); }
Rule adopt(const AdoptOptions& options) { return leaf<Adopt>(options); }
Rule amsgrad(const AmsgradOptions& options) { return leaf<Amsgrad>(options); }
Rule nadam(const NadamOptions& options) { return leaf<Nadam>(options); }
Rule qhadam(const QhadamOptions& options) { return leaf<Qhadam>(options); }
Rule radam(const RadamOptions& options) { return leaf<Radam>(options); }
Rule yogi(const YogiOptions& options) { return leaf<Yogi>(options); }

void detail::register_adam_leaves() {
  register_leaf<Adabelief>();
  register_leaf<Adam>();
  register_leaf<Adamax>();
  register_leaf<Adamw>();
  register_leaf<Adan>();
  register_leaf<Ademamix>();
  register_leaf<Adopt>();
  register_leaf<Amsgrad>();
  register_leaf<Nadam>();
  register_leaf<Qhadam>();
  register_leaf<Radam>();
  register_leaf<Yogi>();
}

}  // namespace tandem
