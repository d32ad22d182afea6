#!/usr/bin/env python3
"""Writes rules.safetensors: weights after 1, 10 and 100 steps of the optimizers that PyTorch 2.6 does not have.

Run: python3 make_rule_golden.py [OUTPUT_DIR]; needs Python alone. Each rule is written from its paper, one weight at a time,
with the hats of bias correction spelled out, and never from Tandem's source. Entries, weights and gradients are as in
make_optimizer_golden.py: the name is the rule as Tandem spells it, the rows are the 24 weights.
"""
import json
import math
import struct
import sys
from pathlib import Path

BITS = (1 << 64) - 1


def noise(step, i):
    """A number in [-1, 1): the upper 24 bits of a splitmix64 hash."""
    z = (step * 1000 + i + 1) * 0x9E3779B97F4A7C15 & BITS
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9 & BITS
    z = (z ^ z >> 27) * 0x94D049BB133111EB & BITS
    return ((z ^ z >> 31) >> 40) / (1 << 23) - 1


def sign(x):
    return (x > 0) - (x < 0)


def clip(x, limit):
    return max(-limit, min(limit, x))


# A rule: given the weight, receives a gradient and gives the new weight, for ever.


def adabelief(w, lr, beta1=0.9, beta2=0.999, eps=1e-16, eps_root=1e-16, decay=0, decoupled=False):
    m = s = t = 0
    while True:
        g = yield w
        t += 1
        if decoupled:
            w -= lr * decay * w
        else:
            g += decay * w
        m = beta1 * m + (1 - beta1) * g
        s = beta2 * s + (1 - beta2) * (g - m)**2 + eps_root
        m_hat, s_hat = m / (1 - beta1**t), s / (1 - beta2**t)
        w -= lr * m_hat / (math.sqrt(s_hat) + eps)


def adan(w, lr, beta1=0.98, beta2=0.92, beta3=0.99, eps=1e-8, decay=0):
    """The paper's betas are 1 - these."""
    m = v = n = t = 0
    before = None
    while True:
        g = yield w
        t += 1
        difference = 0 if before is None else g - before
        before = g
        m = beta1 * m + (1 - beta1) * g
        v = beta2 * v + (1 - beta2) * difference
        n = beta3 * n + (1 - beta3) * (g + beta2 * difference)**2
        m_hat, v_hat, n_hat = m / (1 - beta1**t), v / (1 - beta2**t), n / (1 - beta3**t)
        w = (w - lr / (math.sqrt(n_hat) + eps) * (m_hat + beta2 * v_hat)) / (1 + lr * decay)


def ademamix(w, lr, beta1=0.9, beta2=0.999, beta3=0.9999, alpha=5, alpha_warmup=0, beta3_warmup=0, eps=1e-8, decay=0):
    m1 = m2 = v = t = 0
    while True:
        g = yield w
        t += 1
        a, b3 = alpha, beta3
        if t < alpha_warmup:
            a = t * alpha / alpha_warmup
        if t < beta3_warmup:
            part = t / beta3_warmup
            start, end = math.log(beta1), math.log(beta3)
            b3 = min(math.exp(start * end / ((1 - part) * end + part * start)), beta3)
        m1 = beta1 * m1 + (1 - beta1) * g
        m2 = b3 * m2 + (1 - b3) * g
        v = beta2 * v + (1 - beta2) * g**2
        m1_hat, v_hat = m1 / (1 - beta1**t), v / (1 - beta2**t)
        w -= lr * ((m1_hat + a * m2) / (math.sqrt(v_hat) + eps) + decay * w)


def adopt(w, lr, beta1=0.9, beta2=0.9999, eps=1e-6, clipped=True, decay=0, decoupled=False):
    """The paper's steps are numbered from 0; step 0 makes v alone."""
    m = t = 0
    v = None
    while True:
        g = yield w
        if not decoupled:
            g += decay * w
        if v is None:
            v = g**2
            continue
        t += 1
        if decoupled:
            w -= lr * decay * w
        scaled = g / max(math.sqrt(v), eps)
        m = beta1 * m + (1 - beta1) * (clip(scaled, t**0.25) if clipped else scaled)
        w -= lr * m
        v = beta2 * v + (1 - beta2) * g**2


def madgrad(w, lr, momentum=0.9, eps=1e-6, decay=0, decoupled=False):
    x0, s, v, k = w, 0, 0, 0
    while True:
        g = yield w
        step = lr * math.sqrt(k + 1)
        k += 1
        if not decoupled:
            g += decay * w
        s += step * g
        v += step * g * g
        z = x0 - s / (v**(1 / 3) + eps)
        w = momentum * w + (1 - momentum) * z - (lr * decay * w if decoupled else 0)


def sign_sgd(w, lr, decay=0):
    while True:
        g = yield w
        w -= lr * (sign(g) + decay * w)


def signum(w, lr, momentum=0.9, decay=0):
    m = 0
    while True:
        g = yield w
        m = momentum * m + (1 - momentum) * g
        w -= lr * (sign(m) + decay * w)


def yogi(w, lr, beta1=0.9, beta2=0.999, eps=1e-3, initial=1e-6, decay=0):
    m, v, t = 0, initial, 0
    while True:
        g = yield w
        t += 1
        g += decay * w
        m = beta1 * m + (1 - beta1) * g
        v -= (1 - beta2) * sign(v - g * g) * g * g
        w -= lr * m / (1 - beta1**t) / (math.sqrt(v / (1 - beta2**t)) + eps)


def qhm(w, lr, momentum=0.999, nu=0.7, decay=0):
    m = 0
    while True:
        g = yield w
        g += decay * w
        m = momentum * m + (1 - momentum) * g
        w -= lr * ((1 - nu) * g + nu * m)


def qhadam(w, lr, beta1=0.9, beta2=0.999, nu1=1, nu2=1, eps=1e-8, decay=0, decoupled=False):
    """As the authors' code: averages with weights beta^age that are divided by their sum."""
    gradients = []
    while True:
        g = yield w
        if decoupled:
            w -= lr * decay * w
        else:
            g += decay * w
        gradients.append(g)

        def mean(beta, power):
            weights = [beta**age for age in range(len(gradients))]
            return sum(b * x**power for b, x in zip(weights, reversed(gradients))) / sum(weights)

        above = (1 - nu1) * g + nu1 * mean(beta1, 1)
        w -= lr * above / (math.sqrt((1 - nu2) * g * g + nu2 * mean(beta2, 2)) + eps)


RULES = {
    "adabelief(lr=0.02)": lambda w: adabelief(w, 0.02),
    "adabelief(lr=0.02, beta1=0.8, beta2=0.95, eps=0.001, eps_root=1e-05, weight_decay=0.1)":
        lambda w: adabelief(w, 0.02, 0.8, 0.95, 1e-3, 1e-5, 0.1),
    "adabelief(lr=0.02, weight_decay=0.3, decoupled)": lambda w: adabelief(w, 0.02, decay=0.3, decoupled=True),
    "adan(lr=0.02)": lambda w: adan(w, 0.02),
    "adan(lr=0.02, beta1=0.9, beta2=0.7, eps=0.001, beta3=0.95, weight_decay=0.3)":
        lambda w: adan(w, 0.02, 0.9, 0.7, 0.95, 1e-3, 0.3),
    "ademamix(lr=0.02)": lambda w: ademamix(w, 0.02),
    "ademamix(lr=0.02, beta2=0.95, eps=0.001, beta3=0.99, alpha=8, weight_decay=0.3)":
        lambda w: ademamix(w, 0.02, beta2=0.95, eps=1e-3, beta3=0.99, alpha=8, decay=0.3),
    "ademamix(lr=0.02, beta3_warmup=80, alpha_warmup=60)":
        lambda w: ademamix(w, 0.02, alpha_warmup=60, beta3_warmup=80),
    "adopt(lr=0.02)": lambda w: adopt(w, 0.02),
    "adopt(lr=0.02, beta1=0.8, beta2=0.95, eps=0.1, clip=false, weight_decay=0.1)":
        lambda w: adopt(w, 0.02, 0.8, 0.95, 0.1, False, 0.1),
    "adopt(lr=0.02, weight_decay=0.3, decoupled)": lambda w: adopt(w, 0.02, decay=0.3, decoupled=True),
    "madgrad(lr=0.02)": lambda w: madgrad(w, 0.02),
    "madgrad(lr=0.02, momentum=0.5, eps=0.001, weight_decay=0.1)": lambda w: madgrad(w, 0.02, 0.5, 1e-3, 0.1),
    "madgrad(lr=0.02, momentum=0, eps=0, weight_decay=0.3, decoupled)":
        lambda w: madgrad(w, 0.02, 0, 0, 0.3, True),
    "sign_sgd(lr=0.02)": lambda w: sign_sgd(w, 0.02),
    "sign_sgd(lr=0.02, weight_decay=0.3)": lambda w: sign_sgd(w, 0.02, 0.3),
    "signum(lr=0.02, momentum=0.9)": lambda w: signum(w, 0.02),
    "signum(lr=0.02, momentum=0.5, weight_decay=0.3)": lambda w: signum(w, 0.02, 0.5, 0.3),
    "yogi(lr=0.02)": lambda w: yogi(w, 0.02),
    "yogi(lr=0.02, beta1=0.8, beta2=0.9, eps=1e-08, initial=0.1, weight_decay=0.1)":
        lambda w: yogi(w, 0.02, 0.8, 0.9, 1e-8, 0.1, 0.1),
    "qhm(lr=0.1, momentum=0.999)": lambda w: qhm(w, 0.1),
    "qhm(lr=0.1, momentum=0.9, nu=0.4, weight_decay=0.1)": lambda w: qhm(w, 0.1, 0.9, 0.4, 0.1),
    "qhadam(lr=0.02)": lambda w: qhadam(w, 0.02),
    "qhadam(lr=0.02, beta1=0.995, nu1=0.7)": lambda w: qhadam(w, 0.02, 0.995, nu1=0.7),
    "qhadam(lr=0.02, beta2=0.95, eps=0.001, nu1=0.5, nu2=0.8, weight_decay=0.1)":
        lambda w: qhadam(w, 0.02, 0.9, 0.95, 0.5, 0.8, 1e-3, 0.1),
}


def trajectory(make):
    """The 24 weights after steps 1, 10 and 100."""
    columns = []
    for i in range(24):
        rule = make(noise(0, i))
        next(rule)
        weights = [rule.send(noise(step, i)) for step in range(1, 101)]
        columns.append([weights[0], weights[9], weights[99]])
    return [row[k] for k in range(3) for row in columns]


def main():
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).parent)
    header, data = {}, b""
    for name, make in RULES.items():
        blob = struct.pack("<72d", *trajectory(make))
        header[name] = {"dtype": "F64", "shape": [3, 24], "data_offsets": [len(data), len(data) + len(blob)]}
        data += blob
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    (folder / "rules.safetensors").write_bytes(struct.pack("<Q", len(text)) + text + data)
    print(f"{len(RULES)} rules in {folder}")


if __name__ == "__main__":
    main()
