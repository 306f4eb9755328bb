#!/usr/bin/env bash
# Makes a version's files in build/release: the job's jar, the command, the wheels, the image, the manifests, and their SHA-256.
# Publishes nothing. RELEASE.md has the steps around it.
#
#   scripts/release.sh            from a clean checkout of the tagged commit
#   scripts/release.sh --draft    from any state, without the image: to see whether it would work
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

draft=
case ${1:-} in
  '') ;;
  --draft) draft=yes ;;
  *) echo "error: unknown option '$1': use --draft, or none" >&2; exit 2 ;;
esac
fail() { echo "error: $*" >&2; exit 1; }

# 1. One version everywhere, and a page of the changelog for it.
version=$(scripts/version.py) || exit 1
if [ -z "$draft" ]; then
  [ -z "$(git status --porcelain)" ] || fail "the checkout has changes; commit or stash them"
  grep -q "^## \[$version\] - [0-9-]*$" CHANGELOG.md || fail "CHANGELOG.md has no section '## [$version] - YYYY-MM-DD'"
  [ "$(git tag --points-at HEAD --list "v$version")" = "v$version" ] || fail "HEAD is not tagged v$version"
fi

# 2. Build: what `make test-published` has tested.
make portable wheel wheel-aarch64
[ -n "$draft" ] || make image

# 3. Collect under a temporary name; the folder appears when it is complete.
folder=build/release
rm -rf "$folder" "$folder.tmp"
mkdir -p "$folder.tmp"
cp build/portable/tomobasis-spark.jar "$folder.tmp/tomobasis-spark-$version.jar"
# The command with what shells and `man` know of it, in the places that they look below a prefix.
command=$folder.tmp/command here=$(uname -m)
runs=build/portable/linux-$here/tomobasis
mkdir -p "$command"
scripts/shell-files.sh "$runs" "$command/share"
for arch in x86_64 aarch64; do
  cp "build/portable/linux-$arch/tomobasis" "$command"
  tar -C "$command" -czf "$folder.tmp/tomobasis-$version-linux-$arch.tar.gz" tomobasis share
done
rm -r "$command"
cp build/manylinux/*.whl build/manylinux-aarch64/*.whl "$folder.tmp"
git archive --format=tar.gz --prefix="tomobasis-k8s-$version/" -o "$folder.tmp/tomobasis-k8s-$version.tar.gz" HEAD:k8s
git archive --format=tar.gz --prefix="tomobasis-$version/" -o "$folder.tmp/tomobasis-$version-source.tar.gz" HEAD
[ -n "$draft" ] || cp build/image/tomobasis.tar "$folder.tmp/tomobasis-image-$version-linux-$here.tar"
(cd "$folder.tmp" && sha256sum -- * > SHA256SUMS)
mv "$folder.tmp" "$folder"
echo "release: $folder"
cat "$folder/SHA256SUMS"
