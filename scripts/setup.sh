#!/usr/bin/env bash
# Brings the machine to where `make` can work: JDK, Gradle, Rust and a C compiler from Debian, Spark and the Python tools in .venv.
#
#   scripts/setup.sh build   what `make build` needs
#   scripts/setup.sh demo    beside it, the head CT of `make demo`
#   scripts/setup.sh test    beside both, the linters and the oracle's libraries
#
# On Debian 12 as root it installs what is missing; elsewhere it says what is missing and how to get it, and exits 2. What was done
# is stamped in .setup/ under a hash of this script and the pinned requirements, so a second run costs nothing.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

readonly oldest_rust=1.95 oldest_java=17 oldest_python=3.11
mode=${1:-build}
case $mode in
  build | demo) requirements=requirements.txt ;;
  test) requirements=tests/requirements.txt ;;
  *) echo "error: unknown mode '$mode': use build, demo or test" >&2; exit 2 ;;
esac
export PATH="$PATH:$HOME/.cargo/bin"

say() { echo "setup: $*"; }
have() { command -v "$1" > /dev/null; }
at_least() { [ "$(printf '%s\n' "$2" "$1" | sort -V | head -n 1)" = "$2" ]; } # at_least VERSION OLDEST

rust_is_good() { have cargo && have rustc && at_least "$(cargo --version | cut -d' ' -f2)" "$oldest_rust"; }
java_is_good() { have javac && at_least "$(javac -version 2>&1 | cut -d' ' -f2)" "$oldest_java"; }
python_is_good() {
  have python3 && python3 -c "import sys, venv, ensurepip; sys.exit(sys.version_info < tuple(map(int, '$oldest_python'.split('.'))))" 2> /dev/null
}
rust_tools_are_good() { cargo fmt --version > /dev/null 2>&1 && cargo clippy --version > /dev/null 2>&1; }

# What is missing: Debian packages, and the same in words for other systems.
packages=() missing=()
lacks() { missing+=("$1"); shift; packages+=("$@"); }
find_missing() {
  packages=() missing=()
  java_is_good || lacks "a JDK, $oldest_java or later (javac)" openjdk-17-jdk-headless
  have gradle || lacks "Gradle, 4.4.1 to 8 (gradle)" gradle
  have cc || lacks "a C compiler and linker (cc)" gcc libc6-dev
  have c++ || lacks "a C++ compiler, for the image decoders (c++)" g++
  have cmake || lacks "CMake, for the image decoders (cmake)" cmake
  python_is_good || lacks "Python $oldest_python or later with venv and ensurepip" python3 python3-venv
  ! have apt-get || [ -e /etc/ssl/certs/ca-certificates.crt ] || lacks "root certificates" ca-certificates
  if ! rust_is_good; then
    lacks "Rust $oldest_rust or later (cargo, rustc; https://rustup.rs)" rustc-web cargo-web rustfmt-web rust-web-clippy
  elif [ "$mode" = test ] && ! rust_tools_are_good && [ "$(command -v cargo)" = /usr/bin/cargo ]; then
    lacks "rustfmt and clippy" rustfmt-web rust-web-clippy
  fi
}

can_install() { [ "$(id -u)" = 0 ] && have apt-get && grep -qx 'VERSION_ID="12"' /etc/os-release && grep -qx 'ID=debian' /etc/os-release; }
install() { DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" > .setup/apt.log 2>&1; }

system_packages() {
  find_missing
  if [ ${#missing[@]} -gt 0 ]; then
    if ! can_install; then
      echo "error: missing on this machine (installed by itself only on Debian 12 as root):" >&2
      printf '  - %s\n' "${missing[@]}" >&2
      exit 2
    fi
    say "installing ${packages[*]}"
    apt-get update -qq > .setup/apt.log 2>&1 || true # an old list may still do
    install "${packages[@]}" || { tail -n 5 .setup/apt.log >&2; echo "error: apt-get failed: see .setup/apt.log" >&2; exit 1; }
    hash -r
    find_missing
    if [ ${#missing[@]} -gt 0 ]; then
      echo "error: still missing after apt-get: ${missing[*]} (is Debian's security archive among apt's sources?)" >&2
      exit 1
    fi
  fi
}

# The real head CT of the demo. Without it the demo makes a phantom.
example_scan() {
  [ -e /usr/share/doc/invesalius-examples ] && return
  if can_install; then
    say "installing invesalius-examples (a head CT)"
    apt-get update -qq > .setup/apt.log 2>&1 || true
    install invesalius-examples && return
  fi
  say "no head CT (Debian's invesalius-examples): a made phantom takes its place"
}

# What others make of the DICOM that we write, and of what we read. Without them the tests that ask them are skipped.
dicom_tools() {
  have dciodvfy && have dcmdjpls && return
  if can_install; then
    say "installing dcmtk and dicom3tools"
    install dcmtk dicom3tools && return
  fi
  say "no DCMTK or no dciodvfy (dicom3tools): tests that use them are skipped"
}

python_packages() {
  .venv/bin/python -c '' 2> /dev/null || { rm -rf .venv; python3 -m venv .venv; }
  say "installing Spark and Python packages into .venv (two minutes the first time)"
  .venv/bin/python -m pip install --quiet --use-pep517 --disable-pip-version-check -r "$requirements"
}

key=$(cat scripts/setup.sh requirements.txt tests/requirements.txt | sha256sum | cut -c1-16)
stamp=.setup/$mode.$key
if [ -e "$stamp" ] && have javac && have gradle && have cargo && have c++ && have cmake && [ -x .venv/bin/python ]; then
  exit 0
fi
mkdir -p .setup
system_packages
[ "$mode" = build ] || example_scan
[ "$mode" != test ] || dicom_tools
python_packages
for needed in build demo test; do # each includes those before it
  touch ".setup/$needed.$key"
  [ "$needed" != "$mode" ] || break
done
