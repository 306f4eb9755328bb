#!/usr/bin/env bash
# Rust's standard library for another machine, for scripts that source this: from rustup, or, where Rust is Debian's, for aarch64 from
# what tests/emulation/setup.sh unpacks. From the root of the checkout.
#
#   need_std TARGET    exports RUSTC where it is another compiler; ends the script where there is no such library

has_std() { compgen -G "$("${RUSTC:-rustc}" --print target-libdir --target "$1")/libstd-*.rlib" > /dev/null; }

need_std() {
  has_std "$1" && return
  if command -v rustup > /dev/null; then
    rustup --quiet target add "$1"
  elif [ "$1" = aarch64-unknown-linux-gnu ]; then
    tests/emulation/setup.sh aarch64
    export RUSTC=$PWD/tests/emulation/rustc-aarch64
  fi
  has_std "$1" || { echo "error: this Rust has no standard library for $1; install Rust by rustup" >&2; exit 2; }
}
