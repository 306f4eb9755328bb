#!/usr/bin/env bash
# What shells and `man` know of the command PROGRAM, in the places below the folder SHARE where they look; with --remove, removes that.
set -euo pipefail

remove=
[[ ${1:-} == --remove ]] && remove=1 && shift
[ $# -eq 2 ] || { echo "usage: shell-files.sh [--remove] PROGRAM SHARE" >&2; exit 2; }
program=$1 share=$2
bash=$share/bash-completion/completions/tomobasis
zsh=$share/zsh/site-functions/_tomobasis
fish=$share/fish/vendor_completions.d/tomobasis.fish
pages=$share/man/man1
if [ -z "$remove" ]; then
  mkdir -p -- "$(dirname -- "$bash")" "$(dirname -- "$zsh")" "$(dirname -- "$fish")"
  "$program" completions bash >"$bash"
  "$program" completions zsh >"$zsh"
  "$program" completions fish >"$fish"
  "$program" man "$pages"
  exit
fi
# Pages that the program does not write are other programs', whatever they are called.
own=$(mktemp -d)
trap 'rm -rf -- "$own"' EXIT
"$program" man "$own"
for page in "$own"/*; do
  rm -f -- "$pages/$(basename -- "$page")"
done
rm -f -- "$bash" "$zsh" "$fish"
