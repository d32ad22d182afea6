#!/usr/bin/env python3
"""Writes what PyTorch and NumPy make of element types: promotions, mixed arithmetic, and a state dict of many dtypes.

Run with PyTorch 2.6 in any folder: python3 make_type_golden.py OUTPUT_DIR.

    promotions.tsv            lines "a rank b rank result" (torch.result_type) and "a rank number result"
    mixed.safetensors         ADD/A/B and DIVIDE/A/B: a + b and a / b of [1, 2, 3, 0] as A and [2, 1, 4, 5] as B
    conversions.safetensors   f32 numbers "x", and x as f16 and bf16
    state_dict.safetensors    weights in f16 and bf16, an i32 index, a bool mask, an i8 and an f32
    state_dict.npz            the same without bf16, by numpy.savez

i16, which Tandem has not, is written as "i32": PyTorch's result of u8 with i8.
"""
import json
import struct
import sys
from pathlib import Path

import numpy as np
import torch

TYPES = {"f32": torch.float32, "bf16": torch.bfloat16, "f64": torch.float64, "i64": torch.int64, "u8": torch.uint8,
         "f16": torch.float16, "i32": torch.int32, "i8": torch.int8, "bool": torch.bool}
NAMES = {torch.int16: "i32"} | {dtype: name for name, dtype in TYPES.items()}
FORMAT = {name: name.upper() for name in TYPES}


def save(path, tensors, metadata=None):
    header, blobs, position = {}, [], 0
    if metadata:
        header["__metadata__"] = metadata
    for name, tensor in tensors.items():
        if tensor.dtype == torch.int16:
            tensor = tensor.to(torch.int32)
        blob = tensor.contiguous().reshape(-1).view(torch.uint8).numpy().tobytes()
        header[name] = {"dtype": FORMAT[NAMES[tensor.dtype]], "shape": list(tensor.shape),
                        "data_offsets": [position, position + len(blob)]}
        blobs.append(blob)
        position += len(blob)
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    Path(path).write_bytes(struct.pack("<Q", len(text)) + text + b"".join(blobs))


def promotions():
    lines = []
    for a, type_a in TYPES.items():
        for rank_a in (0, 1):
            x = torch.ones([1] * rank_a, dtype=type_a)
            for b, type_b in TYPES.items():
                for rank_b in (0, 1):
                    y = torch.ones([1] * rank_b, dtype=type_b)
                    lines.append(f"{a} {rank_a} {b} {rank_b} {NAMES[torch.result_type(x, y)]}")
            lines += [f"{a} {rank_a} {number} {NAMES[torch.result_type(x, number)]}" for number in (2, 0.5)]
    return "\n".join(lines) + "\n"


def mixed():
    tensors = {}
    for a, type_a in TYPES.items():
        for b, type_b in TYPES.items():
            x = torch.tensor([1, 2, 3, 0], dtype=torch.int64).to(type_a)
            y = torch.tensor([2, 1, 4, 5], dtype=torch.int64).to(type_b)
            tensors[f"add/{a}/{b}"] = x + y
            tensors[f"divide/{a}/{b}"] = x / y
    return tensors


def conversions():
    torch.manual_seed(1)
    special = torch.tensor([0.0, -0.0, 1e-8, 2.0**-24, 2.0**-25, 3 * 2.0**-25, 6.1e-5, 65504, 65519.99, 65520, 1e6, -1e6,
                            float("inf"), float("-inf"), 1.00048828125, 1.00146484375])
    x = torch.cat([special, torch.randn(200), torch.randn(200) * 1e-5, torch.randn(100) * 3e4])
    return {"x": x, "f16": x.half(), "bf16": x.bfloat16()}


def state_dict():
    torch.manual_seed(2)
    return {"encoder.weight": torch.randn(4, 3).half(), "encoder.bias": torch.randn(4).bfloat16(),
            "decoder.weight": torch.randn(3, 4), "position": torch.tensor([2, 0, 1], dtype=torch.int32),
            "mask": torch.tensor([[True, False, True], [False, True, True]]),
            "quantised": torch.tensor([-128, 0, 127], dtype=torch.int8)}


def main():
    folder = Path(sys.argv[1])
    (folder / "promotions.tsv").write_text(promotions())
    save(folder / "mixed.safetensors", mixed())
    save(folder / "conversions.safetensors", conversions())
    state = state_dict()
    save(folder / "state_dict.safetensors", state, {"format": "pt"})
    np.savez(folder / "state_dict.npz", **{k: v.numpy() for k, v in state.items() if v.dtype != torch.bfloat16})


main()
