// Leaves that see more than one scalar (norms, numbers of a tensor or of the group, whole tensors), compiled for their
// instruction sets, and the names under which parse_rule knows them. See leaves.cpp.
#include <tandem/optim/adafactor.h>
#include <tandem/optim/engine/register.h>
#include <tandem/optim/lamb.h>
#include <tandem/optim/lars.h>
#include <tandem/optim/muon.h>
#include <tandem/optim/novograd.h>
#include <tandem/optim/prodigy.h>
#include <tandem/optim/shampoo.h>
#include <tandem/optim/sm3.h>
#include <tandem/optim/soap.h>

namespace tandem {

Rule adafactor(const AdafactorOptions& options) { return leaf<Adafactor>(options); }
Rule lamb(const LambOptions& options) { return leaf<Lamb>(options); }
Rule lars(const LarsOptions& options) { return leaf<Lars>(options); }
Rule muon(const MuonOptions& options) { return leaf<Muon>(options); }
Rule novograd(const NovogradOptions& options) { return leaf<Novograd>(options); }
Rule prodigy(const ProdigyOptions& options) { return leaf<Prodigy>(options); }
Rule shampoo(const ShampooOptions& options) { return leaf<Shampoo>(options); }
Rule sm3(const Sm3Options& options) { return leaf<Sm3>(options); }
Rule soap(const SoapOptions& options) { return leaf<Soap>(options); }

void detail::register_tensor_leaves() {
  register_leaf<Adafactor>();
  register_leaf<Lamb>();
  register_leaf<Lars>();
  register_leaf<Muon>();
  register_leaf<Novograd>();
  register_leaf<Prodigy>();
  register_leaf<Shampoo>();
  register_leaf<Sm3>();
  register_leaf<Soap>();
}

}  // namespace tandem
