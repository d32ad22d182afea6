#!/usr/bin/env bash
# The sweeps of RESULTS.md: how Lookahead depends on k and alpha, and what a learning rate or a momentum that is not right
# costs with and without it. Each is one command; folders under OUT that are finished are left alone, begun ones go on.
#   examples/results/sweeps.sh [OUT] [SEEDS...]          default: runs/sweeps, seeds 0 1 2
# SET, STEPS, EVERY and JOBS in the environment: the data set (solids; cifar10 takes --data as the program does), steps of
# a run, steps between evaluations, runs at a time.
set -euo pipefail

cd "$(dirname "$0")/../.."
cifar=build/bin/cifar
out=${1:-runs/sweeps}
shift || true
seeds=()
for seed in "${@:-0 1 2}"; do for one in $seed; do seeds+=(--seed "$one"); done; done

sweep() {  # NAME SPEC...
  local folder=$out/$1 specs=()
  shift
  for spec in "$@"; do specs+=(--optimizer "$spec"); done
  if [ -f "$folder/summary.json" ]; then echo "$folder: done"; return; fi
  if [ -f "$folder/manifest.json" ]; then
    "$cifar" --resume "$folder" --quiet
    return
  fi
  "$cifar" --dataset "${SET:-solids}" --model convnet --batch 64 --steps "${STEPS:-300}" --evaluate-every "${EVERY:-100}" \
    --schedule "cosine(warmup=0.1)" --threads "${JOBS:-1}" --jobs "${JOBS:-1}" --quiet --out "$folder" \
    "${specs[@]}" "${seeds[@]}"
}

mkdir -p "$out"

# k and alpha round a rate that is right; the inner rule alone beside it.
sweep k_alpha \
  "momentum(lr=0.1, momentum=0.9, weight_decay=5e-4)" \
  "lookahead(momentum(lr=0.1, momentum=0.9, weight_decay=5e-4), k={2,5,10,20}, alpha={0.2,0.5,0.8})"

# The learning rate from far too small to diverging; the control has alpha times the rate.
sweep lr \
  "momentum(lr={0.01,0.03,0.1,0.3,1,3}, momentum=0.9, weight_decay=5e-4)" \
  "lookahead(momentum(lr={0.01,0.03,0.1,0.3,1,3}, momentum=0.9, weight_decay=5e-4), k=5, alpha=0.5)" \
  "half=momentum(lr={0.005,0.015,0.05,0.15,0.5,1.5}, momentum=0.9, weight_decay=5e-4)"

# Momentum from none to too much, at one rate.
sweep momentum \
  "momentum(lr=0.1, momentum={0,0.5,0.9,0.95,0.99}, weight_decay=5e-4)" \
  "lookahead(momentum(lr=0.1, momentum={0,0.5,0.9,0.95,0.99}, weight_decay=5e-4), k=5, alpha=0.5)" \
  "half=momentum(lr=0.05, momentum={0,0.5,0.9,0.95,0.99}, weight_decay=5e-4)"

# Outer optimizers round one inner rule at equal budgets.
sweep outer \
  "momentum(lr=0.1, momentum=0.9, weight_decay=5e-4)" \
  "lookahead(momentum(lr=0.1, momentum=0.9, weight_decay=5e-4), k=5, alpha=0.5)" \
  "slowmo=outer_loop(momentum(lr=0.1, momentum=0.9, weight_decay=5e-4), momentum(lr=1, momentum=0.5), k=5)" \
  "diloco=outer_loop(momentum(lr=0.1, momentum=0.9, weight_decay=5e-4), momentum(lr=0.7, momentum=0.9, nesterov), k=5)" \
  "nested=lookahead(lookahead(momentum(lr=0.1, momentum=0.9, weight_decay=5e-4), k=2, alpha=0.5), k=10, alpha=0.5)" \
  "ema=ema(momentum(lr=0.1, momentum=0.9, weight_decay=5e-4), decay=0.98)" \
  "swa=swa(momentum(lr=0.1, momentum=0.9, weight_decay=5e-4), from=200, every=5)" \
  "schedule_free=schedule_free(sgd(lr=1, weight_decay=5e-4), beta=0.9)"

echo "written: $out/*/report.html; examples/results/collect.sh $out examples/results/data copies what is small"
