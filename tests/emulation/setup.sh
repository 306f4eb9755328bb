#!/usr/bin/env bash
# Sets up what runs the command on other machines than this one, under emulation, on Debian 12 as root; elsewhere it says what is missing.
#
#   tests/emulation/setup.sh x86       qemu-user
#   tests/emulation/setup.sh aarch64   beside it, cross compilers; in .setup/rust-aarch64 a Rust 1.96 with the standard library for aarch64,
#                                      in .setup/qemu a qemu that needs no library of the machine (tests/emulation/with-aarch64)
#   tests/emulation/setup.sh python    qemu-user; in .setup/python-aarch64 Debian's Python for aarch64, with the libraries it needs, and
#                                      in .setup/python-aarch64/numpy the wheel of NumPy (tests/emulation/python-aarch64)
#
# Debian's rustc-web is unpacked, not installed: it cannot stand beside rustup's packages, and nothing else should start to use it. Nor
# is that qemu: installed, it would run programs for twenty machines, everywhere and always.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

readonly version=1.96
readonly rust=$PWD/.setup/rust-aarch64 qemu=$PWD/.setup/qemu python=$PWD/.setup/python-aarch64
mode=${1:-x86}

say() { echo "setup: $*"; }
can_install() { [ "$(id -u)" = 0 ] && command -v apt-get > /dev/null && grep -qsx 'VERSION_ID="12"' /etc/os-release; }
need() { # need COMMAND PACKAGE...
  command -v "$1" > /dev/null && return
  can_install || { echo "error: $1 is not on this machine (Debian: ${*:2}); installed by itself only on Debian 12 as root" >&2; exit 2; }
  say "installing ${*:2}"
  apt-get update -qq > .setup/apt.log 2>&1 || true # an old list may still do
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${@:2}" > .setup/apt.log 2>&1 ||
    { tail -n 5 .setup/apt.log >&2; exit 1; }
}

# fetch ARCHITECTURE PACKAGE...: downloads into .setup/packages, with lists of that architecture's own.
fetch() {
  local lists=$PWD/.setup/packages/lists-$1
  local apt=(apt-get -qq "-oAPT::Architecture=$1" "-oAPT::Architectures=$1" "-oDir::State::Lists=$lists" -oAPT::Sandbox::User=root)
  mkdir -p "$lists/partial"
  "${apt[@]}" update
  (cd .setup/packages && "${apt[@]}" download "${@:2}")
}

# start FOLDER WHAT, finish FOLDER: around what is fetched to be unpacked there.
start() {
  can_install || { echo "error: needs $2; it is unpacked by itself only on Debian 12 as root" >&2; exit 2; }
  say "unpacking $2 into ${1#"$PWD"/}"
  rm -rf "$1" .setup/packages
  mkdir -p "$1" .setup/packages
}
finish() {
  for package in .setup/packages/*.deb; do dpkg -x "$package" "$1"; done
  rm -rf .setup/packages
  touch "$1/complete"
}

rust_for_aarch64() {
  [ -e "$rust/complete" ] && return
  start "$rust" "Rust $version for aarch64"
  fetch amd64 rustc-web "libstd-rust-web-$version" libstd-rust-web-dev libllvm22 libz3-4
  fetch arm64 "libstd-rust-web-$version" libstd-rust-web-dev
  finish "$rust"
}

qemu_for_aarch64() {
  [ -e "$qemu/complete" ] && return
  start "$qemu" qemu
  fetch amd64 qemu-user-static
  finish "$qemu"
}

python_for_aarch64() {
  [ -e "$python/complete" ] && return
  start "$python" "Python for aarch64"
  fetch arm64 python3.11-minimal libpython3.11-minimal libpython3.11-stdlib libc6 libgcc-s1 libstdc++6 zlib1g libexpat1 libssl3 \
    libffi8 libbz2-1.0 liblzma5 libuuid1 libcrypt1
  tests/emulation/pip-aarch64 "$python/numpy" numpy
  finish "$python"
}

mkdir -p .setup
case $mode in
  x86) need qemu-x86_64 qemu-user ;;
  aarch64)
    need qemu-aarch64 qemu-user
    need aarch64-linux-gnu-gcc gcc-aarch64-linux-gnu libc6-dev-arm64-cross
    need aarch64-linux-gnu-g++ g++-aarch64-linux-gnu
    rust_for_aarch64
    qemu_for_aarch64
    ;;
  python)
    need qemu-aarch64 qemu-user
    python_for_aarch64
    ;;
  *) echo "error: unknown mode '$mode': use x86, aarch64 or python" >&2; exit 2 ;;
esac
