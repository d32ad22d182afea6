// Instruments: what a training looks like from inside at one step, for any rule: the gradient and its noise, the
// curvature, and where the step ends on its line. The quantities are those of Cockpit (Schneider, Dangel and Hennig
// 2021, arXiv 2102.06604), measured from parts of the batch where Cockpit has single examples.
//
//   Instruments instruments(optimizer);
//   const InstrumentReport report = instruments.measure(parts, [&] { optimizer.step(); });
//   std::printf("alpha %g, noise scale %g\n", report.alpha, report.whole.noise_scale);
//
// Weights, gradients, random states and running statistics are afterwards what they would be without it, bit for bit.
// Not here: the arithmetic of curvature.h, histogram.h, step_quality.h; a file of reports (examples/train).
#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include <tandem/autograd/evaluations.h>
#include <tandem/autograd/named_tensor.h>
#include <tandem/optim/study/curvature.h>
#include <tandem/optim/study/histogram.h>

namespace tandem {

class Optimizer;

/// A part of a batch: `loss` computes the mean loss over its examples from the weights as they are, recording. It is
/// called again after the step, with the same dropout masks, and must then give the same function of the weights.
struct BatchPart {
  std::function<Tensor()> loss;
  std::int64_t examples = 1;
};

struct InstrumentOptions {
  bool curvature = true;      ///< eigenvalue, trace and TIC, which need second derivatives
  int curvature_parts = 0;    ///< of the first so many parts alone, since products cost most; 0: of all
  LanczosOptions lanczos{};   ///< at most 20 products, tolerance 0.01
  TraceOptions trace{};       ///< 4 products; equal probes in every measurement, so that steps can be compared
  double snr_epsilon = 1e-5;  ///< added to the variance of an element's gradient
  double tic_damping = 1e-3;  ///< added to the size of an element's curvature
};

/// Of all parameters together, or of one. NaN: not measured. g_j: an element of the batch's gradient; s_j: the variance
/// of the gradient of one example, estimated from P parts of b_p examples: sum_p b_p (g_pj - g_j)^2 / (P - 1). With
/// batch norm an example's gradient depends on its part, and s is that of examples among those.
struct InstrumentValues {
  static constexpr double kNotMeasured = std::numeric_limits<double>::quiet_NaN();

  double distance = kNotMeasured;       ///< |w - w_0|, w_0: the weights when the Instruments were made
  double update_size = kNotMeasured;    ///< |w' - w| of the step
  double gradient_norm = kNotMeasured;  ///< |g|
  double variance = kNotMeasured;       ///< sum_j s_j: tr(Sigma), Sigma the covariance of one example's gradient
  /// tr(Sigma) / |G|^2, |G|^2 = |g|^2 - tr(Sigma) / n: the "simple" noise scale, in examples, of McCandlish et al. 2018
  /// (arXiv 1812.06162, eq. 2.9, appendix A.1). Infinite where the noise leaves nothing of |G|^2.
  double noise_scale = kNotMeasured;
  double signal_to_noise = kNotMeasured;  ///< of the batch's gradient: n / noise_scale
  /// mean_j g_j^2 / (s_j + epsilon) (Liu et al. 2020, arXiv 2001.07384); of normal noise (P - 1) / (P - 3) too large.
  double mean_gsnr = kNotMeasured;
  double trace = kNotMeasured;        ///< of the Hessian, or of the parameter's own block of it
  double trace_error = kNotMeasured;  ///< its standard error; of all parameters together alone
  /// Takeuchi's information criterion tr(C / H) of second moments C_jj = s_j + g_j^2 (Thomas et al. 2020, arXiv
  /// 1906.07774): tic_trace is tr(C) / tr(H); tic_diagonal sum_j C_jj / (|h_j| + damping), h_j the estimate of H_jj
  /// from the trace's probes, which is noisy where H is far from diagonal.
  double tic_trace = kNotMeasured, tic_diagonal = kNotMeasured;
  Histogram gradients;            ///< of the elements of every part's gradient
  Histogram2d gradients_weights;  ///< x: elements of the batch's gradient; y: of the weights before the step

  /// The numbers with their names, in the order above.
  std::vector<std::pair<const char*, double>> scalars() const;
};

struct InstrumentReport {
  double loss = 0;                                     ///< of the batch before the step
  double loss_after = InstrumentValues::kNotMeasured;  ///< of the same batch after it
  double alpha = InstrumentValues::kNotMeasured;       ///< step_quality.h: -1 no step, 0 to the minimum, 1 mirrored
  Eigenvalue sharpness{InstrumentValues::kNotMeasured, InstrumentValues::kNotMeasured, 0, false};  ///< of the Hessian
  std::int64_t examples = 0;
  int parts = 0;
  std::int64_t curvature_examples = 0;  ///< in the parts that sharpness, trace and TIC are of
  InstrumentValues whole;
  std::vector<std::pair<std::string, InstrumentValues>> parameters;  ///< by name

  /// Numbers of the whole: loss ... sharpness, then those of InstrumentValues.
  std::vector<std::pair<const char*, double>> scalars() const;
};

class Instruments {
 public:
  /// Of the parameters that the optimizer trains. Distances are from their values now.
  explicit Instruments(const Optimizer& optimizer, const InstrumentOptions& options = {});
  /// Throws Error when one of them asks for no gradient, or there are none.
  explicit Instruments(const NamedTensors& parameters, const InstrumentOptions& options = {});

  /// Everything that is known without a step: no update size, no alpha. One part: no noise. Throws Error when there is
  /// no part, one has no example, or its loss is not a recorded scalar.
  InstrumentReport measure(const std::vector<BatchPart>& parts);
  /// The same, and what `step` did; it is called once, and makes one update of the weights in whatever way.
  InstrumentReport measure(const std::vector<BatchPart>& parts, const std::function<void()>& step);

  /// measure(parts, step) in two halves, for loops in which a closure does not fit. The parts are kept in between.
  void before_step(const std::vector<BatchPart>& parts);
  InstrumentReport after_step();
  bool is_between() const { return !parts_.empty(); }

 private:
  struct Look;
  Look look(bool with_curvature) const;
  void forget();

  NamedTensors parameters_;
  InstrumentOptions options_;
  std::vector<Array> initial_;
  std::vector<BatchPart> parts_;
  // Between before_step() and after_step():
  InstrumentReport report_;
  Evaluations::States states_;  // random states before the step, for the same masks after it
  std::vector<Array> weights_;
  std::vector<std::vector<Array>> gradients_;  // of each part
  std::vector<double> losses_;
};

}  // namespace tandem
