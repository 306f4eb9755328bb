#!/usr/bin/env bash
# Builds the Python package, by maturin of .venv.
#
#   scripts/wheel.sh             build/wheel: a wheel for machines with this one's C library or a later one
#   scripts/wheel.sh manylinux   build/manylinux: the wheel that is shipped, for glibc 2.17 or later; compiled and linked by zig
#   scripts/wheel.sh aarch64     build/manylinux-aarch64: the same for aarch64; tests/emulation runs it
#   scripts/wheel.sh test        build/python: a new environment with the wheel of build/manylinux, and the packages of .venv for its tests
#   scripts/wheel.sh abort       build/python-abort: the same of a wheel that ends the process at a panic
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
export PATH="$PWD/.venv/bin:$PATH:$HOME/.cargo/bin"

build() { # build FOLDER OPTION..
  rm -rf "$1"
  # One folder for all that is compiled: the crates that the command has too are compiled once.
  maturin build --quiet --release --locked --manifest-path python/Cargo.toml --target-dir target --out "$@"
}

portable() { # portable FOLDER OPTION..
  # Without it the JPEG decoder would be compiled without SIMD, and without a word.
  command -v nasm > /dev/null || { echo "error: nasm is missing, for the SIMD code of the JPEG decoder; install it" >&2; exit 2; }
  build "$@" --zig --compatibility manylinux2014
}

# shellcheck source=scripts/rust-std.sh
source scripts/rust-std.sh

aarch64() {
  need_std aarch64-unknown-linux-gnu
  build build/manylinux-aarch64 --zig --compatibility manylinux2014 --target aarch64-unknown-linux-gnu
}

environment() { # environment FOLDER WHEELS
  local site
  rm -rf "$1"
  python -m venv --without-pip "$1"
  site=$("$1/bin/python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')
  python -c 'import sysconfig; print(sysconfig.get_path("purelib"))' > "$site/tests.pth"
  python -m pip --python "$1/bin/python" install --quiet --no-deps --no-index --disable-pip-version-check "$2"/*.whl
}

case ${1:-} in
  '') build build/wheel --compatibility linux ;;
  manylinux) portable build/manylinux ;;
  aarch64) aarch64 ;;
  test)
    portable build/manylinux
    environment build/python build/manylinux
    ;;
  abort)
    portable build/abort --features abort-on-panic
    environment build/python-abort build/abort
    ;;
  *) echo "error: unknown mode '$1': use manylinux, aarch64, test, abort or none" >&2; exit 2 ;;
esac
