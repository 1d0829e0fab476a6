#!/usr/bin/env bash
# Brings what `make test` runs on: Java, a MariaDB server, a PostgreSQL server, a C compiler for the race detector, the jars of the
# Kafka distribution, and confluent-kafka for Python where there is Python.
#
#   setup.sh            installs what is missing when it may (root on Debian), otherwise names it
#   setup.sh kafka-3.9  fetches the jars of the last distribution before 4.0, which only the tests of a take-over need:
#                       they call it
#   setup.sh peers      fetches the Debezium JDBC sink with its drivers, which only `make bench-peers` needs
#
# It is quick when everything is there, and two runs at once are safe: they wait for each other. The jars go into
# $KCONNECT_CACHE/kafka/lib (default: build/kafka/lib in the checkout), those of 3.9 into kafka-3.9/lib, those of the sink into peers/lib. Servers are installed,
# not started: the tests start their own on private folders and ports.
# Leaves with status 0 when tests may run. What is missing then is named here, and the tests that need it skip; with CI=true a
# missing part is status 1.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
cache=${KCONNECT_CACHE:-$root/build}
name=${1:-kafka}
case $name in
kafka | kafka-3.9) what='the jars of the Kafka distribution (about 90 files, 80 MB)' ;;
peers) what='the Debezium JDBC sink (about 35 files, 50 MB)' ;;
*)
  echo "usage: $0 [kafka-3.9|peers]" >&2
  exit 2
  ;;
esac
mkdir -p "$cache/$name"
cache=$(cd "$cache" && pwd)
jars=$cache/$name
pom=$name-pom.xml

say() { printf 'setup: %s\n' "$*" >&2; }
have() { command -v "$1" >/dev/null 2>&1 || [ -x "/usr/sbin/$1" ]; }
java_major() { java -version 2>&1 | sed -n 's/.* version "\([0-9]*\).*/\1/p' | head -n 1; }
have_java() { have java && [ "$(java_major)" -ge 17 ] 2>/dev/null; }
have_postgres() { have initdb && have postgres || compgen -G '/usr/lib/postgresql/*/bin/initdb' >/dev/null; }
have_jars() { [ -f "$jars/lib/pom.sha256" ] && (cd "$here" && sha256sum --check --status "$jars/lib/pom.sha256"); }
# have_compiler asks for a whole C program, because gcc without the C library's headers does not do.
have_compiler() { have gcc && echo 'int main(void){return 0;}' | gcc -x c -include stdlib.h -o /dev/null - >/dev/null 2>&1; }

# missing prints one "what|Debian packages" a line.
missing() {
  have_java || echo 'Java 17 or newer|default-jre-headless'
  have_jars || have mvn || echo 'Maven, which fetches the Kafka jars|maven'
  { have mariadbd && have mariadb-install-db; } || echo 'MariaDB server|mariadb-server-core mariadb-client-core'
  have_postgres || echo 'PostgreSQL server|postgresql'
  have_compiler || echo 'C compiler, for the race detector|gcc libc6-dev'
}

# install_packages runs under a lock of the whole machine, since the package manager is one.
install_packages() {
  local lacking packages policy=/usr/sbin/policy-rc.d
  mkdir -p /run/lock
  exec 8>/run/lock/kconnect-setup.lock
  flock 8
  lacking=$(missing)
  [ -n "$lacking" ] || return 0
  packages=$(cut -d'|' -f2 <<<"$lacking" | tr '\n' ' ')
  say "missing here: $(cut -d'|' -f1 <<<"$lacking" | paste -sd';' | sed 's/;/; /g')"
  say "installing Debian packages: $packages(a few minutes on a fresh machine)"
  # Debian starts a server when its package is installed; the tests want the programs only.
  if [ ! -e "$policy" ]; then
    printf '#!/bin/sh\nexit 101\n' >"$policy"
    chmod +x "$policy"
    trap 'rm -f /usr/sbin/policy-rc.d' EXIT
  fi
  local log=$cache/apt.log
  export DEBIAN_FRONTEND=noninteractive
  say 'reading package lists'
  apt-get -q update </dev/null >"$log" 2>&1 || { tail -n 20 "$log" >&2; say "apt-get update failed, see above and $log"; return 1; }
  # shellcheck disable=SC2086 # the package names are meant to be split
  apt-get -q install -y --no-install-recommends -o DPkg::Lock::Timeout=600 $packages </dev/null 2>&1 | tee "$log" |
    awk '/^Get:/ {n++; if (n % 25 == 0) print "setup: " n " packages fetched" > "/dev/stderr"}
         /^Setting up/ {s++; if (s % 25 == 0) print "setup: " s " packages set up" > "/dev/stderr"}' ||
    { tail -n 20 "$log" >&2; say "apt-get install failed, see above and $log"; return 1; }
}

# fetch_jars fills a folder beside the final one and renames it, so that nobody sees half a distribution.
fetch_jars() {
  exec 9>"$jars/setup.lock"
  flock 9
  ! have_jars || return 0
  local log=$jars/maven.log new=$jars/lib.new
  say "fetching $what into $jars/lib"
  rm -rf "$new"
  mkdir -p "$new"
  mvn -B -f "$here/$pom" dependency:copy-dependencies "-DoutputDirectory=$new" </dev/null 2>&1 | tee "$log" |
    awk '/Downloaded from/ {n++; if (n % 50 == 0) print "setup: " n " files downloaded" > "/dev/stderr"}' ||
    { grep -E 'ERROR' "$log" | head -n 20 >&2; say "Maven could not fetch the jars, see above and $log"; return 1; }
  # The Java worker finds connectors on plugin.path only when they are not on its class path.
  rm -rf "$jars/lib" "$jars/plugins"
  if [ "$name" = peers ]; then
    # The worker's own must serve: records hold objects of them.
    rm -f "$new"/jackson-{core,databind,annotations}-[0-9]*.jar
  else
    mkdir -p "$jars/plugins/file"
    mv "$new"/connect-file-*.jar "$jars/plugins/file/"
  fi
  (cd "$here" && sha256sum "$pom") >"$new/pom.sha256"
  mv "$new" "$jars/lib"
  say "$(find "$jars/lib" -name '*.jar' | wc -l) jars are in $jars/lib"
}

if [ "$name" != kafka ]; then
  have_jars || have mvn || { say 'Maven, which fetches the jars, is missing (Debian package: maven)'; exit 1; }
  have_jars || fetch_jars
  exit
fi

# fetch_python makes the other side of the schema registry converters: Python with confluent-kafka, in a folder of its own.
have_python() { "$cache/python/bin/python3" -c 'import confluent_kafka.schema_registry.protobuf, confluent_kafka.schema_registry.avro, confluent_kafka.schema_registry.json_schema' >/dev/null 2>&1; }
fetch_python() {
  exec 7>"$cache/python.lock"
  flock 7
  ! have_python || return 0
  say "fetching confluent-kafka for Python into $cache/python (some seconds)"
  rm -rf "$cache/python"
  python3 -m venv "$cache/python" >"$cache/python.log" 2>&1 &&
    timeout 120 "$cache/python/bin/pip" install -q 'confluent-kafka[avro,json,protobuf]==2.16.1' >>"$cache/python.log" 2>&1
}

lacking=$(missing)
if [ -n "$lacking" ] && [ "$(id -u)" = 0 ] && have apt-get; then
  install_packages || say 'going on with what is there'
  lacking=$(missing)
fi
if have mvn && have_java && ! have_jars; then
  fetch_jars || say 'going on without a Kafka broker'
fi
if have python3 && ! have_python; then
  fetch_python || say "going on without confluent-kafka for Python, see $cache/python.log: what it wrote is recorded, what it reads is not tested"
fi
have_jars || lacking+=$'\n''jars of the Kafka distribution|'
lacking=$(sed '/^$/d' <<<"$lacking")
if [ -n "$lacking" ]; then
  say 'missing here:'
  sed 's/^\(.*\)|\(..*\)$/  \1 (Debian packages: \2)/; s/|$//; s/^\([^ ]\)/  \1/' <<<"$lacking" >&2
  say 'run this script as root on Debian, or install them by hand; the tests that need them skip'
  if [ "${CI:-}" = true ]; then
    say 'CI=true: a missing part is a failure'
    exit 1
  fi
fi
