// The six tasks: a noisy quadratic, a table, pictures of 16x16, pictures of 32x32, characters, an autoencoder. A
// training of one takes a few tenths of a second, so that fifty rules can be tuned on each. Not here: the loop
// (trial.h).
#pragma once

#include <vector>

#include "task.h"

namespace tandem::study {

/// L(theta) = 1/2 sum_i a_i theta_i^2, a_i from 0.01 to 1 on a logarithmic scale, 100 of them; gradients of one draw
/// c ~ N(0, 1) a step, a_i (theta_i - c_i) (Zhang et al. 2019, section 3.1). The cost is L in closed form over its
/// value at the start, so nothing of it is sampled.
Task quadratic_task();
/// 2,000 rows of 20 numbers in five classes that a random network of two layers tells apart, a tenth of the labels
/// redrawn; a network of one hidden layer.
Task table_task();
/// The solids that come with Tandem, 16x16, and a convnet with batch norm.
Task pictures_task();
/// 4,000 pictures of CIFAR-10, or of the synthetic set where CIFAR-10 is not found, and a convnet with batch norm.
Task cifar_task();
/// tinyshakespeare, or a made text where it is not found, and an LSTM.
Task characters_task();
/// The solids through a bottleneck and back.
Task autoencoder_task();

/// All six.
std::vector<Task> all_tasks();

}  // namespace tandem::study
