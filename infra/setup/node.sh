#!/bin/sh
# Makes sure that there is what the JavaScript client is tested with: Node, npm, and the packages of its lock.
# Never fails: without them those tests are skipped and say so, and with CI=true a skipped test is a failure.
set -eu
cd "$(dirname "$0")/../../clients/js"

command -v node >/dev/null && command -v npm >/dev/null || ../../infra/setup/apt.sh nodejs npm \
    || { echo "Going on without Node: the tests of the JavaScript client will be skipped." >&2; exit 0; }
if ! node -e 'process.exit(Number(parseInt(process.versions.node) < 20))'; then
    echo "Going on without the JavaScript client: its tests want Node 20, and this is $(node --version)." >&2
    exit 0
fi
# npm leaves a copy of the lock in what it has installed.
if [ ! -e node_modules/.package-lock.json ] || [ -n "$(find package-lock.json -newer node_modules/.package-lock.json)" ]; then
    echo "Installing the packages of clients/js/package-lock.json ..." >&2
    npm ci --silent || echo "Going on without npm's packages: what needs them will be skipped." >&2
fi
