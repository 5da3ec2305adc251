#!/bin/sh
# Brings .venv to the state of a lock: venv.sh runtime|dev
# Does nothing, within milliseconds, when it is there already. PYTHON names the interpreter to use, if not the newest.
set -eu
cd "$(dirname "$0")/../.."

name="$1"
lock="requirements/$name.txt"
stamp=".venv/.lock-$name"

# The distribution counts too, as it names the command and the packages of the editable install; the tools' tables don't.
digest() { { cat "requirements/$1.txt" && sed '/^\[tool\.pytest/,$d' pyproject.toml; } | cksum; }

want="$(digest "$name")"

if [ -x .venv/bin/watchroute ] && [ "$(cat "$stamp" 2>/dev/null)" = "$want" ] && .venv/bin/python -Sc '' 2>/dev/null; then
    exit 0
fi

usable() { "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; }
has_venv() { "$1" -c 'import ensurepip, venv' 2>/dev/null; }

# The newest interpreter that can make environments, else the newest that could with one package more.
choose_python() {
    found=""
    for python in ${PYTHON:-python3.14 python3.13 python3.12 python3.11 python3}; do
        usable "$python" || continue
        found="${found:-$python}"
        if has_venv "$python"; then
            found="$python"
            break
        fi
    done
    if [ -z "$found" ]; then
        version="$("${PYTHON:-python3}" --version 2>/dev/null)" || version="missing"
        echo "Watchroute needs Python 3.11 or newer, and ${PYTHON:-python3} is $version." >&2
        echo "Install one, or name one: make PYTHON=/path/to/python3.12 ..." >&2
        exit 1
    fi
}

make_venv() {
    choose_python
    if ! has_venv "$found"; then
        infra/setup/apt.sh "$("$found" -c 'import sys; print("python%d.%d-venv" % sys.version_info[:2])')"
    fi
    echo "Creating .venv with $("$found" --version) ..." >&2
    "$found" -m venv --clear .venv
}

if ! .venv/bin/python -m pip --version >/dev/null 2>&1 || ! usable .venv/bin/python; then
    make_venv
fi
rm -f .venv/.lock-*
echo "Installing $lock ..." >&2
.venv/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r "$lock"
# The build backend is in the lock, so nothing is downloaded here.
.venv/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --no-index --editable .
printf '%s\n' "$want" >"$stamp"
# The development lock contains the runtime lock, with the same versions.
if [ "$name" = dev ]; then
    digest runtime >.venv/.lock-runtime
fi
