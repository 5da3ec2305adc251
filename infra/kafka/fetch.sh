#!/usr/bin/env bash
# Brings the Kafka that the tests and the local cluster run on: jars by Maven into .kafka/libs, and a Java 17 to run them.
#
#   infra/kafka/fetch.sh               installs Java and Maven with apt-get when they are missing and it may
#   infra/kafka/fetch.sh --no-install  installs nothing, only fetches
#
# Does nothing, and needs no network, when both are there. Exits 1 and says exactly what to install when it cannot go on.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
home=${here%/infra/kafka}/.kafka
install=yes
[ "${1:-}" = --no-install ] && install=no

java_bin() { if [ -n "${JAVA_HOME:-}" ]; then echo "$JAVA_HOME/bin/java"; else command -v java || echo java; fi; }

java_is_new_enough() {
  local major
  major=$("$(java_bin)" -version 2>&1 | sed -n 's/.* version "\([0-9]*\).*/\1/p') || return 1
  [ "${major:-0}" -ge 17 ]
}

# The mark holds the checksum of what was asked for, so that a changed pom.xml fetches anew.
jars_are_there() { [ "$(cat "$home/libs/.fetched" 2>/dev/null)" = "$(cksum <"$here/pom.xml")" ]; }

# The default Java of Debian and Ubuntu is taken, except on the few releases where it is known to be too old.
java_package() {
  local major
  major=$(apt-cache depends default-jre-headless 2>/dev/null | sed -n 's/^ *Depends: openjdk-\([0-9]*\)-jre-headless$/\1/p') || true
  if [ "${major:-17}" -ge 17 ]; then echo default-jre-headless; else echo openjdk-17-jre-headless; fi
}

missing_packages() {
  java_is_new_enough || java_package
  jars_are_there || command -v mvn >/dev/null || echo maven
}

as_root() { if [ "$(id -u)" = 0 ]; then "$@"; else sudo -n "$@"; fi; }

may_install() {
  [ $install = yes ] && command -v apt-get >/dev/null || return 1
  [ "$(id -u)" = 0 ] || { command -v sudo >/dev/null && sudo -n true 2>/dev/null; }
}

install_packages() {
  as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq update >&2
  # shellcheck disable=SC2046  # a list of package names
  as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends $(missing_packages) >&2
}

say_what_to_install() {
  {
    echo "A real Kafka for the tests needs what is missing here: $1."
    echo "Install it, and run this again. On Debian and Ubuntu:"
    echo "    sudo apt-get update && sudo apt-get install -y $1"
    echo "Elsewhere: any Java runtime of version 17 or newer (on the PATH or in JAVA_HOME), and Apache Maven 3.6 or newer."
  } >&2
}

fetch_jars() {
  local fresh
  mkdir -p "$home"
  echo '*' >"$home/.gitignore"
  fresh=$(mktemp -d "$home/libs.XXXXXX")
  # shellcheck disable=SC2064  # the folder of now is meant
  trap "rm -rf '$fresh'" EXIT
  echo "Fetching the jars of Apache Kafka with Maven (44 MB, once)." >&2
  mvn -q -B -f "$here/pom.xml" dependency:copy-dependencies -DincludeScope=runtime "-DoutputDirectory=$fresh" 2>&1 \
    | sed 's/\x1b\[[0-9;]*m//g' >&2
  cksum <"$here/pom.xml" >"$fresh/.fetched"
  rm -rf "$home/libs"
  mv "$fresh" "$home/libs"
}

missing=$(missing_packages | xargs)
if [ -n "$missing" ] && may_install; then
  install_packages || echo "apt-get could not install: $missing" >&2
  missing=$(missing_packages | xargs)
fi
if [ -n "$missing" ]; then
  say_what_to_install "$missing"
  exit 1
fi
jars_are_there || fetch_jars
