#!/bin/sh
# Makes sure that there is what the tests of the front door need: HAProxy, openssl and curl.
# Never fails: without them those tests are skipped and say so, and with CI=true a skipped test is a failure.
set -eu
cd "$(dirname "$0")/../.."

# Debian keeps HAProxy where only root looks.
PATH="$PATH:/usr/sbin"
for package in haproxy openssl curl; do
    command -v "$package" >/dev/null || infra/setup/apt.sh "$package" \
        || echo "Going on without $package: the tests of the front door will be skipped." >&2
done
