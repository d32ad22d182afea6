"""Run folders with known content: a sweep of Lookahead over lr and alpha beside momentum, three seeds. Not a test itself.

The cell lr=0.5, alpha=0.8 diverged with every seed, lr=0.5, alpha=0.5 with two of three. The values are formulas of the
step, the seed and the arguments, with noise from a generator with a seed.   fake_runs.py FOLDER writes one to look at.
"""
import json
import math
import random
import struct
import sys
import zlib
from pathlib import Path

LRS, ALPHAS, SEEDS, K = ["0.02", "0.1", "0.5"], ["0.2", "0.5", "0.8"], [0, 1, 2], 5
STEPS_PER_EPOCH = 100
METRICS = ["train_loss", "test_loss", "test_accuracy"]


def png(width, height, colour):
    """A PNG of stripes in a colour."""
    rows = b"".join(b"\0" + bytes(v for x in range(width) for v in [c * (1 + (x // 4 + y // 4) % 3) // 3 for c in colour])
                    for y in range(height))
    chunk = lambda kind, data: struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def number(value):
    return value if math.isfinite(value) else "nan" if math.isnan(value) else "inf" if value > 0 else "-inf"


def accuracy_at(lr, alpha, seed, part):
    """Test accuracy after a part of the run, without noise; alpha None: momentum alone."""
    best = 0.9 - 0.05 * abs(math.log10(lr / 0.1)) + (0.02 - 0.06 * (alpha - 0.5) ** 2 if alpha is not None else 0)
    pace = 3.5 + 2 * (alpha or 1) * lr ** 0.3
    return (best + 0.004 * (seed - 1)) * (1 - math.exp(-pace * part)) + 0.1 * math.exp(-pace * part)


def diverges_at(lr, alpha, seed):
    if lr == 0.5 and alpha == 0.8:
        return 17 + seed
    return 60 + 10 * seed if lr == 0.5 and alpha == 0.5 and seed > 0 else None


def csv_text(header, rows):
    cell = lambda v: "" if v is None else v if isinstance(v, str) else f"{v:.6g}" if isinstance(v, float) else str(v)
    return "\n".join([",".join(header)] + [",".join(map(cell, row)) for row in rows]) + "\n"


def write_run(folder, run, lr, alpha, seed, steps):
    noise = random.Random(f"{lr} {alpha} {seed}")
    end = diverges_at(lr, alpha, seed)
    metrics, record, inner, offset = [], [], [], noise.gauss(0, 0.003)
    for step in range(1, (end or steps) + 1):
        part, in_cycle = step / steps, (step - 1) % K + 1
        decay = math.exp(-4 * part)
        loss = 0.25 + 2.1 * decay + 0.02 * in_cycle + noise.gauss(0, 0.08 * (0.3 + decay))
        if end is not None:
            loss = 2.3 * math.exp(0.06 * step) if step < end else math.nan
        distance = None if alpha is None else lr * (0.4 + decay) * math.sqrt(in_cycle) * (1 + noise.gauss(0, 0.05))
        synced = int(alpha is not None and in_cycle == K)
        record.append([step, loss, lr * (0.5 + 0.5 * math.cos(math.pi * part)), 1.5 * decay + 0.3 + noise.gauss(0, 0.05),
                       lr * (decay + 0.2), distance, alpha if synced else None, synced])
        if step % 20 == 0 and step < (end or steps + 1):
            accuracy = accuracy_at(lr, alpha, seed, part) + offset + (1 - part) * noise.gauss(0, 0.01)
            metrics.append([step, step / STEPS_PER_EPOCH, 2.3 - 2.2 * accuracy, 2.4 - 2.2 * accuracy, accuracy])
        if alpha is not None and lr == 0.1 and alpha == 0.5 and seed == 0 and step <= 60:
            accuracy = accuracy_at(lr, alpha, seed, part)
            inner.append([step, "fast", 2.4 - 2.2 * accuracy + 0.01 * in_cycle, accuracy - 0.01 * in_cycle])
            if synced:
                inner.append([step, "slow", 2.4 - 2.2 * accuracy, accuracy])
    path = folder / run
    (path / "pictures").mkdir(parents=True)
    final = dict(zip(METRICS, metrics[-1][2:])) if metrics else {}
    result = {"status": "finished" if end is None else "diverged", "step": end or steps, "epochs": (end or steps) / STEPS_PER_EPOCH,
              "seconds": (end or steps) * 0.02, "examples_per_second": 3200.0, "final": final, "best": final,
              "pictures": [{"figure": "samples", "row": "", "caption": "", "file": "samples.png"}] if seed == 0 else []}
    if end is not None:
        result["diverged"] = {"step": end, "reason": 'train_loss is nan: layer "conv1" Conv2d(3 -> 16) is the first whose output is not finite'}
    (path / "run.json").write_text(json.dumps(result))
    (path / "metrics.csv").write_text(csv_text(["step", "epoch", *METRICS], metrics))
    (path / "steps.csv").write_text(csv_text(["step", "loss", "lr", "gradient_norm", "update_norm", "distance", "alpha", "synced"], record))
    if lr != 0.5:
        (path / "instruments.jsonl").write_text("".join(json.dumps(line) + "\n" for line in instrument_lines(steps, lr)))
    if inner:
        (path / "inner.csv").write_text(csv_text(["step", "weights", "test_loss", "test_accuracy"], inner))
    (path / "pictures/samples.png").write_bytes(png(320, 32, (90, 140, 200) if alpha is None else (200, 140, 90)))


INSTRUMENTS = ["loss", "loss_after", "alpha", "sharpness", "sharpness_residual", "distance", "update_size", "gradient_norm", "variance",
               "noise_scale", "signal_to_noise", "mean_gsnr", "trace", "trace_error", "tic_trace", "tic_diagonal"]
PARAMETERS = ["conv1.weight", "bn1.weight", "fc.weight", "fc.bias"]
MIDDLE, BINS = 20, 41


def edge(bin):
    """The edge of a bin nearer to 0, as its name."""
    side = abs(bin - MIDDLE)
    return "0" if side == 0 else f"{(-1 if bin < MIDDLE else 1) * 10 ** (-8 + (side - 1) / 2):.2g}"


def instrument_values(step, steps, lr, parameter=0):
    """What every instrument is at a step: formulas, so that the page can be compared with them."""
    part = step / steps
    values = {"loss": 2.5 * math.exp(-part), "loss_after": 2.4 * math.exp(-part), "alpha": lr * 10 * part - 0.8, "sharpness": 4 + 20 * part,
              "sharpness_residual": 0.01, "distance": 3 * math.sqrt(part), "update_size": lr * (1 - part / 2), "gradient_norm": 1.5 - part,
              "variance": 40 * (1 - part / 2), "noise_scale": 30 + 2000 * part, "signal_to_noise": 128 / (30 + 2000 * part),
              "mean_gsnr": 0.05 * (1 - part / 2), "trace": 300 - 100 * part, "trace_error": 5.0, "tic_trace": 0.2 + part, "tic_diagonal": 500.0}
    return {name: value * (1 + parameter / 10) for name, value in values.items()}


def instrument_lines(steps, lr, every=20):
    yield {"tandem": "instruments 1", "bins": [edge(b) for b in range(BINS)], "parameters": PARAMETERS}
    for step in range(1, steps + 1, every):
        shift = round(4 * step / steps)
        bells = lambda size: [[MIDDLE + s * (b - shift), round(size * math.exp(-((b - 11) / 3) ** 2))] for b in range(shift + 1, 20) for s in (-1, 1)]
        columns = [instrument_values(step, steps, lr, p) for p in range(len(PARAMETERS))]
        yield {"step": step, "examples": 128, "parts": 8, "whole": instrument_values(step, steps, lr),
               "gradients": [[b, n] for b, n in sorted(bells(4000)) if n],
               "gradients_weights": [[x, y, 1 + (x * y) % 7] for x in range(8, 33, 2) for y in range(6, 35, 4)],
               "by_parameter": {name: [c[name] for c in columns] for name in INSTRUMENTS[5:] if name != "trace_error"},
               "gradients_by_parameter": [[[b, n] for b, n in sorted(bells(100 * (p + 1))) if n] for p in range(len(PARAMETERS))]}


def write_folder(folder, steps=400, **options):
    folder = Path(folder)
    runs = []
    for alpha in [None, *ALPHAS]:
        for lr in LRS:
            label = f"momentum lr={lr}" if alpha is None else f"lookahead lr={lr} alpha={alpha}"
            inner = f"momentum(lr={lr}, momentum=0.9)"
            arguments = {"rule": "momentum", "lr": lr, "momentum": "0.9"}
            if alpha is not None:
                arguments = {"rule": "lookahead(momentum)", "k": str(K), "alpha": alpha, "lr": lr, "momentum": "0.9"}
            for seed in SEEDS:
                name = f"{label.replace(' ', '-')}-seed{seed}"
                runs.append({"name": name, "label": label, "seed": seed, "arguments": arguments,
                             "optimizer": inner if alpha is None else f"lookahead({inner}, k={K}, alpha={alpha})"})
                write_run(folder, name, float(lr), alpha and float(alpha), seed, steps)
    manifest = {
        "tandem": "run folder 1", "program": "cifar", "command": "cifar --model resnet20 --epochs 4 --out 'runs/a & b</script>'",
        "experiment": {"dataset": "cifar10", "data": "cifar10: 50,000 training and 10,000 test images 3x32x32 in 10 classes",
                       "data_checksum": "9a0364b9e99bb480", "model": "resnet20", "parameters": 272474,
                       "metric": "test_accuracy", "metrics": METRICS},
        "options": {"schedule": "cosine(warmup=0.1)", "batch": "128", "epochs": "4", "precision": "f32", **options},
        "threads": 2, "machine": "Intel Xeon, avx512", "software": "tandem 0.2.0, oneDNN 2.6.3",
        "steps_per_epoch": STEPS_PER_EPOCH, "total_steps": steps, "created": "2026-11-26T22:00:00Z", "runs": runs,
        "sweep": [{"name": "lr", "values": LRS}, {"name": "alpha", "values": ALPHAS}]}
    (folder / "manifest.json").write_text(json.dumps(manifest))
    (folder / "pictures").mkdir()
    (folder / "pictures/input.png").write_bytes(png(320, 32, (150, 150, 150)))
    (folder / "pictures.json").write_text(json.dumps(
        [{"figure": "samples", "row": "input", "caption": "Test images and what the models make of them.", "file": "input.png"}]))
    return folder


if __name__ == "__main__":
    write_folder(sys.argv[1])
