#!/bin/sh
# Makes sure that there is libfaketime, by which a test gives one process another time.
# Never fails: without it the fault that needs it fails and says so.
set -eu
cd "$(dirname "$0")/../.."

ls /usr/lib/*/faketime/libfaketimeMT.so.1 >/dev/null 2>&1 || infra/setup/apt.sh libfaketime \
    || echo "Going on without libfaketime: \`make chaos\` can't set a clock." >&2
