#!/usr/bin/env bash
# Installs the Debian packages that are missing, builds, and runs the main job: a CIFAR network trained with momentum and
# with Lookahead round it, and a convolutional autoencoder with Adam and with Lookahead round it, each from the same
# initial weights on the same batches; a table of each, and one report of both.
#   examples/run.sh [--out DIR] [OPTIONS]     OPTIONS, such as --seed 1 or --threads 1, go to both programs
# It takes CIFAR-10 where it finds it, else the pictures that come with Tandem; the first line says which. After the build
# it ends within four minutes on two cores. DIR is runs/main-TIME unless it is given.
set -euo pipefail
cd "$(dirname "$0")/.."

out=runs/main-$(date +%Y%m%d-%H%M%S)
if [[ ${1:-} == --out ]]; then
  out=${2:?"--out needs a folder"}
  shift 2
fi

cmake/install_packages.sh cmake/packages.txt
cmake -S . -B build -G Ninja -DCMAKE_BUILD_TYPE=Release
cmake --build build --target cifar autoencoder report

momentum="momentum(lr=0.1, momentum=0.9, weight_decay=5e-4)"
build/bin/cifar --model resnet20 --epochs 2 --steps 240 --schedule "cosine(warmup=0.1)" \
  --optimizer "$momentum" --optimizer "lookahead($momentum, k=5, alpha=0.8)" --out "$out/cifar" "$@"

adam="adam(lr=1e-3)"
build/bin/autoencoder --epochs 2 --steps 240 \
  --optimizer "$adam" --optimizer "lookahead($adam, k=5, alpha=0.5)" --out "$out/autoencoder" "$@"

build/bin/report "$out/cifar" "$out/autoencoder" --out "$out/report.html"
