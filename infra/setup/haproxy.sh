#!/bin/sh
# Puts the HAProxy of another Debian into a folder, with the libraries that it was built for: haproxy.sh FOLDER [SUITE]
#
#   infra/setup/haproxy.sh /tmp/haproxy && PATH="/tmp/haproxy:$PATH" make test ARGS=tests/integration/test_front_door.py
#
# SUITE is sid; trixie has 3.0. This system's own HAProxy stays as it is. It takes root, and 300 MB.
set -eu
folder="$(mkdir -p "$1" && cd "$1" && pwd)"
cd "$(dirname "$0")/../.."

for command in debootstrap patchelf; do
    command -v "$command" >/dev/null || infra/setup/apt.sh "$command"
done
rm -rf "$folder/root"
debootstrap --variant=minbase --include=haproxy "${2:-sid}" "$folder/root" >&2
libraries="$(echo "$folder"/root/usr/lib/*-linux-gnu)"
# An own copy with its loader and libraries written into it, as a master starts itself anew by its path.
cp "$folder/root/usr/sbin/haproxy" "$folder/haproxy"
patchelf --set-interpreter "$(echo "$libraries"/ld-linux-*)" --force-rpath --set-rpath "$libraries" "$folder/haproxy"
"$folder/haproxy" -v
