#!/usr/bin/env bash
# Builds the Python package, by maturin of .venv.
#
#   scripts/wheel.sh             build/wheel: a wheel for machines with this one's C library or a later one
#   scripts/wheel.sh manylinux   build/manylinux: a wheel for glibc 2.17 or later, linked by zig
#   scripts/wheel.sh test        build/python: a new environment with the wheel of build/wheel, and the packages of .venv for its tests
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
export PATH="$PWD/.venv/bin:$PATH:$HOME/.cargo/bin"

build() { # build FOLDER OPTION..
  rm -rf "$1"
  maturin build --quiet --release --locked --manifest-path python/Cargo.toml --out "$@"
}

case ${1:-} in
  '') build build/wheel --compatibility linux ;;
  manylinux) build build/manylinux --zig --compatibility manylinux2014 ;;
  test)
    build build/wheel --compatibility linux
    rm -rf build/python
    python -m venv --without-pip build/python
    site=$(build/python/bin/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')
    python -c 'import sysconfig; print(sysconfig.get_path("purelib"))' > "$site/tests.pth"
    python -m pip --python build/python/bin/python install --quiet --no-deps --no-index --disable-pip-version-check build/wheel/*.whl
    ;;
  *) echo "error: unknown mode '$1': use manylinux, test or none" >&2; exit 2 ;;
esac
