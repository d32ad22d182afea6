#!/usr/bin/env bash
# Installs the build into a prefix of its own, then configures, builds and runs tests/consumer against it: a first program,
# one with a layer and an op of its own, and one with a model and a rule of its own on tandem::train, which is killed in
# mid-run and resumed to the same bits.
#   consumer_test.sh BUILD_DIR CXX_COMPILER
set -euo pipefail
build=$1 compiler=$2
source=$(cd "$(dirname "$0")/../consumer" && pwd)
work=$build/consumer
rm -rf "$work"
cmake --install "$build" --prefix "$work/prefix" >"$build/consumer_install.log"
cmake -S "$source" -B "$work/build" -G Ninja -DCMAKE_PREFIX_PATH="$work/prefix" -DCMAKE_CXX_COMPILER="$compiler" \
  -DCMAKE_BUILD_TYPE=Release
cmake --build "$work/build"
"$work/build/consumer"
"$work/build/own_layer" >"$work/own_layer.log"

own=$work/build/own_program
options=(--threads 1 --quiet --optimizer "signed(lr={0.001,0.003})" --seed 0 --seed 1 --epochs 4 --checkpoint-every 1)
"$own" "${options[@]}" --out "$work/whole" >"$work/whole.log"
"$own" "${options[@]}" --out "$work/killed" >"$work/killed.log" &
child=$!
last="$work/killed/lr=0.003-seed0/checkpoint.safetensors" # of the second of four runs
until [ -e "$last" ] || ! kill -0 $child 2>/dev/null; do sleep 0.01; done
sleep "0.0$((RANDOM % 10))"
kill -KILL $child
wait $child && { echo "the program ended before it was killed" >&2; exit 1; }
"$own" --resume "$work/killed" >"$work/resumed.log"
for run in "lr=0.001-seed0" "lr=0.003-seed0" "lr=0.001-seed1" "lr=0.003-seed1"; do
  for file in model.safetensors metrics.csv steps.csv; do cmp "$work/whole/$run/$file" "$work/killed/$run/$file"; done
done
grep -q "signed" "$work/killed/report.html"
# An update of a rule and a model that Tandem does not know, of a run that was killed.
for out in whole killed; do
  "$work/prefix/bin/explain" "$work/$out/lr=0.003-seed0" --step 50 --largest >"$work/$out.txt"
done
cmp "$work/whole.txt" "$work/killed.txt"
grep -q "signed(lr=0.003)" "$work/killed.txt"
grep -q "as the optimizer has it" "$work/killed.txt"
"$work/prefix/bin/report" "$work/killed" --out "$work/report.html"
if grep -rl "onednn/" "$work/prefix/include" | grep -q .; then
  echo "a private header was installed or is included" >&2
  exit 1
fi
