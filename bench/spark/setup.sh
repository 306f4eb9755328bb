#!/usr/bin/env bash
# Gets what bench-spark compares with beside Maven's jars, on Debian 12 as root; elsewhere it says what the benchmark will do without.
#
# In .setup/openblas: Debian's OpenBLAS, for MLlib's native BLAS. In .setup/jdk8: the Java 8 that Spark 2.4 is for, of Debian unstable,
# with the C library that it needs; its launcher is told where that is. Unpacked, not installed: nothing else should start to use them.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

readonly blas=$PWD/.setup/openblas jdk=$PWD/.setup/jdk8 packages=$PWD/.setup/packages
readonly libraries=usr/lib/x86_64-linux-gnu

[ -e "$blas/complete" ] && [ -e "$jdk/complete" ] && exit
if [ "$(id -u)" != 0 ] || ! grep -qsx 'VERSION_ID="12"' /etc/os-release || [ "$(uname -m)" != x86_64 ]; then
  echo "setup: no OpenBLAS and no Java 8 for the benchmark; they are unpacked on Debian 12 on x86-64 as root" >&2
  exit 0
fi

# get FOLDER WHAT PACKAGE...: unpacks packages; `apt` has the options of apt-get.
get() {
  echo "setup: unpacking $2 into ${1#"$PWD"/}"
  rm -rf "$1" "$packages"
  mkdir -p "$1" "$packages/lists/partial"
  apt-get -qq "${apt[@]}" update
  (cd "$packages" && apt-get -qq "${apt[@]}" download "${@:3}")
  for package in "$packages"/*.deb; do dpkg -x "$package" "$1"; done
}

if [ ! -e "$blas/complete" ]; then
  apt=(-oAPT::Sandbox::User=root)
  get "$blas" OpenBLAS libopenblas0-pthread libgfortran5 libquadmath0
  touch "$blas/complete"
fi

mkdir -p .setup
# Where this machine has Debian from, as far as its own lists say.
debian=$(apt-get indextargets --format '$(REPO_URI)' 'Codename: bookworm' | head -n 1)
echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $debian sid main" > .setup/unstable.list
apt=(-oAPT::Sandbox::User=root "-oDir::Etc::SourceList=$PWD/.setup/unstable.list" -oDir::Etc::SourceParts=/dev/null
  "-oDir::State::Lists=$packages/lists" -oAcquire::Languages=none)
get "$jdk" 'Java 8' openjdk-8-jre-headless libc6 libgcc-s1 libstdc++6 zlib1g patchelf
readonly home=$jdk/usr/lib/jvm/java-8-openjdk-amd64/jre c=$jdk/$libraries
# Its settings are links into /etc, where they would be if it were installed.
find "$home/lib" -type l -lname '/etc/java-8-openjdk/*' -printf '%p %l\n' | while read -r link target; do
  ln -sf "$jdk$target" "$link"
done
"$c/ld-linux-x86-64.so.2" --library-path "$c" "$jdk/usr/bin/patchelf" --set-interpreter "$c/ld-linux-x86-64.so.2" \
  --force-rpath --set-rpath "\$ORIGIN/../lib/amd64/jli:\$ORIGIN/../lib/amd64:$c" "$home/bin/java"
"$home/bin/java" -version 2> .setup/jdk8.log || { cat .setup/jdk8.log >&2; exit 1; }
rm -rf "$packages" .setup/unstable.list
touch "$jdk/complete"
