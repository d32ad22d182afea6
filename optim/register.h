// Where parse_rule gets Tandem's own rules from: called once, at its first use. Private to optim/.
#pragma once

namespace tandem::detail {

void register_leaves();       // leaves.cpp
void register_combinators();  // combinators.cpp

}  // namespace tandem::detail
