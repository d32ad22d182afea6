#!/usr/bin/env python3
"""Writes the golden values: what PyTorch computes for every op, for ten training steps, and for a model loaded by name.

Run with PyTorch 2.6 in any folder: python3 make_golden.py OUTPUT_DIR. The files are committed; the tests only read them.
Inputs are f32 numbers; results are computed in f64, so that both precisions of Tandem are compared with the truth.
Every case draws from a seed of its own (its name), so a new case leaves the others as they are.

    NAME/x0, x1 ...  differentiable inputs      NAME/a0, a1 ...  other inputs (labels, indices, statistics)
    NAME/dy          gradient of the output     NAME/y           output
    NAME/dx0 ...     gradients of the inputs    NAME/v0 ..., h0 ...  gradients of sum_i <dx_i, v_i>: second order
"""
import json
import struct
import sys
import zlib
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import nn

NAMES = {torch.float32: "F32", torch.float64: "F64", torch.int64: "I64"}


def save(path, tensors):
    """The safetensors format: length of the header (u64), header (JSON, padded to 8), raw little-endian data."""
    header, blobs, position = {}, [], 0
    for name, tensor in tensors.items():
        blob = tensor.detach().contiguous().numpy().tobytes()
        header[name] = {"dtype": NAMES[tensor.dtype], "shape": list(tensor.shape),
                        "data_offsets": [position, position + len(blob)]}
        blobs.append(blob)
        position += len(blob)
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    Path(path).write_bytes(struct.pack("<Q", len(text)) + text + b"".join(blobs))


OPS = {}


def normal(*shape):
    return torch.randn(shape, dtype=torch.float32)


def positive(*shape):
    return torch.rand(shape, dtype=torch.float32) * 2 + 0.25


def case(name, f, *inputs, aux=(), second=False):
    """inputs: callables or tensors, differentiable; aux: the same, not differentiable."""
    torch.manual_seed(zlib.crc32(name.encode()))
    xs = [make() for make in inputs]
    extra = [make() for make in aux]
    leaves = [x.double().requires_grad_() for x in xs]
    y = f(*leaves, *[a.double() if a.dtype == torch.float32 else a for a in extra])
    for i, x in enumerate(xs):
        OPS[f"{name}/x{i}"] = x
    for i, a in enumerate(extra):
        OPS[f"{name}/a{i}"] = a
    OPS[f"{name}/y"] = y
    if not y.requires_grad:
        return
    dy = torch.randn(y.shape, dtype=torch.float32)
    OPS[f"{name}/dy"] = dy
    dx = torch.autograd.grad(y, leaves, dy.double(), create_graph=second)
    for i, d in enumerate(dx):
        OPS[f"{name}/dx{i}"] = d
    if second:
        vs = [torch.randn(d.shape, dtype=torch.float32) for d in dx]
        scalar = sum((d * v.double()).sum() for d, v in zip(dx, vs))
        hs = torch.autograd.grad(scalar, leaves, allow_unused=True)
        for i, (v, h, x) in enumerate(zip(vs, hs, leaves)):
            OPS[f"{name}/v{i}"] = v
            OPS[f"{name}/h{i}"] = torch.zeros_like(x) if h is None else h


def of(make, *shape):
    return lambda: make(*shape)


def integers(high, *shape):
    return lambda: torch.randint(0, high, shape)


def arithmetic():
    a, row, column = of(normal, 3, 4), of(normal, 4), of(normal, 3, 1)
    safe = of(positive, 3, 4)
    case("add.same", torch.add, a, a)
    case("add.row", torch.add, a, row)
    case("add.outer", torch.add, column, row)
    case("add.constant", lambda x: x + 1.5, a)
    case("subtract.row", torch.sub, a, row)
    case("subtract.from", lambda x: 2.5 - x, a)
    case("multiply.same", torch.mul, a, a, second=True)
    case("multiply.channel", torch.mul, of(normal, 2, 3, 4, 5), of(normal, 3, 1, 1), second=True)
    case("multiply.constant", lambda x: x * -0.75, a)
    case("divide.same", torch.div, a, safe, second=True)
    case("divide.column", torch.div, a, of(positive, 3, 1), second=True)
    case("divide.into", lambda x: 2.0 / x, safe, second=True)
    case("power.same", torch.pow, safe, a, second=True)
    case("pow.cube", lambda x: x**3, a, second=True)
    case("pow.half", lambda x: x**-0.5, safe, second=True)
    case("negate", torch.neg, a)
    case("maximum.row", torch.maximum, a, row)
    case("minimum.row", torch.minimum, a, row)


def functions():
    x, safe = of(normal, 4, 7), of(positive, 4, 7)
    for name in ["exp", "square", "sin", "cos", "erf"]:
        case(name, getattr(torch, name), x, second=True)
    case("log", torch.log, safe, second=True)
    case("sqrt", torch.sqrt, safe, second=True)
    case("abs", torch.abs, x)
    case("clamp", lambda v: v.clamp(-0.5, 0.75), x)
    case("relu", F.relu, of(normal, 2, 3, 4, 5))
    case("leaky_relu", lambda v: F.leaky_relu(v, 0.1), x)
    case("elu", lambda v: F.elu(v, 1.25), x)
    for name in ["gelu", "silu", "softplus"]:
        case(name, getattr(F, name), x, second=True)
    for name in ["sigmoid", "tanh"]:
        case(name, getattr(torch, name), x, second=True)
    for name in ["softmax", "log_softmax"]:
        case(f"{name}.last", lambda v, f=getattr(F, name): f(v, -1), x, second=True)
        case(f"{name}.channel", lambda v, f=getattr(F, name): f(v, 1), of(normal, 2, 5, 3, 4))


def reductions():
    x = of(normal, 3, 4, 5)
    for name, f in [("sum", torch.sum), ("mean", torch.mean), ("max", torch.amax)]:
        case(f"{name}.all", lambda v, f=f: f(v, dim=(0, 1, 2)), x)
        case(f"{name}.last", lambda v, f=f: f(v, dim=-1), x)
        case(f"{name}.keep", lambda v, f=f: f(v, dim=(0, 2), keepdim=True), x)
        case(f"{name}.images", lambda v, f=f: f(v, dim=(2, 3)), of(normal, 2, 3, 5, 4))
    case("var.all", lambda v: v.var(correction=1), x, second=True)
    case("var.biased", lambda v: v.var(dim=(0, 2), correction=0), x, second=True)
    case("var.keep", lambda v: v.var(dim=1, correction=1, keepdim=True), x)
    case("sum_to", lambda v: v.sum_to_size(4, 1), x)
    case("argmax", lambda a: a.argmax(1), aux=[x])
    case("topk.values", lambda a: a.topk(3, dim=1).values, aux=[of(normal, 3, 6)])
    case("topk.indices", lambda a: a.topk(3, dim=1).indices, aux=[of(normal, 3, 6)])


def shapes():
    x = of(normal, 3, 4, 6)
    case("reshape", lambda v: v.reshape(6, -1), x)
    case("flatten", lambda v: v.flatten(1), of(normal, 2, 3, 4, 2))
    case("permute", lambda v: v.permute(2, 0, 1), x)
    case("transpose", lambda v: v.transpose(0, 2), x)
    case("expand", lambda v: v.expand(2, 3, 5), of(normal, 3, 1))
    case("slice", lambda v: v[:, 1:3], x)
    case("slice.strided", lambda v: v[:, :, 1:6:2], x)
    case("slice.negative", lambda v: v[-2:], x)
    case("slice_grad", lambda v: F.pad(v, (0, 0, 1, 1)), of(normal, 3, 2, 5))
    case("pad", lambda v: F.pad(v, (2, 1, 0, 3), value=0.5), x)
    case("cat", lambda a, b: torch.cat([a, b], 1), of(normal, 2, 3, 4), of(normal, 2, 2, 4))
    case("stack", lambda a, b: torch.stack([a, b], 1), of(normal, 2, 3), of(normal, 2, 3))
    case("gather", lambda v, index: v.gather(1, index), of(normal, 3, 5), aux=[integers(5, 3, 4)])
    case("gather_grad", lambda v, index: torch.zeros(3, 5, dtype=v.dtype).scatter_add(1, index, v), of(normal, 3, 4),
         aux=[integers(5, 3, 4)])
    case("where", lambda a, b, c: torch.where(c > 0, a, b), of(normal, 3, 4), of(normal, 4), aux=[integers(2, 3, 4)])
    case("clone", torch.clone, x)


def products():
    case("matmul.plain", torch.matmul, of(normal, 5, 7), of(normal, 7, 4), second=True)
    case("matmul.batched", torch.matmul, of(normal, 2, 3, 4, 5), of(normal, 2, 3, 5, 6))
    case("matmul.broadcast", torch.matmul, of(normal, 3, 4, 5), of(normal, 5, 2), second=True)
    case("matmul.broadcast_left", torch.matmul, of(normal, 4, 5), of(normal, 3, 5, 2))
    case("matmul.broadcast_both", torch.matmul, of(normal, 2, 1, 3, 4), of(normal, 5, 4, 2))
    case("linear", F.linear, of(normal, 6, 5), of(normal, 4, 5), of(normal, 4), second=True)
    case("linear.plain", F.linear, of(normal, 6, 5), of(normal, 4, 5))
    case("linear.deep", F.linear, of(normal, 2, 3, 5), of(normal, 4, 5), of(normal, 4))


def convolutions():
    def conv(name, x, w, b=True, second=False, **options):
        f = lambda x, w, b=None: F.conv2d(x, w, b, **options)
        inputs = [of(normal, *x), of(normal, *w)] + ([of(normal, w[0])] if b else [])
        case(f"conv2d.{name}", f, *inputs, second=second)

    conv("plain", (2, 3, 6, 5), (4, 3, 3, 3), second=True)
    conv("no_bias", (2, 3, 6, 5), (4, 3, 3, 3), b=False)
    conv("padding", (2, 4, 6, 6), (8, 4, 3, 3), padding=1)
    conv("stride", (2, 4, 7, 8), (6, 4, 3, 3), stride=2, padding=1, second=True)
    conv("uneven", (2, 3, 7, 9), (4, 3, 3, 2), stride=(2, 1), padding=(0, 1))
    conv("dilation", (1, 3, 9, 9), (4, 3, 3, 3), dilation=2, padding=2, second=True)
    conv("groups", (2, 4, 5, 5), (6, 2, 3, 3), groups=2, padding=1, second=True)
    conv("depthwise", (2, 8, 6, 6), (8, 1, 3, 3), groups=8, padding=1)
    conv("point", (2, 8, 5, 5), (16, 8, 1, 1), b=False)
    conv("point_stride", (2, 8, 6, 6), (16, 8, 1, 1), stride=2, b=False)
    conv("wide", (2, 16, 8, 8), (16, 16, 3, 3), padding=1, b=False)
    conv("one_place", (3, 5, 3, 3), (4, 5, 3, 3))
    conv("gray", (2, 1, 6, 6), (3, 1, 5, 5), padding=2)

    options = dict(stride=2, padding=1)
    x, w = (2, 3, 7, 6), (4, 3, 3, 3)
    case("conv2d_input_grad", lambda dy, w: torch.nn.grad.conv2d_input(x, w, dy, **options), of(normal, 2, 4, 4, 3),
         of(normal, *w))
    case("conv2d_weight_grad", lambda dy, x: torch.nn.grad.conv2d_weight(x, w, dy, **options), of(normal, 2, 4, 4, 3),
         of(normal, *x))


def transposed_convolutions():
    def conv(name, x, w, b=None, second=False, **options):
        f = lambda x, w, b=None: F.conv_transpose2d(x, w, b, **options)
        inputs = [of(normal, *x), of(normal, *w)] + ([of(normal, b)] if b else [])
        case(f"conv_transpose2d.{name}", f, *inputs, second=second)

    conv("plain", (2, 3, 4, 5), (3, 4, 3, 3), 4, second=True)
    conv("no_bias", (2, 3, 4, 5), (3, 4, 3, 3))
    conv("padding", (2, 4, 6, 6), (4, 8, 3, 3), 8, padding=1)
    conv("double", (2, 6, 4, 3), (6, 4, 4, 4), 4, stride=2, padding=1, second=True)
    conv("output_padding", (2, 6, 4, 3), (6, 4, 3, 3), 4, stride=2, padding=1, output_padding=1, second=True)
    conv("uneven", (2, 3, 4, 3), (3, 4, 3, 2), 4, stride=(2, 3), padding=(0, 1), output_padding=(1, 2))
    conv("dilation", (1, 3, 4, 5), (3, 4, 3, 3), 4, stride=2, padding=2, output_padding=1, dilation=2, second=True)
    conv("groups", (2, 4, 4, 3), (4, 3, 3, 3), 6, stride=2, padding=1, output_padding=1, groups=2, second=True)
    conv("depthwise", (2, 8, 4, 4), (8, 1, 4, 4), 8, stride=2, padding=1, groups=8)
    conv("wide", (2, 16, 8, 8), (16, 16, 3, 3), 16, padding=1)
    conv("image", (2, 8, 5, 4), (8, 3, 4, 4), 3, stride=2, padding=1)


def upsamplings():
    x = of(normal, 2, 3, 5, 4)
    for mode in ["nearest", "bilinear"]:
        corners = {} if mode == "nearest" else {"align_corners": False}
        up = lambda mode=mode, corners=corners, **size: lambda v: F.interpolate(v, mode=mode, **corners, **size)
        case(f"upsample2d.{mode}", up(scale_factor=2), x)
        case(f"upsample2d.{mode}_scale", up(scale_factor=(1.5, 2.3)), x)
        case(f"upsample2d.{mode}_size", up(size=(7, 3)), x)

        def gradient(dy, double=up(scale_factor=2)):
            v = torch.zeros(2, 3, 5, 4, dtype=dy.dtype, requires_grad=True)
            return torch.autograd.grad(double(v), v, dy, create_graph=True)[0]

        case(f"upsample2d_grad.{mode}", gradient, of(normal, 2, 3, 10, 8))


def pools():
    x = of(normal, 2, 3, 7, 6)
    case("max_pool2d.plain", lambda v: F.max_pool2d(v, 2), x)
    case("max_pool2d.overlap", lambda v: F.max_pool2d(v, 3, 2, 1), x)
    case("max_pool2d.uneven", lambda v: F.max_pool2d(v, (3, 2), (1, 2), (1, 0)), x)
    case("average_pool2d.plain", lambda v: F.avg_pool2d(v, 2), x)
    case("average_pool2d.padding", lambda v: F.avg_pool2d(v, 3, 2, 1), x)
    case("average_pool2d.valid", lambda v: F.avg_pool2d(v, 3, 2, 1, count_include_pad=False), x)
    case("global_average_pool2d", lambda v: v.mean((2, 3)), x)

    def max_pool_grad(dy, x):
        x = x.clone().requires_grad_()
        return torch.autograd.grad(F.max_pool2d(x, 3, 2, 1), x, dy, create_graph=True)[0]

    def max_pool_take(v, x):
        _, place = F.max_pool2d(x, 3, 2, 1, return_indices=True)
        return v.flatten(2).gather(2, place.flatten(2)).reshape(place.shape)

    def average_pool_grad(dy):
        x = torch.zeros(2, 3, 7, 6, dtype=dy.dtype, requires_grad=True)
        return torch.autograd.grad(F.avg_pool2d(x, 3, 2, 1), x, dy, create_graph=True)[0]

    case("max_pool2d_grad", max_pool_grad, of(normal, 2, 3, 4, 3), aux=[x])
    case("max_pool2d_take", max_pool_take, x, aux=[x])
    case("average_pool2d_grad", average_pool_grad, of(normal, 2, 3, 4, 3))


def norms():
    x, c = of(normal, 3, 4, 5, 2), of(normal, 4)
    train = lambda x, w, b: F.batch_norm(x, None, None, w, b, training=True, eps=1e-5)
    case("batch_norm.train", train, x, c, c, second=True)
    case("batch_norm.rows", train, of(normal, 8, 4), c, c)
    case("batch_norm.epsilon", lambda x, w, b: F.batch_norm(x, None, None, w, b, training=True, eps=0.1), x, c, c)
    case("batch_norm.relu", lambda *a: F.relu(train(*a)), x, c, c)
    case("batch_norm.residual", lambda x, w, b, r: F.relu(train(x, w, b) + r), x, c, c, x)
    evaluate = lambda x, w, b, m, v: F.batch_norm(x, m, v, w, b, training=False, eps=1e-5)
    case("batch_norm_evaluate", evaluate, x, c, c, aux=[c, of(positive, 4)])
    case("batch_norm_evaluate.relu", lambda *a: F.relu(evaluate(*a)), x, c, c, aux=[c, of(positive, 4)])


def group_norms():
    c = of(normal, 4)
    norm = lambda groups, eps=1e-5: lambda x, w, b: F.group_norm(x, groups, w, b, eps)
    case("group_norm.groups", norm(2), of(normal, 3, 4, 5, 2), c, c, second=True)
    case("group_norm.layer", norm(1), of(normal, 3, 4, 5, 2), c, c)
    case("group_norm.channels", norm(4, 0.1), of(normal, 3, 4, 5, 2), c, c)
    case("group_norm.rows", norm(2), of(normal, 5, 8), of(normal, 8), of(normal, 8))
    case("group_norm.sequence", norm(3), of(normal, 2, 6, 7), of(normal, 6), of(normal, 6), second=True)
    case("group_norm.wide", norm(8), of(normal, 2, 32, 4, 4), of(normal, 32), of(normal, 32))


def losses():
    x, labels = of(normal, 6, 5), integers(5, 6)

    def ignored():
        return torch.tensor([0, -100, 4, 2, -100, 1])

    case("cross_entropy.plain", F.cross_entropy, x, aux=[labels], second=True)
    case("cross_entropy.smooth", lambda v, t: F.cross_entropy(v, t, label_smoothing=0.1), x, aux=[labels], second=True)
    case("cross_entropy.ignore", F.cross_entropy, x, aux=[ignored])
    case("cross_entropy.both", lambda v, t: F.cross_entropy(v, t, label_smoothing=0.2), x, aux=[ignored])
    case("mse_loss", F.mse_loss, x, x, second=True)
    case("binary_cross_entropy_with_logits", F.binary_cross_entropy_with_logits, x,
         aux=[lambda: torch.rand(6, 5)], second=True)
    case("l1_loss", F.l1_loss, x, x)
    # Not second: PyTorch's double backward adds 1e-12 to its denominators.
    case("binary_cross_entropy", F.binary_cross_entropy, lambda: torch.rand(6, 5) * 0.8 + 0.1,
         aux=[lambda: torch.rand(6, 5)])
    case("binary_cross_entropy.edges", F.binary_cross_entropy, lambda: torch.tensor([0.0, 0.0, 1.0, 1.0, 0.5]),
         aux=[lambda: torch.tensor([0.0, 0.25, 0.5, 1.0, 1.0])])
    case("gaussian_kl", lambda m, v: 0.5 * (m**2 + v.exp() - v - 1).sum() / m.shape[0], x, x, second=True)


def training(folder):
    """Ten steps of a small network from the same weights on the same batches, in f64; the losses of every optimizer."""
    torch.manual_seed(1)
    model = nn.Sequential(nn.Conv2d(3, 8, 3, padding=1, bias=False), nn.BatchNorm2d(8), nn.ReLU(), nn.MaxPool2d(2),
                          nn.Conv2d(8, 16, 3, padding=1, stride=2, bias=False), nn.BatchNorm2d(16), nn.ReLU(),
                          nn.Flatten(), nn.Linear(16 * 2 * 2, 10))
    images, labels = normal(10, 12, 3, 8, 8), torch.randint(0, 10, (10, 12))
    initial = {name: value.clone() for name, value in model.state_dict().items()}
    save(folder / "training_initial.safetensors", initial)
    rules = {
        "momentum": lambda p: torch.optim.SGD(p, lr=0.05, momentum=0.9),
        "momentum_decay": lambda p: torch.optim.SGD(p, lr=0.05, momentum=0.9, weight_decay=5e-3),
        "nesterov": lambda p: torch.optim.SGD(p, lr=0.05, momentum=0.9, weight_decay=5e-3, nesterov=True),
        "adam": lambda p: torch.optim.Adam(p, lr=0.01),
        "adam_decay": lambda p: torch.optim.Adam(p, lr=0.01, betas=(0.8, 0.99), eps=1e-6, weight_decay=5e-3),
        "adamw": lambda p: torch.optim.AdamW(p, lr=0.01, weight_decay=0.1),
    }
    out = {"images": images, "labels": labels}
    for name, make in rules.items():
        model.load_state_dict(initial)
        model.double().train()
        optimizer = make(model.parameters())
        values = []
        for x, t in zip(images, labels):
            loss = F.cross_entropy(model(x.double()), t)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            values.append(loss.item())
        model.eval()
        out[f"{name}/losses"] = torch.tensor(values, dtype=torch.float64)
        out[f"{name}/evaluation"] = model(images[0].double())
        model.float()
    save(folder / "training.safetensors", out)


def autoencoder_training(folder):
    """Ten steps of Adam on a small convolutional autoencoder, as nn/models/autoencoder.h builds it, in f64."""
    torch.manual_seed(3)
    model = nn.ModuleDict({
        "encoder": nn.Sequential(nn.Conv2d(3, 8, 3, stride=2, padding=1), nn.LeakyReLU(0.5),
                                 nn.Conv2d(8, 16, 3, stride=2, padding=1), nn.LeakyReLU(0.5),
                                 nn.Conv2d(16, 24, 3, stride=2, padding=1), nn.LeakyReLU(0.5),
                                 nn.Conv2d(24, 6, 3, padding=1)),
        "decoder": nn.Sequential(nn.Conv2d(6, 24, 3, padding=1), nn.LeakyReLU(0.5),
                                 nn.ConvTranspose2d(24, 16, 4, stride=2, padding=1), nn.LeakyReLU(0.5),
                                 nn.ConvTranspose2d(16, 8, 4, stride=2, padding=1), nn.LeakyReLU(0.5),
                                 nn.ConvTranspose2d(8, 3, 4, stride=2, padding=1))})
    reconstruct = lambda x: model["decoder"](model["encoder"](4 * (x - 0.5))) / 4 + 0.5
    images = torch.rand(10, 4, 3, 16, 24, dtype=torch.float32)
    save(folder / "autoencoder_initial.safetensors", model.state_dict())
    model.double()
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    losses = []
    for x in images.double():
        loss = F.mse_loss(reconstruct(x), x)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    y = reconstruct(images[0].double()).clamp(0, 1)
    save(folder / "autoencoder.safetensors",
         {"images": images, "losses": torch.tensor(losses, dtype=torch.float64), "evaluation": y})


def loading(folder):
    """A model whose Flatten follows a convolution: the order of the features must be C, H, W."""
    torch.manual_seed(2)
    model = nn.Sequential(nn.Conv2d(3, 4, 3, padding=1), nn.Flatten(), nn.Linear(4 * 5 * 6, 7))
    x = normal(2, 3, 5, 6)
    save(folder / "flatten_linear.safetensors", model.state_dict())
    save(folder / "flatten_linear_io.safetensors", {"x": x, "y": model.double()(x.double())})


def main():
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).parent)
    for family in [arithmetic, functions, reductions, shapes, products, convolutions, transposed_convolutions,
                   upsamplings, pools, norms, group_norms, losses]:
        family()
    save(folder / "ops.safetensors", OPS)
    training(folder)
    autoencoder_training(folder)
    loading(folder)
    print(f"{len(OPS)} tensors of ops, PyTorch {torch.__version__}, in {folder}")


if __name__ == "__main__":
    main()
