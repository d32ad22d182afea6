"""Writes curvature.safetensors: the gradient, Hessian-vector products, the largest eigenvalue and the trace of the
Hessian of a small network's loss, by PyTorch (torch.autograd.functional.hvp and hessian), in double.

    python3 make_curvature_golden.py [OUT]

x [6, 3] -> linear(3, 4) -> tanh -> linear(4, 3) -> cross entropy, mean over 6 examples; weights and data by the formula
of numbers(), which the test has too. The eigenvalues are of PyTorch's whole matrix.
"""
import sys

import torch
from make_golden import save

torch.set_default_dtype(torch.float64)


def numbers(first, *shape):
    """sin(1.7 (first + i)), which the test computes alike."""
    count = int(torch.tensor(shape).prod())
    return torch.sin(1.7 * (first + torch.arange(count, dtype=torch.float64))).reshape(shape)


def loss_of(w1, b1, w2, b2, x, labels):
    return torch.nn.functional.cross_entropy(torch.tanh(x @ w1.T + b1) @ w2.T + b2, labels)


SHAPES = [(4, 3), (4,), (3, 4), (3,)]
PARAMETERS = tuple(numbers(100 * i, *shape) for i, shape in enumerate(SHAPES))
X, LABELS = numbers(1000, 6, 3), torch.tensor([0, 2, 1, 1, 0, 2])


def loss(*parameters):
    return loss_of(*parameters, X, LABELS)


def main():
    vector = tuple(numbers(500 + 100 * i, *shape) for i, shape in enumerate(SHAPES))
    out = {f"product.{i}": p for i, p in enumerate(torch.autograd.functional.hvp(loss, PARAMETERS, vector)[1])}
    blocks = torch.autograd.functional.hessian(loss, PARAMETERS)
    sizes = [p.numel() for p in PARAMETERS]
    matrix = torch.cat([torch.cat([blocks[i][j].reshape(sizes[i], sizes[j]) for j in range(4)], 1) for i in range(4)])
    values = torch.linalg.eigvalsh(matrix)
    out["largest"], out["smallest"] = values[-1:].clone(), values[:1].clone()
    out["trace"] = matrix.trace().reshape(1)
    out["diagonal"] = matrix.diagonal().clone()
    leaves = [p.clone().requires_grad_() for p in PARAMETERS]
    halves = [loss_of(*leaves, X[part], LABELS[part]) for part in (slice(0, 2), slice(2, 6))]
    gradients = [torch.cat([g.flatten() for g in torch.autograd.grad(half, leaves)]) for half in halves]
    out["gradients"] = torch.stack(gradients)
    singles = torch.stack([torch.cat([g.flatten() for g in torch.autograd.grad(loss_of(*leaves, X[i:i + 1], LABELS[i:i + 1]), leaves)])
                           for i in range(6)])
    out["variance"] = singles.var(0).sum().reshape(1)  # of single examples, unbiased
    out["mean_gsnr"] = (singles.mean(0) ** 2 / (singles.var(0) + 1e-5)).mean().reshape(1)
    save(sys.argv[1] if len(sys.argv) > 1 else "curvature.safetensors", out)


main()
