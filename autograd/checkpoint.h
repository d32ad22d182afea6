// checkpoint(f, inputs): f's value without keeping what the backward of f needs. It is made again, by running f once
// more, when backward comes to f: half as much memory for a third more time, where f is a block of layers.
//   const Tensor y = checkpoint([&](const Tensor& in) { return block(in); }, x);
// T. Chen, B. Xu, C. Zhang, C. Guestrin 2016, "Training deep nets with sublinear memory cost", arXiv 1604.06174.
//
// The gradients have the bits that they have without it: dropout layers draw the same masks, running statistics move
// once, and the graph is the same, so that grad(), create_graph and hooks on gradients see what they always see (second
// derivatives may be summed in another order). Not here: how values are dropped and made again (checkpoint_frame.h).
#pragma once

#include <functional>
#include <optional>
#include <type_traits>
#include <utility>

#include <tandem/autograd/tensor.h>

namespace tandem {

namespace detail {
/// Runs `first`; what its ops would save is made again by `again`.
void run_checkpointed(const std::function<void()>& first, std::function<void()> again);
}  // namespace detail

/// f(inputs...), whatever f returns. f runs again in backward, so it must then give the same: its random numbers come
/// from layers, what it captures still lives, parameters are not changed in between (Error in backward), hooks of
/// modules run twice. Inside another checkpoint, and where nothing is recorded, it is f(inputs...) alone.
template <class F, class... Inputs>
std::invoke_result_t<const F&, const Inputs&...> checkpoint(F f, const Inputs&... inputs) {
  std::optional<std::invoke_result_t<const F&, const Inputs&...>> result;
  detail::run_checkpointed([&] { result.emplace(std::as_const(f)(inputs...)); },
                           [f, inputs...] { static_cast<void>(std::as_const(f)(inputs...)); });
  return std::move(*result);
}

}  // namespace tandem
