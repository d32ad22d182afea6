#!/usr/bin/env python3
"""Writes the golden values of sequences: what PyTorch computes for the ops of autograd/sequence_ops.h and for layers.

Run with PyTorch 2.6 in any folder: python3 make_sequence_golden.py OUTPUT_DIR. Ops go to sequence_ops.safetensors in the
form of make_golden.py; layers to sequence_layers.safetensors:

    NAME/x0 ...      inputs (f32)                  NAME/a0 ...      lengths, masks
    NAME/w/PARAM     parameters by PyTorch's names  NAME/dw/PARAM    their gradients
    NAME/y0 ...      outputs                       NAME/dy0 ...     gradients given to the outputs
    NAME/dx0 ...     gradients of the inputs
"""
import sys
import zlib
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from make_golden import OPS, case, integers, normal, of, save

LAYERS = {}
INFINITY = float("inf")


def joined(y, *states):
    return torch.cat([y.reshape(-1)] + [s.reshape(-1) for s in states])


def recurrence(kind, lengths=None, reverse=False):
    """One layer in one direction on given weights; the reverse is the second direction of a bidirectional layer."""
    def f(x, *rest):
        states, weights = rest[:-4], list(rest[-4:])
        hidden = weights[1].shape[1]
        if not states:
            states = tuple(x.new_zeros(x.shape[1], hidden) for _ in range(2 if kind == "lstm" else 1))
        if reverse:
            both = [w.detach() * 0 for w in weights] + weights
            states = [torch.stack([torch.zeros_like(s), s]) for s in states]
        else:
            both, states = weights, [s[None] for s in states]
        hx = tuple(states) if kind == "lstm" else states[0]
        run = getattr(torch, kind)
        if lengths:
            packed = pack_padded_sequence(x, lengths, enforce_sorted=True)
            y, *last = run(packed.data, packed.batch_sizes, hx, both, True, 1, 0.0, False, reverse)
            y = pad_packed_sequence(nn.utils.rnn.PackedSequence(y, packed.batch_sizes), total_length=x.shape[0])[0]
        else:
            y, *last = run(x, hx, both, True, 1, 0.0, False, reverse, False)
        return joined(y[..., -hidden:], *[s[-1] for s in last])
    return f


def ops():
    table, ids = of(normal, 7, 5), integers(7, 3, 4)
    case("embedding", lambda w, i: F.embedding(i, w), table, aux=[ids])
    case("embedding.padding", lambda w, i: F.embedding(i, w, padding_idx=2), table, aux=[ids])
    case("embedding_grad", lambda dy, i: torch.zeros(7, 5, dtype=dy.dtype).index_add(0, i.flatten(), dy.flatten(0, 1)),
         of(normal, 3, 4, 5), aux=[ids])
    x, w = of(normal, 3, 4, 6), of(normal, 6)
    case("layer_norm", lambda x, w, b: F.layer_norm(x, (6,), w, b), x, w, w, second=True)
    case("layer_norm.plain", lambda x: F.layer_norm(x, (6,), eps=0.1), x, second=True)
    case("layer_norm.two_dims", lambda x, w, b: F.layer_norm(x, (4, 6), w, b), x, of(normal, 4, 6), of(normal, 4, 6))

    for kind, gates, count in [("lstm", 4, 2), ("gru", 3, 1)]:
        steps, h = of(normal, 5, 3, 4), [of(normal, 3, 6)] * count
        weights = [of(normal, gates * 6, 4), of(normal, gates * 6, 6), of(normal, gates * 6), of(normal, gates * 6)]
        case(kind, recurrence(kind), steps, *h, *weights)
        case(f"{kind}.no_state", recurrence(kind), steps, *weights)
        case(f"{kind}.reverse", recurrence(kind, reverse=True), steps, *h, *weights)
        case(f"{kind}.lengths", recurrence(kind, [5, 3, 1]), steps, *h, *weights)
        case(f"{kind}.reverse_lengths", recurrence(kind, [5, 3, 1], True), steps, *h, *weights)
        case(f"{kind}.wide", recurrence(kind), of(normal, 3, 7, 5), *[of(normal, 7, 35)] * count,
             *[of(normal, gates * 35, 5), of(normal, gates * 35, 35), of(normal, gates * 35), of(normal, gates * 35)])
        if kind == "lstm":
            cell = lambda x, h, c, *w: joined(*(lambda y: (y[0], y[0], y[1]))(torch.lstm_cell(x, (h, c), *w)))
        else:
            cell = lambda x, h, *w: joined(*(lambda y: (y, y))(torch.gru_cell(x, h, *w)))
        case(f"{kind}_cell", cell, of(normal, 3, 4), *h, *weights, second=True)

    q, k, v = of(normal, 2, 2, 5, 4), of(normal, 2, 2, 7, 4), of(normal, 2, 2, 7, 3)
    mask = lambda: torch.tensor([[0, 0.5, -INFINITY, 1, 0, -2, 0]] * 5)
    case("scaled_dot_product_attention", F.scaled_dot_product_attention, q, k, v, second=True)
    case("scaled_dot_product_attention.causal", lambda *x: F.scaled_dot_product_attention(*x, is_causal=True), q, q, q)
    case("scaled_dot_product_attention.mask", F.scaled_dot_product_attention, q, k, v, aux=[mask], second=True)
    case("scaled_dot_product_attention.scale", lambda *x: F.scaled_dot_product_attention(*x, scale=0.3), q, k, v)
    long = of(normal, 1, 2, 150, 8)
    case("scaled_dot_product_attention.long", lambda *x: F.scaled_dot_product_attention(*x, is_causal=True), long, long,
         long)

    def self_attention(x):
        q, k, v = [p.unflatten(-1, (2, 4)).transpose(1, 2) for p in x.chunk(3, -1)]
        causal = torch.full((5, 5), -INFINITY, dtype=x.dtype).triu(1)  # written out: the fused op has one derivative
        return ((q @ k.mT / 2 + causal).softmax(-1) @ v).transpose(1, 2).flatten(2)

    case("self_attention", self_attention, of(normal, 2, 5, 24), second=True)


def layer(name, module, call, *inputs, aux=()):
    """call(module, *inputs, *aux) -> outputs; parameters are f32 numbers, everything is computed in f64."""
    torch.manual_seed(zlib.crc32(name.encode()))
    for parameter in module.parameters():
        nn.init.normal_(parameter, 0, 0.4)
    xs = [make() for make in inputs]
    leaves = [x.double().requires_grad_() for x in xs]
    LAYERS.update({f"{name}/w/{n}": p.detach().clone() for n, p in module.named_parameters()})
    module.double().eval()
    ys = call(module, *leaves, *aux)
    dys = [torch.randn(y.shape, dtype=torch.float32) for y in ys]
    torch.autograd.backward(ys, [d.double() for d in dys])
    for letter, values in [("x", xs), ("a", aux), ("y", ys), ("dy", dys), ("dx", [x.grad for x in leaves])]:
        LAYERS.update({f"{name}/{letter}{i}": v for i, v in enumerate(values)})
    LAYERS.update({f"{name}/dw/{n}": p.grad for n, p in module.named_parameters()})


def layers():
    lengths = torch.tensor([6, 2, 5])
    packed = lambda x, lengths: pack_padded_sequence(x, lengths, enforce_sorted=False)
    unpacked = lambda y: pad_packed_sequence(y, total_length=6)[0]

    def long_term(m, x, h=None, c=None, lengths=None):
        y, (h, c) = m(x if lengths is None else packed(x, lengths), None if h is None else (h, c))
        return [y if lengths is None else unpacked(y), h, c]

    def gated(m, x, h=None, lengths=None):
        y, h = m(x if lengths is None else packed(x, lengths), h)
        return [y if lengths is None else unpacked(y), h]

    x = of(normal, 6, 3, 5)
    for kind, make, call, count in [("lstm", nn.LSTM, long_term, 2), ("gru", nn.GRU, gated, 1)]:
        state = lambda rows, count=count: [of(normal, rows, 3, 4)] * count
        layer(f"{kind}.one", make(5, 4), call, x, *state(1))
        layer(f"{kind}.deep", make(5, 4, 3), call, x, *state(3))
        layer(f"{kind}.no_bias", make(5, 4, 2, bias=False), call, x, *state(2))
        layer(f"{kind}.both_ways", make(5, 4, 2, bidirectional=True), call, x, *state(4))
        layer(f"{kind}.batch_first", make(5, 4, 2, batch_first=True), call, of(normal, 3, 6, 5), *state(2))
        layer(f"{kind}.lengths", make(5, 4, 2, bidirectional=True), call, x, *state(4), aux=[lengths])

    hidden = torch.tensor([[0, 0, 0, 0, 0], [0, 0, 0, 1, 1]], dtype=torch.bool)
    keys = torch.tensor([[0, 0, 0, 0, 0, 1, 1], [0, 0, 0, 0, 0, 0, 0]], dtype=torch.bool)
    causal = nn.Transformer.generate_square_subsequent_mask(5, dtype=torch.float64)
    query, memory = of(normal, 2, 5, 8), of(normal, 2, 7, 8)
    attention = lambda: nn.MultiheadAttention(8, 2, batch_first=True)
    layer("attention.self", attention(), lambda m, x: [m(x, x, x)[0]], query)
    layer("attention.causal", attention(), lambda m, x: [m(x, x, x, attn_mask=causal)[0]], query)
    layer("attention.padding", attention(), lambda m, x: [m(x, x, x, key_padding_mask=hidden)[0]], query)
    layer("attention.cross", attention(), lambda m, q, k: [m(q, k, k, key_padding_mask=keys)[0]], query, memory)
    layer("attention.apart", attention(), lambda m, q, k, v: [m(q, k, v)[0]], query, memory, memory)
    layer("attention.no_bias", nn.MultiheadAttention(8, 2, bias=False, batch_first=True), lambda m, x: [m(x, x, x)[0]],
          query)
    layer("layer_norm", nn.LayerNorm(8), lambda m, x: [m(x)], query)

    for norm_first in [False, True]:
        for activation in ["relu", "gelu"]:
            name = f"{'pre' if norm_first else 'post'}_{activation}"
            options = dict(dropout=0.0, activation=activation, batch_first=True, norm_first=norm_first)
            layer(f"encoder.{name}", nn.TransformerEncoderLayer(8, 2, 12, **options), lambda m, x: [m(x)], query)
            layer(f"encoder.{name}_masked", nn.TransformerEncoderLayer(8, 2, 12, **options),
                  lambda m, x: [m(x, src_mask=causal, src_key_padding_mask=hidden)], query)
            layer(f"decoder.{name}", nn.TransformerDecoderLayer(8, 2, 12, **options),
                  lambda m, x, k: [m(x, k, tgt_mask=causal, tgt_key_padding_mask=hidden, memory_key_padding_mask=keys)],
                  query, memory)


def main():
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).parent)
    ops()
    save(folder / "sequence_ops.safetensors", OPS)
    layers()
    save(folder / "sequence_layers.safetensors", LAYERS)
    print(f"{len(OPS)} tensors of ops, {len(LAYERS)} of layers, PyTorch {torch.__version__}, in {folder}")


if __name__ == "__main__":
    main()
