#!/usr/bin/env bash
# get_data.sh SET: downloads a data set from its official home, checks it, and puts it where Tandem's programs look:
# $TANDEM_DATA, else ~/.cache/tandem. Sets: cifar10, cifar100 (170 MB each; 180 MB unpacked).
# TANDEM_MIRROR replaces the address of the home (file:///... too), TANDEM_MD5 the expected checksum.
# Nothing is left behind when it fails: one line says why, and the exit code is 1 (2: wrong usage).
set -euo pipefail

die() {
  echo "get_data: $2" >&2
  exit "$1"
}

[ $# -eq 1 ] || die 2 "one set is needed: examples/get_data.sh cifar10 or cifar100"
home=https://www.cs.toronto.edu/~kriz
case "$1" in
  cifar10) archive=cifar-10-binary.tar.gz folder=cifar-10-batches-bin md5=c32a1d4ab5d03f1284b67883e8d87530 ;;
  cifar100) archive=cifar-100-binary.tar.gz folder=cifar-100-binary md5=03b5dce01913d631647c71ecec9e9cb8 ;;
  *) die 2 "unknown set: \"$1\"; known: cifar10, cifar100" ;;
esac
address=${TANDEM_MIRROR:-$home}/$archive
md5=${TANDEM_MD5:-$md5}
data=${TANDEM_DATA:-${HOME:?get_data: neither TANDEM_DATA nor HOME is set}/.cache/tandem}

if [ -d "$data/$folder" ]; then
  echo "$1 is there already: $data/$folder"
  exit 0
fi
for tool in curl md5sum tar gzip; do
  command -v "$tool" >/dev/null || die 1 "$tool is missing; install it with: apt-get install curl coreutils tar gzip"
done

mkdir -p "$data" 2>/dev/null || die 1 "folder cannot be made: $data"
work=$(mktemp -d "$data/.$1.XXXXXX" 2>/dev/null) || die 1 "folder cannot be written: $data"
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM

echo "$1: downloading $address"
if [ -t 2 ]; then
  curl --fail --location --progress-bar --output "$work/$archive" "$address" || die 1 "download failed: $address"
else
  curl --fail --location --silent --show-error --output "$work/$archive" "$address" 2>"$work/log" ||
    die 1 "download failed: $address: $(tail -n 1 "$work/log")"
fi
found=$(md5sum "$work/$archive" | cut -d ' ' -f 1)
[ "$found" = "$md5" ] || die 1 "wrong checksum: $address: expected MD5 $md5, found $found; nothing was kept"
mkdir "$work/unpacked"
tar -xzf "$work/$archive" -C "$work/unpacked" 2>"$work/log" ||
  die 1 "archive cannot be unpacked: $address: $(tail -n 1 "$work/log")"
[ -d "$work/unpacked/$folder" ] || die 1 "archive has no folder $folder: $address"
mv -T "$work/unpacked/$folder" "$data/$folder" || die 1 "cannot be moved into place: $data/$folder"
echo "$1: ready in $data/$folder"
