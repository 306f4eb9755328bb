#!/usr/bin/env bash
# Installs qemu-user, which runs the command on other CPUs than this one's, on Debian 12 as root; elsewhere it says what is missing.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

command -v qemu-x86_64 > /dev/null && exit
if [ "$(id -u)" != 0 ] || ! command -v apt-get > /dev/null || ! grep -qsx 'VERSION_ID="12"' /etc/os-release; then
  echo "error: qemu-x86_64 is not on this machine (Debian: qemu-user); installed by itself only on Debian 12 as root" >&2
  exit 2
fi
echo "setup: installing qemu-user"
mkdir -p .setup
apt-get update -qq > .setup/apt.log 2>&1 || true # an old list may still do
DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends qemu-user > .setup/apt.log 2>&1 ||
  { tail -n 5 .setup/apt.log >&2; exit 1; }
