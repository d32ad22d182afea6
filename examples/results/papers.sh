#!/usr/bin/env bash
# The papers' comparisons at this machine's scale, three seeds, each with Lookahead's controls: the inner rule at alpha
# times its learning rate. Each part is one command; folders under OUT that are finished are left alone, begun ones go on.
#   examples/results/papers.sh PART [OUT]     PART: cifar100, autoencoder, vae, translation; OUT: runs/papers
# THREADS and JOBS in the environment: threads in all, runs at a time.
set -euo pipefail

cd "$(dirname "$0")/../.."
part=${1:?a part: cifar100, autoencoder, vae, translation}
out=${2:-runs/papers}
mkdir -p "$out"

compare() {  # PROGRAM OPTION...
  local program=build/bin/$1 folder=$out/$part
  shift
  if [ -f "$folder/summary.json" ]; then echo "$folder: done"; return; fi
  if [ -f "$folder/manifest.json" ]; then
    "$program" --resume "$folder" --quiet
    return
  fi
  "$program" "$@" --seed 0 --seed 1 --seed 2 --threads "${THREADS:-1}" --jobs "${JOBS:-1}" --quiet --out "$folder"
}

# Zhang et al. 2019: batch 128, weight decay 5e-4, the rate times 0.2 after 30, 60 and 80 % of the training; Polyak's mean
# of a rule without momentum, AdamW, Lookahead with alpha 0.8 round both.
images() {  # SET OPTION...
  compare cifar --dataset "$1" --model resnet20 "${@:2}" \
    --schedule "multistep(at=0.3/0.6/0.8, by=0.2, warmup=0.05)" \
    --optimizer "momentum(lr=0.1, momentum=0.9, weight_decay=5e-4)" \
    --optimizer "lookahead(momentum(lr=0.1, momentum=0.9, weight_decay=5e-4), k=5, alpha=0.8)" \
    --optimizer "momentum_control=momentum(lr=0.08, momentum=0.9, weight_decay=5e-4)" \
    --optimizer "polyak=polyak(sgd(lr=0.3, weight_decay=5e-4))" \
    --optimizer "adamw(lr=3e-3, weight_decay=0.1)" \
    --optimizer "lookahead(adamw(lr=3e-3, weight_decay=0.1), k=5, alpha=0.8)" \
    --optimizer "adamw_control=adamw(lr=2.4e-3, weight_decay=0.1)"
}

# Nag: Adam from a rate that is too small to one that is too large.
reconstruction() {  # PROGRAM OPTION...
  compare "$1" "${@:2}" --schedule "cosine(warmup=0.05)" \
    --optimizer "adam(lr={1e-4,1e-3,1e-2,4e-2})" \
    --optimizer "lookahead(adam(lr={1e-4,1e-3,1e-2,4e-2}), k=5, alpha=0.5)" \
    --optimizer "control=adam(lr={5e-5,5e-4,5e-3,2e-2})"
}

case $part in
cifar100) images cifar100 --epochs 6 --evaluate-every 126 ;;
autoencoder)
  reconstruction autoencoder --dataset folder --data "${TANDEM_DATA:-$HOME/.cache/tandem}/scenes64" --batch 16 \
    --steps 500 --evaluate-every 250
  ;;
vae) reconstruction vae --dataset cifar100 --batch 64 --steps 250 --evaluate-every 125 ;;
translation)
  # Zhang et al. 2019: Adam with warm-up; Lookahead with and without. In place of WMT14 Multi30k, one pass.
  warm="inverse_sqrt(warmup=0.2)" cold="linear(end=0.3)"
  compare translate --epochs 1 --merges 3000 --dropout 0.1 --schedule constant --evaluate-every 10000 \
    --optimizer "adam_warm=adam(lr=1.5e-3 * $warm, beta2=0.98, eps=1e-9)" \
    --optimizer "lookahead_warm=lookahead(adam(lr=1.5e-3 * $warm, beta2=0.98, eps=1e-9), k=5, alpha=0.5)" \
    --optimizer "control_warm=adam(lr=7.5e-4 * $warm, beta2=0.98, eps=1e-9)" \
    --optimizer "adam_cold=adam(lr=1.5e-3 * $cold, beta2=0.98, eps=1e-9)" \
    --optimizer "lookahead_cold=lookahead(adam(lr=1.5e-3 * $cold, beta2=0.98, eps=1e-9), k=5, alpha=0.5)" \
    --optimizer "control_cold=adam(lr=7.5e-4 * $cold, beta2=0.98, eps=1e-9)"
  ;;
*) echo "unknown part \"$part\"" >&2; exit 64 ;;
esac
echo "written: $out/$part/report.html; examples/results/collect.sh $out examples/results/data copies what is small"
