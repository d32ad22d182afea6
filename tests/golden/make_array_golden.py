#!/usr/bin/env python3
"""Writes the golden values of autograd/array_ops.h, in the form of make_golden.py: python3 make_array_golden.py OUTPUT_DIR.

Run with PyTorch 2.6, beside make_golden.py. Results of comparisons are written as i64.
"""
import sys
from pathlib import Path

import torch
import torch.nn.functional as F

from make_golden import OPS, case, integers, normal, of, save


def truth(y):
    return y.to(torch.int64)


def main():
    x, pair = of(normal, 2, 3, 4), [of(normal, 3, 4), of(normal, 4)]
    case("to.f16", lambda v: v.half().to(v.dtype), x)
    case("to.bf16", lambda v: v.bfloat16().to(v.dtype), x)
    for name in ("equal", "not_equal", "greater", "greater_equal", "less", "less_equal"):
        op = getattr(torch, {"equal": "eq", "not_equal": "ne"}.get(name, name))
        case(name, lambda a, b, op=op: truth(op(a, b)), aux=pair)
        case(f"{name}.number", lambda a, op=op: truth(op(a, 2)), aux=[integers(4, 3, 4)])
    case("sign", torch.sign, x)
    case("reciprocal", torch.reciprocal, x, second=True)
    case("min.all", torch.amin, x)
    case("min.dims", lambda v: torch.amin(v, (0, 2), keepdim=True), x)
    case("argmin", lambda v: torch.argmin(v, 1), aux=[x])
    case("one_hot", lambda i: F.one_hot(i, 5).double(), aux=[integers(5, 7)])
    case("select", lambda v: v.select(1, -1), x)
    case("squeeze", lambda v: v.squeeze(1), of(normal, 3, 1, 2))
    case("unsqueeze", lambda v: v.unsqueeze(-2), x)
    case("contiguous", lambda v: v.transpose(0, 2).contiguous(), x)
    case("index.ranges", lambda v: v[1:, :, -1], x)
    case("index.steps", lambda v: v[:, 0:3:2, 1:-1], x)
    save(Path(sys.argv[1]) / "array_ops.safetensors", OPS)


main()
