#!/usr/bin/env bash
# The image without Docker: a Debian root file system by mmdebstrap, what gradle staged, and an OCI archive around both. For
# `ctr images import`, `minikube image load`, `kind load image-archive`, `skopeo copy oci-archive:...`.
#
#   k8s/image/build.sh            build/image/tomobasis.tar; needs root and mmdebstrap (apt-get install mmdebstrap)
#   k8s/image/build.sh arm64      on x86-64, build/image-arm64/tomobasis.tar; Debian's packages are set up by qemu
#
# The same packages and the same staged files give the same bytes.
# shellcheck disable=SC2016 # the hooks' "$1" is mmdebstrap's
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

here=$(uname -m) here=${here/x86_64/amd64} here=${here/aarch64/arm64}
arch=${1:-$here} folder=build/image emulated=
if [ "$arch" != "$here" ]; then folder=build/image-$arch emulated=tests/emulation/with-aarch64; fi
version=$(sed -n 's/^version = "\(.*\)"$/\1/p' Cargo.toml | head -n 1)
archive=$folder/tomobasis.tar
# Kept until what makes it changes; `make clean` lets in what changed in Debian.
debian=$folder/debian-$(cat k8s/image/build.sh k8s/image/keystore.py | sha256sum | cut -c1-12).tar

[ -d "$folder/root" ] || { echo "error: nothing is staged; run make image (make image-arm64)" >&2; exit 2; }
if [ ! -s "$debian" ]; then
  command -v mmdebstrap > /dev/null || { echo "error: mmdebstrap is not installed; apt-get install mmdebstrap" >&2; exit 2; }
  echo "image: Debian 12 with a Java 17 runtime (two minutes; by qemu ten)"
  # With /usr merged from the start no Perl is needed to merge it. The runtime's installer needs the folder of manual pages that is
  # left out; licenses stay.
  rm -f "$folder"/debian*.tar
  hooks=$(dirname "$(command -v mmdebstrap)")/../share/mmdebstrap/hooks
  SOURCE_DATE_EPOCH=0 $emulated mmdebstrap --quiet --variant=essential --mode=root --skip=check/qemu --architectures="$arch" \
    --include=openjdk-17-jre-headless,tini --hook-dir="$hooks/merged-usr" \
    --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-include=/usr/share/doc/*/copyright' \
    --dpkgopt='path-exclude=/usr/share/man/*' --dpkgopt='path-exclude=/usr/share/locale/*' \
    --essential-hook='mkdir -p "$1/usr/share/man/man1"' \
    --customize-hook='rm "$1"/usr/lib/jvm/java-17-openjdk-*/lib/ct.sym "$1"/usr/lib/jvm/java-17-openjdk-*/lib/server/classes_nocoops.jsa' \
    --customize-hook='python3 k8s/image/keystore.py "$1/etc/ssl/certs/java/cacerts"' \
    --customize-hook='find "$1" -xdev -type f -perm /6000 -exec chmod a-s {} +' \
    --customize-hook='echo "spark:x:185:" >> "$1/etc/group"' \
    --customize-hook='echo "spark:x:185:185::/tmp:/usr/sbin/nologin" >> "$1/etc/passwd"' \
    --customize-hook='rm -rf "$1"/var/lib/apt/lists/* "$1"/var/cache/* "$1"/var/log/* "$1"/etc/apt/sources.list*' \
    bookworm "$debian.tmp.tar" > /dev/null
  mv "$debian.tmp.tar" "$debian"
fi
exec python3 k8s/image/oci.py "$archive" "localhost/tomobasis:$version" "$debian" "$folder/root" --arch "$arch" \
  --label org.opencontainers.image.title=TomoBasis \
  --label "org.opencontainers.image.description=Exact, bit-reproducible SVD of CT series on Spark" \
  --label "org.opencontainers.image.version=$version" --label org.opencontainers.image.licenses=Apache-2.0 \
  --env SPARK_HOME=/opt/spark --env MALLOC_ARENA_MAX=4 --workdir /tmp --user 185:185 --entrypoint /opt/entrypoint.sh
