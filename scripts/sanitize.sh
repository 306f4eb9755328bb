#!/usr/bin/env bash
# The tests of native/linalg where a read out of bounds or undefined behavior of any kind ends them.
#
#   scripts/sanitize.sh          both
#   scripts/sanitize.sh miri     some unit tests, interpreted: Miri shows no SIMD to the program, so the portable paths are what runs
#   scripts/sanitize.sh asan     all unit tests, with the address sanitizer: the kernels of this CPU too
#
# Both need a nightly toolchain of rustup; what cannot be had is skipped with a line that says so. Ends with "N passed, N failed[, N skipped]".
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
export PATH="$PATH:$HOME/.cargo/bin"

readonly package=tomobasis-linalg
passed=0 failed=0 skipped=0
log=$(mktemp)
trap 'rm -f "$log"' EXIT

# Interpreted, a test takes a thousand times its time: one or two of each part are bounded enough.
readonly interpreted=(
  gram::bytes gram::matrix gram::cross::tests::wrong_shapes gram::accumulator::tests::wrong_shapes
  gram::kernel::tests::blocks_of_different_types
  project::tests::decimal_slopes project::tests::wrong_shapes
  real::scale rounding::tests::subnormals
)

# suite NAME COMMAND...: adds up what cargo's "test result" lines say; a run that breaks off, or runs nothing, is a failure.
suite() {
  echo "-- $1"
  local code=0 ran=0
  "${@:2}" 2>&1 | tee "$log" || code=$?
  while read -r good bad; do
    passed=$((passed + good)) failed=$((failed + bad)) ran=$((ran + good + bad))
  done < <(sed -nE 's/^test result: .* ([0-9]+) passed; ([0-9]+) failed.*/\1 \2/p' "$log")
  if [ "$ran" = 0 ] || { [ "$code" != 0 ] && ! grep -q '^test result: FAILED' "$log"; }; then failed=$((failed + 1)); fi
}

skip() { echo "skipped: $1"; skipped=$((skipped + 1)); }

# component NAME: whether nightly has it, installed by rustup when it has not.
component() {
  rustup component list --toolchain nightly --installed 2> /dev/null | grep -q "^$1" ||
    rustup component add --toolchain nightly "$1" > /dev/null 2>&1
}

nightly() { # nightly WHAT COMPONENT...
  if ! cargo +nightly --version > /dev/null 2>&1; then
    skip "$1 needs a nightly toolchain of rustup (rustup toolchain install nightly)"
    return 1
  fi
  for part in "${@:2}"; do
    component "$part" || { skip "$1 needs $part of nightly (rustup component add --toolchain nightly $part)"; return 1; }
  done
}

miri() {
  nightly Miri miri rust-src || return 0
  suite Miri env MIRIFLAGS=-Zmiri-disable-isolation CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-target}/miri" \
    cargo +nightly miri test --locked -p "$package" --lib -- "${interpreted[@]}"
}

asan() {
  local host
  nightly "the address sanitizer" || return 0
  host=$(rustc +nightly -vV | sed -n 's/^host: //p')
  case $host in
    x86_64-unknown-linux-gnu | aarch64-unknown-linux-gnu) ;;
    *) skip "the address sanitizer: not on $host"; return 0 ;;
  esac
  # With --target, build scripts and procedural macros are built without it.
  suite "address sanitizer" env RUSTFLAGS=-Zsanitizer=address CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-target}/sanitize" \
    cargo +nightly test --locked --profile emulation -p "$package" --lib --target "$host"
}

case ${1:-both} in
  miri | asan) "$1" ;;
  both) miri; asan ;;
  *) echo "error: unknown check '$1': use miri or asan" >&2; exit 2 ;;
esac
summary="$passed passed, $failed failed"
[ "$skipped" = 0 ] || summary="$summary, $skipped skipped"
echo "$summary"
[ "$failed" = 0 ]
