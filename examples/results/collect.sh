#!/usr/bin/env bash
# Copies what is small of run folders and studies, so that it can be committed and figures can be drawn again: the
# summaries and metrics of comparisons, the settings and results of studies, the findings of stability.
#   examples/results/collect.sh RUNS DEST             each folder of RUNS becomes DEST/NAME/
set -euo pipefail
runs=$1 dest=$2
for folder in "$runs"/*/; do
  name=$(basename "$folder")
  mkdir -p "$dest/$name"
  for file in summary.json metrics.csv study.json results.csv stability.json curves.csv; do
    if [ -f "$folder/$file" ]; then cp "$folder/$file" "$dest/$name/"; fi
  done
done
du -sh "$dest"
