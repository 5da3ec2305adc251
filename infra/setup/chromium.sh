#!/bin/sh
# Makes sure that there is a Chromium for the browser tests, through the system's package manager where it may.
# Never fails: without one the browser tests are skipped and say so, and with CI=true a skipped test is a failure.
set -eu
cd "$(dirname "$0")/../.."

for browser in chromium chromium-browser google-chrome google-chrome-stable; do
    # Ubuntu's chromium-browser may be a stub that only tells how to install the snap.
    if "$browser" --version >/dev/null 2>&1; then
        exit 0
    fi
done
infra/setup/apt.sh chromium || echo "Going on without Chromium: the browser tests will be skipped." >&2
