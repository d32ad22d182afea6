#!/usr/bin/env python3
"""Writes optimizers.safetensors: what PyTorch's optimizers make of the same weights and gradients in a hundred steps.

Run with PyTorch 2.6: python3 make_optimizer_golden.py OUTPUT_DIR. The name of an entry is the rule as Tandem spells it;
its rows are the 24 weights (a 3 x 5 matrix, then a vector of 9) after steps 1, 10 and 100, in f64, and for asgd the averages after step 100. Weights and gradients are
noise(step, i), weights being step 0: hashes with 24 bits, so that both sides have the same numbers in f32 and f64.
"""
import sys
from pathlib import Path

import torch
from make_golden import save
from torch import optim

BITS = (1 << 64) - 1


def noise(step, i):
    """A number in [-1, 1): the upper 24 bits of a splitmix64 hash."""
    z = (step * 1000 + i + 1) * 0x9E3779B97F4A7C15 & BITS
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9 & BITS
    z = (z ^ z >> 27) * 0x94D049BB133111EB & BITS
    return ((z ^ z >> 31) >> 40) / (1 << 23) - 1


def numbers(step):
    """The tensors of a step: gradients, or the weights at step 0."""
    flat = torch.tensor([noise(step, i) for i in range(24)], dtype=torch.float64)
    return flat[:15].reshape(3, 5).clone(), flat[15:].clone()


RULES = {
    "sgd(lr=0.1)": lambda p: optim.SGD(p, lr=0.1),
    "sgd(lr=0.1, weight_decay=0.05)": lambda p: optim.SGD(p, lr=0.1, weight_decay=0.05),
    "momentum(lr=0.1, momentum=0.9, weight_decay=0.05)":
        lambda p: optim.SGD(p, lr=0.1, momentum=0.9, weight_decay=0.05),
    "momentum(lr=0.1, momentum=0.9, nesterov, weight_decay=0.05)":
        lambda p: optim.SGD(p, lr=0.1, momentum=0.9, nesterov=True, weight_decay=0.05),
    "adam(lr=0.02)": lambda p: optim.Adam(p, lr=0.02),
    "adam(lr=0.02, beta1=0.8, beta2=0.95, eps=0.001, weight_decay=0.1)":
        lambda p: optim.Adam(p, lr=0.02, betas=(0.8, 0.95), eps=1e-3, weight_decay=0.1),
    "adamw(lr=0.02, weight_decay=0.3)": lambda p: optim.AdamW(p, lr=0.02, weight_decay=0.3),
    "amsgrad(lr=0.02, beta2=0.9, weight_decay=0.1)":
        lambda p: optim.Adam(p, lr=0.02, betas=(0.9, 0.9), weight_decay=0.1, amsgrad=True),
    "amsgrad(lr=0.02, weight_decay=0.3, decoupled)":
        lambda p: optim.AdamW(p, lr=0.02, weight_decay=0.3, amsgrad=True),
    "rmsprop(lr=0.02)": lambda p: optim.RMSprop(p, lr=0.02),
    "rmsprop(lr=0.02, rho=0.9, weight_decay=0.1)":
        lambda p: optim.RMSprop(p, lr=0.02, alpha=0.9, weight_decay=0.1),
    "rmsprop(lr=0.02, momentum=0.8)": lambda p: optim.RMSprop(p, lr=0.02, momentum=0.8),
    "rmsprop(lr=0.02, rho=0.9, centered)": lambda p: optim.RMSprop(p, lr=0.02, alpha=0.9, centered=True),
    "rmsprop(lr=0.02, rho=0.9, eps=0.001, momentum=0.5, centered, weight_decay=0.1)":
        lambda p: optim.RMSprop(p, lr=0.02, alpha=0.9, eps=1e-3, momentum=0.5, centered=True, weight_decay=0.1),
    "adagrad(lr=0.1)": lambda p: optim.Adagrad(p, lr=0.1),
    "adagrad(lr=0.1, lr_decay=0.01, initial=0.5, weight_decay=0.1)":
        lambda p: optim.Adagrad(p, lr=0.1, lr_decay=0.01, initial_accumulator_value=0.5, weight_decay=0.1),
    "adadelta(lr=1)": lambda p: optim.Adadelta(p, lr=1),
    "adadelta(lr=0.5, rho=0.8, eps=0.0001, weight_decay=0.1)":
        lambda p: optim.Adadelta(p, lr=0.5, rho=0.8, eps=1e-4, weight_decay=0.1),
    "radam(lr=0.02)": lambda p: optim.RAdam(p, lr=0.02),
    "radam(lr=0.02, beta2=0.9, weight_decay=0.1)":
        lambda p: optim.RAdam(p, lr=0.02, betas=(0.9, 0.9), weight_decay=0.1),
    "radam(lr=0.02, weight_decay=0.3, decoupled)":
        lambda p: optim.RAdam(p, lr=0.02, weight_decay=0.3, decoupled_weight_decay=True),
    "nadam(lr=0.02)": lambda p: optim.NAdam(p, lr=0.02),
    "nadam(lr=0.02, momentum_decay=0.1, weight_decay=0.1)":
        lambda p: optim.NAdam(p, lr=0.02, momentum_decay=0.1, weight_decay=0.1),
    "nadam(lr=0.02, weight_decay=0.3, decoupled)":
        lambda p: optim.NAdam(p, lr=0.02, weight_decay=0.3, decoupled_weight_decay=True),
    "nadam(lr=0.02, beta1=0.9 * multistep(at=5, by=0.5))": lambda p: optim.NAdam(p, lr=0.02),
    "adamax(lr=0.02)": lambda p: optim.Adamax(p, lr=0.02),
    "adamax(lr=0.02, beta1=0.8, beta2=0.95, eps=0.001, weight_decay=0.1)":
        lambda p: optim.Adamax(p, lr=0.02, betas=(0.8, 0.95), eps=1e-3, weight_decay=0.1),
    "adafactor(lr=0.02)": lambda p: optim.Adafactor(p, lr=0.02, eps=(2**-23, 1e-3)),
    "adafactor(lr=0.3, beta2_decay=-0.5, eps1=0.001, eps2=0.1, threshold=1.5, weight_decay=0.1)":
        lambda p: optim.Adafactor(p, lr=0.3, beta2_decay=-0.5, eps=(1e-3, 0.1), d=1.5, weight_decay=0.1),
    "rprop(lr=0.02)": lambda p: optim.Rprop(p, lr=0.02),
    "rprop(lr=0.02, eta_minus=0.7, eta_plus=1.5, min_step_size=0.01, max_step_size=0.05)":
        lambda p: optim.Rprop(p, lr=0.02, etas=(0.7, 1.5), step_sizes=(0.01, 0.05)),
    "asgd(lr=0.1)": lambda p: optim.ASGD(p, lr=0.1),
    "asgd(lr=0.1, lambd=0.01, alpha=0.5, t0=20, weight_decay=0.1)":
        lambda p: optim.ASGD(p, lr=0.1, lambd=0.01, alpha=0.5, t0=20, weight_decay=0.1),
}


# What is set before a step, counted from 1.
CHANGES = {"nadam(lr=0.02, beta1=0.9 * multistep(at=5, by=0.5))": {6: {"betas": (0.45, 0.999)}}}


def trajectory(make, changes):
    parameters = [w.requires_grad_() for w in numbers(0)]
    optimizer = make(parameters)
    rows = []
    for step in range(1, 101):
        for parameter, gradient in zip(parameters, numbers(step)):
            parameter.grad = gradient
        optimizer.param_groups[0].update(changes.get(step, {}))
        optimizer.step()
        if step in (1, 10, 100):
            rows.append(torch.cat([p.detach().flatten() for p in parameters]))
    if isinstance(optimizer, optim.ASGD):
        rows.append(torch.cat([optimizer.state[p]["ax"].flatten() for p in parameters]))
    return torch.stack(rows)


def main():
    torch.set_default_dtype(torch.float64)  # NAdam keeps its product of momenta in the default dtype
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).parent)
    save(folder / "optimizers.safetensors", {rule: trajectory(make, CHANGES.get(rule, {})) for rule, make in RULES.items()})
    print(f"{len(RULES)} rules, PyTorch {torch.__version__}, in {folder}")


if __name__ == "__main__":
    main()
