#!/usr/bin/env bash
# Installs the Debian packages that are missing, builds build/bin/cifar and runs the main job: a CIFAR network trained with
# momentum, and with Lookahead round it, from the same initial weights on the same batches; one table at the end.
# It takes CIFAR-10 where it finds it, else the pictures that come with Tandem; the first line says which. After the build
# it ends within four minutes on two cores. What is given, such as --out DIR or --seed 1, goes to build/bin/cifar.
set -euo pipefail
cd "$(dirname "$0")/.."

cmake/install_packages.sh cmake/packages.txt
cmake -S . -B build -G Ninja -DCMAKE_BUILD_TYPE=Release
cmake --build build --target cifar

inner="momentum(lr=0.1, momentum=0.9, weight_decay=5e-4)"
exec build/bin/cifar --model resnet20 --epochs 1 --steps 240 --schedule "cosine(warmup=0.1)" \
  --optimizer "$inner" --optimizer "lookahead($inner, k=5, alpha=0.8)" "$@"
