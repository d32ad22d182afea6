#!/usr/bin/env python3
"""Prints the table of step times that README.md and examples/RESULTS.md show, from the program benchmark.

    table.py [--benchmark build/bin/benchmark] [--rounds 3] [--threads 2] [--precision f32,bf16] [--only resnet20,lstm]
             [--beside FILE]

Each round runs each workload once; the least of the steps of all rounds counts, since a machine can only be too slow.
MB is the peak of the process less what it held before the model was made. FILE is a list of JSON objects {"workload",
"precision", "ratio", "torch": [{"min_ms"}]} of another framework on the same machine: two more columns.
"""
import argparse
import json
import platform
import subprocess
import sys

WORKLOADS = {  # name: what the table calls it
    "resnet18": "resnet18, 128 images 32x32",
    "resnet20": "resnet20, 128 images 32x32",
    "autoencoder": "convolutional autoencoder, 128 images 32x32",
    "lstm": "LSTM 2 x 650, 20 texts of 35 words",
    "transformer": "transformer, 4 layers of 256, 16 texts of 128 words",
    "lenet": "LeNet, 64 images 28x28",
    "mlp_784": "784-256-128-10, batch 64",
    "mlp": "2-16-1, batch 4, replayed",
    "optimizer_momentum": "momentum alone, 11.2 million weights",
    "optimizer_adam": "Adam alone",
    "optimizer_lookahead_adam": "Lookahead round Adam, k = 5, mean of its cycle",
}


def run(command):
    """The JSON line of a program; None where it refuses its arguments."""
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode == 2:
        return None
    if done.returncode != 0:
        sys.exit(f"{' '.join(command)}: exit {done.returncode}: {done.stderr.strip()}")
    return json.loads(done.stdout.strip().splitlines()[-1])


def shown(milliseconds):
    if milliseconds is None:
        return ""
    return f"{milliseconds:.0f}" if milliseconds >= 100 else f"{milliseconds:.3g}"


def processor():
    flags, model = "", platform.processor()
    with open("/proc/cpuinfo") as file:
        for line in file:
            if line.startswith("model name"):
                model = line.split(":", 1)[1].strip()
            if line.startswith("flags"):
                flags = line
    named = [("amx_bf16", "AMX"), ("avx512_bf16", "AVX512_BF16"), ("avx512f", "AVX-512"), ("avx2", "AVX2")]
    return f"{model}, {', '.join(name for flag, name in named if flag in flags.split())}"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--benchmark", default="build/bin/benchmark")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--steps", type=int, default=7)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--precision", default="f32,bf16")
    parser.add_argument("--only", default=",".join(WORKLOADS))
    parser.add_argument("--beside")
    options = parser.parse_args()
    names, precisions = options.only.split(","), options.precision.split(",")
    beside = {}
    if options.beside:
        with open(options.beside) as file:
            beside = {(row["workload"], row["precision"]): row for row in json.load(file)}

    found = {}
    for _ in range(options.rounds):
        for name in names:
            for precision in precisions:
                line = run([options.benchmark, name, "--precision", precision, "--threads", str(options.threads),
                            "--steps", str(options.steps)])
                if line:
                    found.setdefault((name, precision), []).append(line)
    precisions = [p for p in precisions if any(key[1] == p for key in found)]
    if not precisions:
        sys.exit("table.py: benchmark knows none of these precisions")

    head = ["workload"]
    for precision in precisions:
        head += [f"{precision} ms", f"{precision} MB"]
        if beside:
            head += [f"PyTorch {precision}", "ratio"]
    print(f"{processor()}; {options.threads} threads; the least of {options.rounds} rounds of {options.steps} steps.\n")
    print("| " + " | ".join(head) + " |")
    print("|" + "---|" * len(head))
    for name in names:
        row = [WORKLOADS.get(name, name)]
        for precision in precisions:
            lines = found.get((name, precision), [])
            row += [shown(min((line["min_ms"] for line in lines), default=None)),
                    str(max(line["peak_rss_mb"] - line["baseline_rss_mb"] for line in lines)) if lines else ""]
            if beside:
                other = beside.get((name, precision))
                row += [shown(min(line["min_ms"] for line in other["torch"])), f"{other['ratio']:.2f}"] if other else ["", ""]
        print("| " + " | ".join(row) + " |")
    taken = max(line["processors_of_others"] for lines in found.values() for line in lines)
    if taken > 0.1:
        print(f"\nNot quiet: other processes had up to {taken:.1f} processors meanwhile.")


if __name__ == "__main__":
    main()
