#!/bin/sh
# Installs Debian packages: apt.sh PACKAGE...
# Works as root, or as a user whose sudo asks nothing; for anyone else it prints the command to type and fails.
set -eu

if ! command -v apt-get >/dev/null; then
    echo "Missing: $*. Install it with this system's package manager, then try again." >&2
    exit 1
fi
if [ "$(id -u)" = 0 ]; then
    as_root="env"
elif command -v sudo >/dev/null && sudo -n true 2>/dev/null; then
    as_root="sudo -n env"
else
    printf 'Missing: %s. Type this, then try again:\n\n    sudo apt-get update && sudo apt-get install -y %s\n\n' "$*" "$*" >&2
    exit 1
fi

install() {
    $as_root DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@"
}

echo "Installing $* ..." >&2
# A fresh system has no package lists, an old one has lists of files that are gone: fetch them only when needed.
install "$@" >/dev/null 2>&1 || { $as_root apt-get update -qq && install "$@" >/dev/null; }
