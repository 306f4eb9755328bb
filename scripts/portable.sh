#!/usr/bin/env bash
# Builds what is shipped for other machines than this one: the shared library of the jar, and the command, without symbols, for x86-64
# and aarch64 and glibc 2.17 or later, in build/portable/linux-ARCH. Compiled and linked by zig, with cargo-zigbuild; both are in .venv
# (scripts/setup.sh test).
#
#   scripts/portable.sh              both
#   scripts/portable.sh ARCH...      only these: x86_64, aarch64
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
export PATH="$PWD/.venv/bin:$PATH:$HOME/.cargo/bin"

fail() { echo "error: $*" >&2; exit 2; }

# Without it the JPEG decoder would be compiled without SIMD, and without a word.
command -v nasm > /dev/null || fail "nasm is missing, for the SIMD code of the JPEG decoder; install it"
command -v cargo-zigbuild > /dev/null || fail "cargo-zigbuild is not in .venv; run scripts/setup.sh test"

# shellcheck source=scripts/rust-std.sh
source scripts/rust-std.sh

[ $# -gt 0 ] || set -- x86_64 aarch64
for arch in "$@"; do
  case $arch in x86_64 | aarch64) ;; *) fail "unknown architecture '$arch': use x86_64 or aarch64" ;; esac
  target=$arch-unknown-linux-gnu
  need_std "$target"
  cargo-zigbuild zigbuild --quiet --release --locked --package tomobasis-jni --package tomobasis-cli --target "$target.2.17"
  out=build/portable/linux-$arch
  rm -rf "$out"
  mkdir -p "$out"
  cp "${CARGO_TARGET_DIR:-target}/$target/release/"{libtomobasis_jni.so,tomobasis} "$out"
done
