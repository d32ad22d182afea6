// Where parse_rule gets Tandem's own rules from: called once, at its first use. Private to optim/.
#pragma once

namespace tandem::detail {

void register_leaves();  // leaves.cpp
void register_lookahead();
void register_outer_loop();
void register_clips();
void register_averages();

}  // namespace tandem::detail
