// Group normalisation (Wu & He 2018, eq. 1-7): each image by itself, its channels in G groups of C / G neighbours.
//   mean_g, var_g (biased) over the channels of the group and all places;
//   y = (x - mean_g) / sqrt(var_g + epsilon) * w_c + b_c
// f64 runs through reference/group_norm.h. Not here: normalisation over a batch (batch_norm.h).
#pragma once

#include <tandem/core/array.h>

namespace tandem::kernels {

struct GroupNormForward {
  Array y;
  Array mean;               ///< [N, G]; f32 for x of bf16 or f16
  Array inverse_deviation;  ///< [N, G], 1 / sqrt(var + epsilon); of the same dtype
};

/// x [N, C, ...], w, b [C], which may be f32 beside x of bf16 or f16; images come out channels-last. Throws Error when
/// groups does not divide C.
GroupNormForward group_norm(const Array& x, std::int64_t groups, const Array& w, const Array& b, double epsilon);

struct GroupNormGrads {
  Array dx, dw, db;
};

/// With h = dy w, M values in a group and xhat = (x - mean) inv:
///   dw = sum dy xhat;  db = sum dy;  dx = inv (h - mean_g(h) - xhat mean_g(h xhat)).
GroupNormGrads group_norm_grad(const Array& dy, const Array& x, const Array& w, const Array& mean,
                               const Array& inverse_deviation);

}  // namespace tandem::kernels
