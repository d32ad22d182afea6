// quickstart: the training loop of the README, whole and runnable: a small network learns the pictures that come with
// Tandem, by Adam with Lookahead round it. Read next: cifar/cifar.cpp, the same loop where optimizers are compared.
#include <cstdio>

#include <tandem/tandem.h>

using namespace tandem;

int main() {
  const TrainTest set = synthetic({.train = 8000, .test = 2000});
  Loader train(set.train, {.transform = standard_augmentation(set.train)});
  Loader test(set.test, {.shuffle = false, .transform = normalize(set.train.statistics)});

  nn::Sequential model;
  for (const auto& [in, out] : {std::pair{3, 32}, {32, 64}, {64, 128}}) {
    model.add(nn::layer<nn::Conv2d>({.in = in, .out = out, .kernel = 3, .padding = 1}));
    model.add(nn::layer<nn::BatchNorm2d>({.channels = out}));
    model.add(nn::layer<nn::ReLU>());
    model.add(nn::layer<nn::MaxPool2d>({.kernel = 2}));
  }
  model.add(nn::layer<nn::Flatten>());
  model.add(nn::layer<nn::Linear>({.in = 128 * 4 * 4, .out = 10}));
  Optimizer optimizer(model.parameters(), lookahead(adam({.lr = 2e-3}), {.k = 5, .alpha = 0.5}));

  for (int epoch = 1; epoch <= 5; ++epoch) {
    model.train();
    for (const auto& batch : train) {
      optimizer.step([&] {
        const Tensor loss = cross_entropy(model(batch.images), batch.labels);
        loss.backward();
        return loss;
      });
    }
    const auto slow = optimizer.evaluation_weights();  // slow weights until the end of the scope
    std::printf("epoch %d: test accuracy %.3f\n", epoch, nn::accuracy(model, test));
  }
}
