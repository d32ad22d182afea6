// centralize: gradients without their means (Yong, Huang, Hua, Zhang 2020, "Gradient centralization: a new optimization
// technique for deep neural networks", equation 1). For every output unit of a parameter of rank above 1 (a row of a
// matrix, a filter of a convolution):
//
//   g <- g - mean(g over the unit's weights)
#pragma once

#include <tandem/optim/rule.h>

namespace tandem {

/// Parameters of rank 0 and 1 keep their gradients. Example: centralize(momentum({.lr = 0.1})).
Rule centralize(const Rule& inner);

}  // namespace tandem
