#!/usr/bin/env python3
"""Writes image_quality.safetensors: PSNR and SSIM of pairs of images as scikit-image computes them, in f64.

Run with Debian's python3-skimage 0.19: /usr/bin/python3 make_image_quality_golden.py [OUTPUT_DIR]. The file is
committed; the tests only read it. Pairs: noise of two strengths on a smooth picture, a shifted picture, a flat grey.

    a, b          images [4, 3, 24, 40], f32 in [0, 1]          psnr, ssim    of each pair, mean over windows and channels
    gray_a, gray_b, gray_ssim   one channel, of the smallest size: one window
"""
import json
import struct
import sys
from pathlib import Path

import numpy as np
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

NAMES = {"float32": "F32", "float64": "F64"}


def save(path, arrays):
    """The safetensors format: length of the header (u64), header (JSON, padded to 8), raw little-endian data."""
    header, blobs, position = {}, [], 0
    for name, array in arrays.items():
        blob = np.ascontiguousarray(array).tobytes()
        header[name] = {"dtype": NAMES[str(array.dtype)], "shape": list(array.shape),
                        "data_offsets": [position, position + len(blob)]}
        blobs.append(blob)
        position += len(blob)
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    Path(path).write_bytes(struct.pack("<Q", len(text)) + text + b"".join(blobs))


def ssim(a, b):
    """Wang et al. 2004, for images [C, H, W]."""
    return structural_similarity(a.astype(np.float64), b.astype(np.float64), gaussian_weights=True, sigma=1.5,
                                 use_sample_covariance=False, data_range=1, channel_axis=0)


def main():
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).parent)
    random = np.random.default_rng(0)
    y, x = np.mgrid[0:24, 0:40]
    picture = np.stack([0.5 + 0.4 * np.sin(0.3 * x + 0.2 * c) * np.cos(0.25 * y) for c in range(3)])
    pairs = [(picture, np.clip(picture + random.normal(0, 0.03, picture.shape), 0, 1)),
             (picture, np.clip(picture + random.normal(0, 0.2, picture.shape), 0, 1)),
             (picture, np.roll(picture, 1, axis=2)),
             (picture, np.full_like(picture, 0.5))]
    a = np.stack([p for p, _ in pairs]).astype(np.float32)
    b = np.stack([q for _, q in pairs]).astype(np.float32)
    wide = [(p.astype(np.float64), q.astype(np.float64)) for p, q in zip(a, b)]
    gray_a, gray_b = a[1:2, :1, :11, :11], b[1:2, :1, :11, :11]
    save(folder / "image_quality.safetensors",
         {"a": a, "b": b, "psnr": np.array([peak_signal_noise_ratio(p, q, data_range=1) for p, q in wide]),
          "ssim": np.array([ssim(p, q) for p, q in wide]), "gray_a": gray_a, "gray_b": gray_b,
          "gray_ssim": np.array([ssim(gray_a[0], gray_b[0])])})


if __name__ == "__main__":
    main()
