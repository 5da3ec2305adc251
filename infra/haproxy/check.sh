#!/bin/sh
# Has HAProxy check its configuration, with either list of servers; warnings are errors.
# Where there is no HAProxy it says so, and is content: the tests of the front door fail in CI without one.
set -eu
cd "$(dirname "$0")/../.."

# Debian keeps it where only root looks.
PATH="$PATH:/usr/sbin"
if ! command -v haproxy >/dev/null || ! command -v openssl >/dev/null; then
    echo "The configuration of HAProxy was not checked: that takes haproxy and openssl."
    exit 0
fi
made="$(mktemp -d)"
trap 'rm -rf "$made"' EXIT
infra/setup/certs.sh "$made" 2>/dev/null
for servers in static dns; do
    FRONT_CERTIFICATE="$made/localhost.pem" \
        haproxy -c -q -dW -f infra/haproxy/haproxy.cfg -f "infra/haproxy/servers.$servers.cfg"
done
