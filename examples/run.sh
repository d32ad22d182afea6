#!/usr/bin/env bash
# Installs the Debian packages that are missing, builds, and runs the main job:
#   a small convolutional network trained by momentum, by Lookahead round it, and by the control, momentum at alpha * lr,
#   over learning rates of which the last is too large, with several seeds each;
#   a convolutional autoencoder trained by Adam and by Lookahead round it.
# Each from the same initial weights on the same batches; a table of each, and one report of both.
#   examples/run.sh [--out DIR] [OPTIONS]     OPTIONS, such as --threads 1, go to both programs
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
cmake --build build --target cifar autoencoder report explain

data=${TANDEM_DATA:-$HOME/.cache/tandem}/cifar-10-batches-bin
if [ -e "$data/data_batch_1.bin" ]; then # pictures four times as large and a test set ten times as large: fewer runs
  set=(--dataset cifar10 --evaluate-every 100) length=(--epochs 1 --steps 200 --seed 0 --seed 1)
  rates=0.08,0.32,1.28 control_rates=0.04,0.16,0.64
else
  set=(--dataset solids) length=(--epochs 20 --steps 600 --seed 0 --seed 1 --seed 2)
  rates=0.02,0.08,0.32,1.28 control_rates=0.01,0.04,0.16,0.64
fi
jobs=$(nproc)
momentum="momentum(lr={$rates}, momentum=0.9, weight_decay=5e-4)"
build/bin/cifar "${set[@]}" --model convnet --batch 64 "${length[@]}" --schedule "cosine(warmup=0.1)" \
  --optimizer "momentum=$momentum" --optimizer "lookahead=lookahead($momentum, k=5, alpha=0.5)" \
  --optimizer "control=momentum(lr={$control_rates}, momentum=0.9, weight_decay=5e-4)" \
  --jobs "$jobs" --out "$out/cifar" "$@"

adam="adam(lr=1e-3)"
build/bin/autoencoder "${set[@]}" --epochs 20 --steps 300 \
  --optimizer "$adam" --optimizer "lookahead($adam, k=5, alpha=0.5)" --out "$out/autoencoder" "$@"

build/bin/report "$out/cifar" "$out/autoencoder" --out "$out/report.html"
