// Where parse_rule gets Tandem's own rules from: called once, at its first use. Private to optim/.
#pragma once

namespace tandem::detail {

void register_leaves();         // leaves.cpp
void register_adam_leaves();    // leaves_adam.cpp
void register_tensor_leaves();  // leaves_tensor.cpp
void register_lookahead();
void register_lookaround();
void register_outer_loop();
void register_clips();
void register_averages();
void register_accumulate();
void register_agc();
void register_apply_if_finite();
void register_asgd();
void register_cautious();
void register_centralize();
void register_clip_update();
void register_lbfgs();
void register_noise();
void register_polyak_sgd();
void register_projections();
void register_sam();
void register_schedule_free();
void register_sophia();

}  // namespace tandem::detail
