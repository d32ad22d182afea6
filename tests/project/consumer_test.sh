#!/usr/bin/env bash
# Installs the build into a prefix of its own, then configures, builds and runs tests/consumer against it.
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
if grep -rl "onednn/" "$work/prefix/include" | grep -q .; then
  echo "a private header was installed or is included" >&2
  exit 1
fi
