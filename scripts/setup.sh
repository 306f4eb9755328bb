#!/usr/bin/env bash
# Brings the machine to where `make` can work: JDK, Gradle, Rust and a C compiler from the system, Spark and the Python tools in .venv.
#
#   scripts/setup.sh build   what `make build` needs
#   scripts/setup.sh demo    beside it, the head CT of `make demo`
#   scripts/setup.sh test    beside both, the linters and the oracle's libraries
#
# On Debian 12 and 13 as root it installs what is missing; elsewhere it says what is missing, with the commands that install it on Debian
# and Ubuntu, and exits 2. Where nothing is missing it needs no root. What was done is stamped in .setup/ under a hash of this script and
# the pinned requirements, so a second run costs nothing.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

readonly oldest_rust=1.95 oldest_java=17 last_java=22 oldest_python=3.11 # the Hadoop of Spark 4.1 calls Subject.getSubject, which Java 23 and later refuse
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
javac() { command "${JAVA_HOME:+$JAVA_HOME/bin/}javac" "$@"; } # the one that Gradle and Spark take
java_is_good() {
  local version
  version=$(javac -version 2> /dev/null | cut -d' ' -f2) && version=${version%%.*}
  [ -n "$version" ] && [ "$version" -ge "$oldest_java" ] && [ "$version" -le "$last_java" ]
}
python_is_good() {
  have python3 && python3 -c "import sys, venv, ensurepip; sys.exit(sys.version_info < tuple(map(int, '$oldest_python'.split('.'))))" 2> /dev/null
}
rust_tools_are_good() { cargo fmt --version > /dev/null 2>&1 && cargo clippy --version > /dev/null 2>&1; }

# What is missing: in words, and as packages of Debian and Ubuntu. Where these have no Rust that is new enough, rustup brings it.
packages=() missing=() rustup=
lacks() { missing+=("$1"); shift; packages+=("$@"); }
find_missing() {
  packages=() missing=() rustup=
  java_is_good || lacks "a JDK, $oldest_java to $last_java (javac; JAVA_HOME chooses one of several)" default-jdk-headless
  have gradle || lacks "Gradle, 4.4.1 to 8 (gradle)" gradle
  have cc || lacks "a C compiler and linker (cc)" gcc libc6-dev
  have c++ || lacks "a C++ compiler, for the image decoders (c++)" g++
  have cmake || lacks "CMake, for the image decoders (cmake)" cmake
  [ "$mode" != test ] || have nasm || lacks "NASM, for the JPEG decoder of the Python package (nasm)" nasm
  python_is_good || lacks "Python $oldest_python or later with venv and ensurepip" python3 python3-venv
  ! have apt-get || [ -e /etc/ssl/certs/ca-certificates.crt ] || lacks "root certificates" ca-certificates
  if ! rust_is_good; then
    if debian; then
      lacks "Rust $oldest_rust or later (cargo, rustc)" rustc-web cargo-web rustfmt-web rust-web-clippy
    else
      lacks "Rust $oldest_rust or later (cargo, rustc)"
      rustup=yes
    fi
  elif [ "$mode" = test ] && ! rust_tools_are_good && [ "$(command -v cargo)" = /usr/bin/cargo ]; then
    lacks "rustfmt and clippy" rustfmt-web rust-web-clippy
  fi
}

debian() { grep -qsx 'ID=debian' /etc/os-release && grep -qsxE 'VERSION_ID="1[23]"' /etc/os-release; }
can_install() { [ "$(id -u)" = 0 ] && have apt-get && debian; }
install() { DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" > .setup/apt.log 2>&1; }

say_how() {
  echo "error: missing on this machine (installed without asking only on Debian 12 and 13 as root):" >&2
  printf '  - %s\n' "${missing[@]}" >&2
  have apt-get || { echo "Rust comes from https://rustup.rs, the rest from the system's packages." >&2; exit 2; }
  echo "These commands install it:" >&2
  [ ${#packages[@]} = 0 ] || echo "    sudo apt-get update && sudo apt-get install --no-install-recommends ${packages[*]}" >&2
  [ -z "$rustup" ] || echo "    sudo apt-get install rustup && rustup default stable        # or as https://rustup.rs says" >&2
  exit 2
}

system_packages() {
  if [ -n "${JAVA_HOME:-}" ] && ! java_is_good; then
    echo "error: JAVA_HOME is $JAVA_HOME, which is no JDK $oldest_java to $last_java (Spark 4.1 needs one); set it to one, or unset it" >&2
    exit 2
  fi
  find_missing
  if [ ${#missing[@]} -gt 0 ]; then
    can_install || say_how
    apt-get update -qq > .setup/apt.log 2>&1 || true # an old list may still do
    say "installing ${packages[*]}"
    install "${packages[@]}" || { tail -n 5 .setup/apt.log >&2; echo "error: apt-get failed: see .setup/apt.log" >&2; exit 1; }
    hash -r
    find_missing
    if [ ${#missing[@]} -gt 0 ]; then
      echo "error: still missing after apt-get: ${missing[*]} (is Debian's security archive among apt's sources?)" >&2
      exit 1
    fi
  fi
}

# Not every Gradle runs on every Java: asked of a build that does nothing.
gradle_runs_on_this_java() {
  local probe=.setup/gradle
  mkdir -p $probe
  echo 'task nothing' > $probe/build.gradle
  : > $probe/settings.gradle
  gradle --no-daemon --quiet --project-dir $probe nothing > .setup/gradle.log 2>&1 && return
  echo "error: $(gradle --version 2> /dev/null | grep -m 1 '^Gradle') does not run on $(javac -version 2>&1) (see .setup/gradle.log); set JAVA_HOME" \
    "to a JDK 17 or 21 (Debian, Ubuntu: default-jdk-headless), or install a newer Gradle" >&2
  exit 2
}

# The real head CT of the demo. Without it the demo makes a phantom.
example_scan() {
  [ -e /usr/share/doc/invesalius-examples ] && return
  if can_install; then
    say "installing invesalius-examples (a head CT)"
    apt-get update -qq > .setup/apt.log 2>&1 || true
    install invesalius-examples && return
  fi
  say "no head CT (Debian's invesalius-examples): a synthetic phantom takes its place"
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

# What shows reports. Without it the tests of how they look and what they do are skipped.
web_browser() {
  have chromium-headless-shell || have chromium || have google-chrome && return
  if can_install; then
    say "installing chromium-headless-shell"
    install chromium-headless-shell && return
  fi
  say "no Chromium: tests of the report in a web browser are skipped"
}

python_packages() {
  .venv/bin/python -c '' 2> /dev/null || { rm -rf .venv; python3 -m venv .venv; }
  say "installing Spark and Python packages into .venv (two minutes the first time)"
  .venv/bin/python -m pip install --quiet --use-pep517 --disable-pip-version-check -r "$requirements"
}

key=$(cat scripts/setup.sh requirements.txt tests/requirements.txt | sha256sum | cut -c1-16)
stamp=.setup/$mode.$key
if [ -e "$stamp" ] && java_is_good && have gradle && have cargo && have c++ && have cmake && [ -x .venv/bin/python ]; then
  exit 0
fi
mkdir -p .setup
system_packages
gradle_runs_on_this_java
[ "$mode" = build ] || example_scan
[ "$mode" != test ] || { dicom_tools; web_browser; }
python_packages
for needed in build demo test; do # each includes those before it
  touch ".setup/$needed.$key"
  [ "$needed" != "$mode" ] || break
done
