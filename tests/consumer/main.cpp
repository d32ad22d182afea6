// Uses the installed package as its users do: fits y = 2 x - 1 with Lookahead round momentum.
#include <cmath>
#include <iostream>

#include <tandem/tandem.h>

using namespace tandem;

int main() {
  nn::Linear model({.in = 1, .out = 1});
  Optimizer optimizer(model.parameters(), lookahead(momentum({.lr = 0.05, .momentum = 0.9}), {.k = 5, .alpha = 0.5}));
  const Tensor x({-1, 0, 1, 2}, {4, 1}), y({-3, -1, 1, 3}, {4, 1});
  for (int step = 0; step < 500; ++step) {
    const Tensor loss = mse_loss(model(x), y);
    optimizer.zero_grad();
    loss.backward();
    optimizer.step();
  }
  const double weight = model.weight.item(), bias = model.bias.item();
  std::cout << "y = " << weight << " x + " << bias << "\n";
  return std::abs(weight - 2) < 1e-3 && std::abs(bias + 1) < 1e-3 ? 0 : 1;
}
