#!/usr/bin/env bash
# Four workers on CIFAR-10 at equal examples: gradients averaged in every step, and loops over workers that meet every k
# steps: local SGD (the mean of the workers' weights), Lookahead, DiLoCo's Nesterov. One comparison, one report.
#   examples/results/workers.sh [OUT] [SEEDS...]         default: runs/workers, seeds 0 1
# STEPS, RANKS and BATCH (of all ranks together) in the environment.
set -euo pipefail

cd "$(dirname "$0")/../.."
out=${1:-runs/workers}
shift || true
seeds=()
for seed in "${@:-0 1}"; do for one in $seed; do seeds+=(--seed "$one"); done; done

inner="momentum(lr=0.1, momentum=0.9, weight_decay=5e-4)"
mpirun --allow-run-as-root --oversubscribe -n "${RANKS:-4}" build/bin/cifar --dataset cifar10 --model convnet \
  --batch "${BATCH:-256}" --steps "${STEPS:-300}" --schedule "cosine(warmup=0.1)" --evaluate-every 100 --quiet --threads 1 \
  --out "$out" "${seeds[@]}" \
  --optimizer "averaged=$inner" \
  --optimizer "local=lookahead($inner, k={5,20,100}, alpha=1, workers)" \
  --optimizer "lookahead=lookahead($inner, k={5,20,100}, alpha=0.5, workers)" \
  --optimizer "diloco=outer_loop($inner, momentum(lr=0.7, momentum=0.9, nesterov), k={5,20,100}, workers)"
