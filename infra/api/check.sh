#!/bin/sh
# Lints docs/openapi.yaml, docs/asyncapi.yaml and what a running system serves, with redocly and spectral.
# Installs them beside itself first, by the lock; where npm or its registry can't be had, says so and ends with 77.
# check.sh --install does only that; check.sh FILE... lints those files too.
set -eu
cd "$(dirname "$0")"

if ! command -v npm >/dev/null; then
    echo "Can't lint the documents: there is no npm." >&2
    exit 77
fi

stamp=node_modules/.lock
if ! cmp -s package-lock.json "$stamp"; then
    echo "Installing infra/api/package-lock.json ..."
    npm ci --no-progress --loglevel=error || exit 77
    cp package-lock.json "$stamp"
fi

[ "${1:-}" != --install ] || exit 0

export REDOCLY_TELEMETRY=off REDOCLY_SUPPRESS_UPDATE_NOTICE=true
failed=
for document in ../../docs/openapi.yaml ../../docs/asyncapi.yaml "$@"; do
    # redocly ends well with warnings, which count here too.
    told="$(node_modules/.bin/redocly lint --config redocly.yaml --format=stylish "$document" 2>&1)" || failed=1
    if [ -n "$failed" ] || echo "$told" | grep -q "You have .* warning"; then
        echo "$told"
        exit 1
    fi
    node_modules/.bin/spectral lint --ruleset spectral.yaml --fail-severity=warn --quiet "$document"
done
echo "redocly and spectral have nothing against docs/openapi.yaml, docs/asyncapi.yaml $*"
