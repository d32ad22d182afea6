#!/usr/bin/env bash
# Tests examples/get_data.sh with small archives behind file:// addresses. Argument: the source folder of the project.
set -u
script=$1/examples/get_data.sh
root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
export TANDEM_DATA=$root/data TANDEM_MIRROR=file://$root/mirror
failures=0

# check NAME EXPECTED-CODE TEXT: runs the script on the arguments after these; its output must hold TEXT.
check() {
  local name=$1 code=$2 text=$3 output status lines
  shift 3
  output=$("$script" "$@" 2>&1)
  status=$?
  lines=$(printf '%s\n' "$output" | grep -vc ': downloading ')
  if [ "$status" -ne "$code" ] || ! grep -qF -- "$text" <<<"$output" || [ "$lines" -ne 1 ]; then
    printf 'FAILED %s: expected code %s and one line with "%s", got code %s and:\n%s\n' \
      "$name" "$code" "$text" "$status" "$output"
    failures=$((failures + 1))
  fi
}

# holds NAME FILES...: the data folder holds exactly these entries, hidden ones counted.
holds() {
  local name=$1 found
  shift
  found=$(ls -A "$TANDEM_DATA" 2>/dev/null | sort | tr '\n' ' ')
  if [ "$found" != "${*:+$* }" ]; then
    echo "FAILED $name: the data folder holds \"$found\", expected \"$*\""
    failures=$((failures + 1))
  fi
}

md5_of() { md5sum "$1" | cut -d ' ' -f 1; }

mkdir -p "$root/mirror" "$root/tree/cifar-10-batches-bin" "$root/tree/cifar-100-binary" "$root/tree/other"
echo ten >"$root/tree/cifar-10-batches-bin/data_batch_1.bin"
echo hundred >"$root/tree/cifar-100-binary/train.bin"
ten=$root/mirror/cifar-10-binary.tar.gz hundred=$root/mirror/cifar-100-binary.tar.gz

check 'no set' 2 'one set is needed'
check 'unknown set' 2 'unknown set: "cifar11"; known: cifar10, cifar100, ptb, multi30k, tinyshakespeare' cifar11
check 'missing archive' 1 "download failed: file://$ten" cifar10
holds 'missing archive'

tar -czf "$ten" -C "$root/tree" cifar-10-batches-bin
check 'wrong checksum' 1 "expected MD5 c32a1d4ab5d03f1284b67883e8d87530, found $(md5_of "$ten")" cifar10
holds 'wrong checksum'

TANDEM_MD5=$(md5_of "$ten") check 'good archive' 0 "ready in $TANDEM_DATA/cifar-10-batches-bin" cifar10
holds 'good archive' cifar-10-batches-bin
cmp -s "$root/tree/cifar-10-batches-bin/data_batch_1.bin" "$TANDEM_DATA/cifar-10-batches-bin/data_batch_1.bin" ||
  { echo 'FAILED good archive: its file differs'; failures=$((failures + 1)); }
rm "$ten"
check 'already there' 0 "is there already: $TANDEM_DATA/cifar-10-batches-bin" cifar10

echo 'not an archive' >"$hundred"
TANDEM_MD5=$(md5_of "$hundred") check 'not an archive' 1 'archive cannot be unpacked' cifar100
tar -czf "$hundred" -C "$root/tree" other
TANDEM_MD5=$(md5_of "$hundred") check 'foreign archive' 1 'archive has no folder cifar-100-binary' cifar100
tar -czf "$hundred" -C "$root/tree" cifar-100-binary
holds 'before the second set' cifar-10-batches-bin
TANDEM_MD5=$(md5_of "$hundred") check 'second set' 0 'ready in' cifar100
holds 'second set' cifar-10-batches-bin cifar-100-binary

echo file >"$root/file"
TANDEM_DATA=$root/file/data check 'folder cannot be made' 1 "folder cannot be made: $root/file/data" cifar10
(unset TANDEM_DATA; HOME=$root/user TANDEM_MD5=$(md5_of "$hundred") "$script" cifar100 >/dev/null)
[ -f "$root/user/.cache/tandem/cifar-100-binary/train.bin" ] ||
  { echo 'FAILED default folder: not below $HOME/.cache/tandem'; failures=$((failures + 1)); }

# Sets of several files: all of them or none; what lies in the folder already stays.
holds 'before the texts' cifar-10-batches-bin cifar-100-binary
for part in train valid test; do echo "$part" >"$root/mirror/ptb.$part.txt"; done
sums() { md5sum "$@" | cut -d ' ' -f 1 | tr '\n' ' '; }
ptb=("$root"/mirror/ptb.{train,valid,test}.txt)
check 'texts of another version' 1 "wrong checksum: file://${ptb[0]}" ptb
TANDEM_MD5="$(sums "${ptb[0]}") 0" check 'only the first as expected' 1 "wrong checksum: file://${ptb[1]}: expected MD5 0" ptb
holds 'nothing of an incomplete set' cifar-10-batches-bin cifar-100-binary
TANDEM_MD5=$(sums "${ptb[@]}") check 'three files' 0 "ptb: ready in $TANDEM_DATA/ptb" ptb
[ "$(cat "$TANDEM_DATA"/ptb/ptb.{train,valid,test}.txt | tr '\n' ' ')" = 'train valid test ' ] ||
  { echo 'FAILED three files: not those of the mirror'; failures=$((failures + 1)); }
check 'three files again' 0 "is there already: $TANDEM_DATA/ptb" ptb

captions=("$root"/mirror/{train,val,test_2016_flickr}.{de,en,fr}.gz)
for file in "${captions[@]}"; do basename "$file" .gz | gzip -n >"$file"; done
TANDEM_MD5=$(sums "${captions[@]}") check 'compressed files' 0 "ready in $TANDEM_DATA/multi30k" multi30k
[ "$(cat "$TANDEM_DATA/multi30k/val.fr")" = val.fr ] ||
  { echo 'FAILED compressed files: val.fr differs'; failures=$((failures + 1)); }

mkdir "$TANDEM_DATA/text"
echo mine >"$TANDEM_DATA/text/mine.txt"
echo 'To be' >"$root/mirror/input.txt"
TANDEM_MD5=$(sums "$root/mirror/input.txt") check 'a file beside others' 0 'ready in' tinyshakespeare
[ "$(cat "$TANDEM_DATA"/text/*)" = $'mine\nTo be' ] ||
  { echo 'FAILED a file beside others: the folder holds something else'; failures=$((failures + 1)); }

[ "$failures" -eq 0 ] && echo 'get_data: all passed'
exit $((failures > 0))
