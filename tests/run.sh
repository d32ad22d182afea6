#!/usr/bin/env bash
# Installs the Debian packages that are missing, builds Tandem in build/ and runs every test.
#   tests/run.sh               everything
#   tests/run.sh -R core/      what is given goes to ctest
# TANDEM_CMAKE holds further options for cmake, e.g. TANDEM_CMAKE=-DTANDEM_WARNINGS_AS_ERRORS=ON.
set -euo pipefail
cd "$(dirname "$0")/.."

cmake/install_packages.sh cmake/packages.txt tests/packages.txt
read -ra options <<<"${TANDEM_CMAKE:-}"
cmake -S . -B build -G Ninja -DCMAKE_BUILD_TYPE=Release "${options[@]}"
cmake --build build
ctest --test-dir build --output-on-failure --parallel 2 "$@"
