#!/usr/bin/env bash
# What shells and `man` know of the command PROGRAM, in the places below the folder SHARE where they look.
set -euo pipefail

[ $# -eq 2 ] || { echo "usage: shell-files.sh PROGRAM SHARE" >&2; exit 2; }
program=$1 share=$2
mkdir -p "$share"/{bash-completion/completions,zsh/site-functions,fish/vendor_completions.d}
"$program" completions bash > "$share/bash-completion/completions/tomobasis"
"$program" completions zsh > "$share/zsh/site-functions/_tomobasis"
"$program" completions fish > "$share/fish/vendor_completions.d/tomobasis.fish"
"$program" man "$share/man/man1"
