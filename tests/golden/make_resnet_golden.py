#!/usr/bin/env python3
"""Writes resnet50.safetensors and resnet50_small_initial.safetensors: ResNet-50 as PyTorch computes it.

Run with PyTorch 2.6: python3 make_resnet_golden.py OUTPUT_DIR. The network is torchvision's, written out, with its
names. Two of them: "small", eight channels wide with blocks 2-1-1-1, whose weights are in a file as PyTorch saves
them, all in f64; and "full", the real one with 25,557,032 parameters, whose weights and pictures come from fill(), a
formula that the test has too, with losses in f64 and beside them those of PyTorch's own f32.

    NAME/images, labels     NAME/logits        of the first step, training behaviour
    NAME/losses             of ten steps of SGD with momentum 0.9 and weight decay 1e-4
    NAME/evaluation         logits after them, running statistics
    small/grad/PARAMETER    gradients of the first step; full/grad_norms: their norms, in the order of the parameters
"""
import sys
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import nn

from make_golden import save

MASK = 0xFFFFFFFF


def uniform(tensor_number, shape):
    """Numbers in [-0.5, 0.5) that depend on (number of the tensor, place in it) alone: a hash of 32 bits."""
    count = 1
    for side in shape:
        count *= side
    x = (torch.arange(count, dtype=torch.int64) + tensor_number * 1000003) & MASK
    x = x ^ (x >> 16)
    x = (x * 0x7FEB352D) & MASK
    x = x ^ (x >> 15)
    x = (x * 0x846CA68B) & MASK
    x = x ^ (x >> 16)
    return (x.double() / 2.0**32 - 0.5).reshape(shape)


def fill(model):
    """Convolutions and the classifier: variance 2 / inputs; scales of batch norm in [0.75, 1.25), a fifth of it at the
    end of a block, so that f32 stays near f64 for ten steps; biases small."""
    with torch.no_grad():
        for number, (name, p) in enumerate(model.named_parameters()):
            u = uniform(number, p.shape)
            if p.dim() > 1:
                fan = p[0].numel()
                value = u * (24.0 / fan) ** 0.5
            elif name.endswith("weight"):
                value = (0.2 if name.endswith("bn3.weight") else 1.0) * (1.0 + 0.5 * u)
            else:
                value = 0.1 * u
            p.copy_(value.float())


class Bottleneck(nn.Module):
    def __init__(self, inputs, width, stride):
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, width, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(width, width, 3, stride, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(width)
        self.conv3 = nn.Conv2d(width, 4 * width, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(4 * width)
        self.downsample = None
        if stride != 1 or inputs != 4 * width:
            self.downsample = nn.Sequential(nn.Conv2d(inputs, 4 * width, 1, stride, bias=False),
                                            nn.BatchNorm2d(4 * width))

    def forward(self, x):
        y = F.relu(self.bn1(self.conv1(x)))
        y = F.relu(self.bn2(self.conv2(y)))
        y = self.bn3(self.conv3(y))
        return F.relu(y + (x if self.downsample is None else self.downsample(x)))


class ResNet(nn.Module):
    def __init__(self, blocks, width, classes):
        super().__init__()
        self.conv1 = nn.Conv2d(3, width, 7, 2, 3, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        inputs = width
        for s, count in enumerate(blocks):
            inner = width << s
            stage = []
            for b in range(count):
                stage.append(Bottleneck(inputs, inner, 2 if s > 0 and b == 0 else 1))
                inputs = 4 * inner
            setattr(self, f"layer{s + 1}", nn.Sequential(*stage))
        self.stages = len(blocks)
        self.fc = nn.Linear(inputs, classes)

    def forward(self, x):
        y = F.max_pool2d(F.relu(self.bn1(self.conv1(x))), 3, 2, 1)
        for s in range(self.stages):
            y = getattr(self, f"layer{s + 1}")(y)
        return self.fc(y.mean((2, 3)))


def train(model, images, labels, lr, dtype):
    """The first step's logits and gradients, ten losses, and logits in evaluation after them."""
    model = model.to(dtype)
    optimizer = torch.optim.SGD(model.parameters(), lr=lr, momentum=0.9, weight_decay=1e-4)
    losses, first = [], None
    for _ in range(10):
        logits = model(images.to(dtype))
        loss = F.cross_entropy(logits, labels)
        optimizer.zero_grad()
        loss.backward()
        if first is None:
            first = logits.detach().clone(), [p.grad.detach().clone() for p in model.parameters()]
        optimizer.step()
        losses.append(loss.item())
    model.eval()
    with torch.no_grad():
        evaluation = model(images.to(dtype))
    return first, torch.tensor(losses, dtype=torch.float64), evaluation.double()


def main(folder):
    out = {}
    torch.manual_seed(50)
    small = ResNet([2, 1, 1, 1], 8, 10)
    fill(small)
    save(folder / "resnet50_small_initial.safetensors", small.state_dict())
    images, labels = uniform(1000, (6, 3, 64, 48)).mul(4).float(), torch.tensor([3, 1, 4, 1, 5, 9])
    names = [name for name, _ in small.named_parameters()]
    (logits, grads), losses, evaluation = train(small, images, labels, 0.05, torch.float64)
    out.update({"small/labels": labels, "small/logits": logits, "small/losses": losses, "small/evaluation": evaluation})
    for name, grad in zip(names, grads):
        if grad.numel() <= 4096:
            out[f"small/grad/{name}"] = grad

    images, labels = uniform(1001, (4, 3, 96, 96)).mul(4).float(), torch.tensor([0, 999, 500, 250])
    for suffix, dtype in (("", torch.float64), ("_f32", torch.float32)):
        full = ResNet([3, 4, 6, 3], 64, 1000)
        count = sum(p.numel() for p in full.parameters())
        assert count == 25_557_032, count
        fill(full)
        (logits, grads), losses, evaluation = train(full, images, labels, 2e-3, dtype)
        out[f"full/losses{suffix}"] = losses
        out[f"full/logits{suffix}"] = logits.double()
        out[f"full/evaluation{suffix}"] = evaluation
        out[f"full/grad_norms{suffix}"] = torch.stack([g.double().norm() for g in grads])
    out["full/labels"] = labels
    save(folder / "resnet50.safetensors", out)
    print("losses f64", out["full/losses"].tolist())
    print("losses f32", out["full/losses_f32"].tolist())


if __name__ == "__main__":
    main(Path(sys.argv[1]))
