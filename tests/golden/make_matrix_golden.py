#!/usr/bin/env python3
"""Writes matrix_rules.safetensors: like make_rule_golden.py, for rules whose formula sees a whole tensor or a group.

Run: python3 make_matrix_golden.py [OUTPUT_DIR]; needs Python alone. Each rule is written from its paper on lists of rows, and
never from Tandem's source; eigenvectors come from Jacobi's rotations. A rule is given the tensors, a matrix 3 x 5 and a vector
of 9 (its one column), receives gradients of both and gives the new ones.
"""
import math
import sys
from pathlib import Path

from make_rule_golden import noise, write


def multiply(a, b):
    return [[sum(x * y for x, y in zip(row, column)) for column in zip(*b)] for row in a]


def transpose(a):
    return [list(row) for row in zip(*a)]


def elementwise(f, *matrices):
    return [[f(*numbers) for numbers in zip(*rows)] for rows in zip(*matrices)]


def zeros(a):
    return elementwise(lambda _: 0.0, a)


def norm(a):
    return math.sqrt(sum(x * x for row in a for x in row))


def eigen(a):
    """Eigenvalues and the matrix of eigenvectors in columns, the largest first: Jacobi's rotations."""
    n = len(a)
    a = [row[:] for row in a]
    v = [[float(i == j) for j in range(n)] for i in range(n)]
    for _ in range(60):
        for p in range(n):
            for q in range(p + 1, n):
                if abs(a[p][q]) < 1e-300:
                    continue
                angle = 0.5 * math.atan2(2 * a[p][q], a[q][q] - a[p][p])
                c, s = math.cos(angle), math.sin(angle)
                for k in range(n):
                    a[k][p], a[k][q] = c * a[k][p] - s * a[k][q], s * a[k][p] + c * a[k][q]
                for k in range(n):
                    a[p][k], a[q][k] = c * a[p][k] - s * a[q][k], s * a[p][k] + c * a[q][k]
                for k in range(n):
                    v[k][p], v[k][q] = c * v[k][p] - s * v[k][q], s * v[k][p] + c * v[k][q]
    order = sorted(range(n), key=lambda i: -a[i][i])
    return [a[i][i] for i in order], [[row[i] for i in order] for row in v]


def power(a, eps, exponent):
    values, v = eigen(a)
    scaled = [[x * (max(value, 0) + eps)**exponent for x, value in zip(row, values)] for row in v]
    return multiply(scaled, transpose(v))


def gram_schmidt(a):
    """The Q of a QR decomposition with a positive diagonal of R."""
    basis = []
    for column in transpose(a):
        for _ in range(2):
            for other in basis:
                part = sum(x * y for x, y in zip(column, other))
                column = [x - part * y for x, y in zip(column, other)]
        size = math.sqrt(sum(x * x for x in column))
        basis.append([x / size for x in column])
    return transpose(basis)


def separate(rule, **options):
    """A rule that treats every tensor for itself."""

    def together(tensors):
        each = [rule(w, is_vector=i == 1, **options) for i, w in enumerate(tensors)]
        gradients = yield [next(g) for g in each]
        while True:
            gradients = yield [g.send(x) for g, x in zip(each, gradients)]

    return together


def muon(w, is_vector, lr=0.02, momentum=0.95, nesterov=True, steps=5, match_adamw=False, decay=0):
    """Vectors: sgd."""
    m = zeros(w)
    while True:
        g = yield w
        if is_vector:
            w = elementwise(lambda a, b: a - 0.02 * b, w, g)
            continue
        m = elementwise(lambda a, b: momentum * a + b, m, g)
        x = elementwise(lambda a, b: a + momentum * b, g, m) if nesterov else m
        is_tall = len(w) > len(w[0])
        x = transpose(x) if is_tall else x
        size = norm(x) + 1e-7
        x = elementwise(lambda a: a / size, x)
        for _ in range(steps):
            a = multiply(x, transpose(x))
            b = elementwise(lambda p, q: -4.7750 * p + 2.0315 * q, a, multiply(a, a))
            x = elementwise(lambda p, q: 3.4445 * p + q, x, multiply(b, x))
        x = transpose(x) if is_tall else x
        scale = 0.2 * math.sqrt(max(len(w), len(w[0]))) if match_adamw else math.sqrt(max(1, len(w) / len(w[0])))
        w = elementwise(lambda a, b: a - lr * (decay * a + scale * b), w, x)


def shampoo(w, is_vector, lr=0.02, momentum=0, eps=1e-4, every=1, max_dim=1024, decay=0):
    m, t = zeros(w), 0
    left = [[0.0] * len(w) for _ in w]
    right = [[0.0] * len(w[0]) for _ in w[0]]
    while True:
        g = yield w
        g = elementwise(lambda a, b: a + decay * b, g, w)
        left = elementwise(lambda a, b: a + b, left, multiply(g, transpose(g)))
        right = elementwise(lambda a, b: a + b, right, multiply(transpose(g), g))
        if t % every == 0:
            left_root = power(left, eps, -0.5 if is_vector else -0.25) if len(w) <= max_dim else None
            right_root = power(right, eps, -0.25) if not is_vector and len(w[0]) <= max_dim else None
        t += 1
        u = multiply(left_root, g) if left_root else g
        u = multiply(u, right_root) if right_root else u
        m = elementwise(lambda a, b: momentum * a + b, m, u)
        w = elementwise(lambda a, b: a - lr * b, w, m)


def soap(w, is_vector, lr=0.02, beta1=0.95, beta2=0.95, eps=1e-8, every=10, decay=0.01):
    """With max_dim=4: the left side of the matrix has a basis, nothing else."""
    m, v, t = zeros(w), zeros(w), 0
    left = [[0.0] * len(w) for _ in w]
    basis = [[float(i == j) for j in range(len(w))] for i in range(len(w))]
    while True:
        g = yield w
        left = elementwise(lambda a, b: beta2 * a + (1 - beta2) * b, left, multiply(g, transpose(g)))
        if t > 0:
            m = elementwise(lambda a, b: beta1 * a + (1 - beta1) * b, m, g)
            turned = multiply(transpose(basis), g)
            v = elementwise(lambda a, b: beta2 * a + (1 - beta2) * b * b, v, turned)
            u = elementwise(lambda a, b: a / (1 - beta1**t) / (math.sqrt(b / (1 - beta2**t)) + eps),
                            multiply(transpose(basis), m), v)
            w = elementwise(lambda a, b: a - lr * (decay * a + b), w, multiply(basis, u))
        if not is_vector and t == 0:
            basis = eigen(left)[1]
        elif not is_vector and t % every == 0:
            basis = gram_schmidt(multiply(left, basis))
        t += 1


def sm3(w, is_vector, lr=0.02, momentum=0.9, decay=0):
    m, rows, columns = zeros(w), [0.0] * len(w), [0.0] * len(w[0])
    while True:
        g = yield w
        g = elementwise(lambda a, b: a + decay * b, g, w)
        v = [[(rows[i] if is_vector else min(rows[i], columns[j])) + x * x for j, x in enumerate(row)]
             for i, row in enumerate(g)]
        rows, columns = [max(row) for row in v], [max(column) for column in zip(*v)]
        m = elementwise(lambda a, b, c: momentum * a + (1 - momentum) * b / math.sqrt(c), m, g, v)
        w = elementwise(lambda a, b: a - lr * b, w, m)


def novograd(w, is_vector, lr=0.02, beta1=0.95, beta2=0.98, eps=1e-8, decay=0):
    m, v = zeros(w), None
    while True:
        g = yield w
        v = norm(g)**2 if v is None else beta2 * v + (1 - beta2) * norm(g)**2
        m = elementwise(lambda a, b, c: beta1 * a + b / (math.sqrt(v) + eps) + decay * c, m, g, w)
        w = elementwise(lambda a, b: a - lr * b, w, m)


def lamb(w, is_vector, lr=0.02, beta1=0.9, beta2=0.999, eps=1e-6, decay=0.01, exempt=False):
    m, v, t = zeros(w), zeros(w), 0
    while True:
        g = yield w
        t += 1
        m = elementwise(lambda a, b: beta1 * a + (1 - beta1) * b, m, g)
        v = elementwise(lambda a, b: beta2 * a + (1 - beta2) * b * b, v, g)
        u = elementwise(lambda a, b, c: a / (1 - beta1**t) / (math.sqrt(b / (1 - beta2**t)) + eps) + decay * c, m, v, w)
        ratio = 1 if exempt and is_vector else norm(w) / norm(u)
        w = elementwise(lambda a, b: a - lr * ratio * b, w, u)


def lars(w, is_vector, lr=0.02, momentum=0.9, trust=1e-3, decay=0, exempt=False):
    v = zeros(w)
    while True:
        g = yield w
        ratio = 1 if exempt and is_vector else trust * norm(w) / (norm(g) + decay * norm(w))
        v = elementwise(lambda a, b, c: momentum * a + lr * ratio * (b + decay * c), v, g, w)
        w = elementwise(lambda a, b: a - b, w, v)


def prodigy(tensors, lr=1, beta1=0.9, beta2=0.999, eps=1e-8, d0=1e-6, d_coef=1, decay=0):
    """All weights in one list."""
    x = [a for w in tensors for row in w for a in row]
    x0, m, v, s, r, d = x[:], [0.0] * len(x), [0.0] * len(x), [0.0] * len(x), 0.0, d0
    root = math.sqrt(beta2)
    while True:
        gradients = yield [[x[5 * i:5 * i + 5] for i in range(3)], [[a] for a in x[15:]]]
        g = [a for w in gradients for row in w for a in row]
        r = root * r + (1 - root) * lr * d**2 * sum(gi * (a - b) for gi, a, b in zip(g, x0, x))
        s = [root * si + (1 - root) * lr * d**2 * gi for si, gi in zip(s, g)]
        m = [beta1 * mi + (1 - beta1) * d * gi for mi, gi in zip(m, g)]
        v = [beta2 * vi + (1 - beta2) * d**2 * gi**2 for vi, gi in zip(v, g)]
        x = [a - lr * d * decay * a - lr * d * mi / (math.sqrt(vi) + d * eps) for a, mi, vi in zip(x, m, v)]
        d = max(d, d_coef * r / sum(abs(si) for si in s))


RULES = {
    "groups(matrices: muon(lr=0.02); vectors: sgd(lr=0.02))": separate(muon),
    "groups(matrices: muon(lr=0.02, momentum=0.8, nesterov=false, steps=3, match_adamw, weight_decay=0.1); "
    "vectors: sgd(lr=0.02))": separate(muon, momentum=0.8, nesterov=False, steps=3, match_adamw=True, decay=0.1),
    "shampoo(lr=0.02)": separate(shampoo),
    "shampoo(lr=0.02, momentum=0.9, eps=0.001, every=7, max_dim=4, weight_decay=0.1)":
        separate(shampoo, momentum=0.9, eps=1e-3, every=7, max_dim=4, decay=0.1),
    "soap(lr=0.02, max_dim=4)": separate(soap),
    "soap(lr=0.02, beta1=0.9, beta2=0.8, eps=0.001, every=3, max_dim=4, weight_decay=0.1)":
        separate(soap, beta1=0.9, beta2=0.8, eps=1e-3, every=3, decay=0.1),
    "sm3(lr=0.02)": separate(sm3),
    "sm3(lr=0.02, momentum=0.5, weight_decay=0.1)": separate(sm3, momentum=0.5, decay=0.1),
    "novograd(lr=0.02)": separate(novograd),
    "novograd(lr=0.02, beta1=0.8, beta2=0.5, eps=0.001, weight_decay=0.1)":
        separate(novograd, beta1=0.8, beta2=0.5, eps=1e-3, decay=0.1),
    "lamb(lr=0.02)": separate(lamb),
    "lamb(lr=0.02, beta1=0.8, weight_decay=0.1, no_bias_adaptation)": separate(lamb, beta1=0.8, decay=0.1, exempt=True),
    "lars(lr=0.5, momentum=0.9)": separate(lars, lr=0.5),
    "lars(lr=0.02, momentum=0.5, trust=0.1, weight_decay=0.1, no_bias_adaptation)":
        separate(lars, momentum=0.5, trust=0.1, decay=0.1, exempt=True),
    "prodigy(lr=1)": prodigy,
    "prodigy(lr=0.5, d0=0.01, d_coef=2, weight_decay=0.1)": lambda w: prodigy(w, 0.5, d0=0.01, d_coef=2, decay=0.1),
    "prodigy(lr=1, beta1=0.8, beta2=0.9, eps=0.001, d0=0.001)": lambda w: prodigy(w, 1, 0.8, 0.9, 1e-3, 1e-3),
}


def tensors(step):
    flat = [noise(step, i) for i in range(24)]
    return [[flat[5 * i:5 * i + 5] for i in range(3)], [[x] for x in flat[15:]]]


def trajectory(make):
    rule = make(tensors(0))
    next(rule)
    rows = []
    for step in range(1, 101):
        weights = rule.send(tensors(step))
        if step in (1, 10, 100):
            rows += [x for w in weights for row in w for x in row]
    return rows


def main():
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).parent)
    write(folder / "matrix_rules.safetensors", {name: trajectory(make) for name, make in RULES.items()})


if __name__ == "__main__":
    main()
