#!/usr/bin/env bash
# Dumps the app's records, encrypts the dump to a certificate, checks it, and takes it elsewhere.
#
#   ops/backup.sh RECIPIENT DESTINATION
#
# RECIPIENT    certificate (PEM) of whoever may read backups. Its private key never lies on this host.
# DESTINATION  https://ACCOUNT.blob.core.windows.net/CONTAINER[/PREFIX], as whoever has signed in
#              (`az login`), or a directory.
#
# The database is named by libpq's own variables (PGHOST, PGPORT, PGUSER, PGDATABASE, PGSSLMODE,
# PGPASSWORD or PGPASSFILE, PGSERVICE), so that no password is ever an argument: a direct connection,
# or a pooler in session mode. With APPLICATIONINSIGHTS_CONNECTION_STRING, operators are told.
# PYTHON: the interpreter with the project's libraries (.venv/bin/python, else python3).
#
# Three files, the dump last: NAME.manifest.json, NAME.sha256, NAME.dump.cms.
# Exit codes: 0 the backup is there and was told of, 1 something failed, 2 wrong usage or settings.
# Sources: https://www.postgresql.org/docs/current/app-pgdump.html
#          https://docs.openssl.org/3.0/man1/openssl-cms/

set -euo pipefail
umask 077

readonly SCHEMA=code_agent
readonly POOLER_PORT=6543 # Supabase's pooler in transaction mode
readonly MOST_BYTES=$((1024 * 1024 * 1024)) # openssl decrypts a message in memory

say() { printf '%s\n' "$*" >&2; }
fail() { say "backup: $1"; exit "${2:-1}"; }

if [ "${1:-}" = --help ] || [ "${1:-}" = -h ]; then
  sed -n '2,/^$/s/^# \{0,1\}//p' "$0"
  exit 0
fi
[ $# -eq 2 ] || fail "RECIPIENT and DESTINATION expected (--help)" 2
readonly recipient=$1 destination=${2%/}

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
python=${PYTHON:-$root/.venv/bin/python}
[ -x "$python" ] || python=python3
readonly root python
for program in psql pg_dump pg_restore openssl sha256sum; do
  command -v "$program" >/dev/null || fail "$program is missing" 2
done
openssl x509 -in "$recipient" -noout -checkend 0 >/dev/null 2>&1 \
  || fail "RECIPIENT is no certificate that is valid now" 2
case $destination in
  https://*.blob.core.windows.net/?*) command -v az >/dev/null || fail "az is missing" 2 ;;
  *://*) fail "DESTINATION: https://ACCOUNT.blob.core.windows.net/CONTAINER or a directory" 2 ;;
  *) [ -d "$destination" ] || fail "DESTINATION is no directory" 2 ;;
esac

work=$(mktemp -d)
database_pid=
cleanup() {
  if [ -n "$database_pid" ]; then kill "$database_pid" 2>/dev/null || true; fi
  rm -rf "$work"
}
trap cleanup EXIT

began=$(date +%s)
# where a service file leads, only the connection itself can say
port=$(psql -X -w -A -t -q -c '\echo :PORT') || fail "the database does not answer"
[ "$port" != "$POOLER_PORT" ] || fail "port $POOLER_PORT is a pooler in transaction mode, which hands \
every statement another session: use a direct connection, or its session mode (port 5432)" 2

# one snapshot for dump and manifest: this session holds it until the dump is written
coproc database { psql -X -w -A -t -q -v ON_ERROR_STOP=1 2>"$work/errors"; }
database_pid=$database_PID
exec {ask}>&"${database[1]}" {answer}<&"${database[0]}"
ask() {
  printf '%s\n' "$1" >&"$ask" || fail "the database does not answer"
  IFS= read -r -t 120 reply <&"$answer" || fail "the database refused: $(head -n 1 "$work/errors")"
}
ask "SET statement_timeout = 0; SET idle_in_transaction_session_timeout = 0; BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SELECT pg_export_snapshot();"
readonly snapshot=$reply
ask "$(grep -v '^--' "$root/ops/queries/backup_manifest.sql" | tr '\n' ' ')"
readonly manifest=$reply

name=code-agent-$(date -u +%Y%m%dT%H%M%SZ)
readonly name dump=$work/plain.dump sealed=$work/$name.dump.cms
say "backup: $name"
printf '%s\n' "$manifest" >"$work/$name.manifest.json"
pg_dump --no-password --format=custom --schema="$SCHEMA" --no-owner --no-privileges \
  --lock-wait-timeout=60s --snapshot="$snapshot" --file="$dump"
exec {ask}>&-

# read to the last byte: a list of contents stands at the front of a dump that was cut off, too
pg_restore --list "$dump" >"$work/contents" || fail "the dump cannot be read"
grep -q "TABLE DATA $SCHEMA jobs " "$work/contents" || fail "the dump holds no jobs"
pg_restore --file=/dev/null "$dump" || fail "the dump cannot be read back"
[ "$(stat -c %s "$dump")" -le "$MOST_BYTES" ] || fail "the dump is larger than $MOST_BYTES bytes"
openssl cms -encrypt -binary -stream -outform DER -aes-256-gcm -in "$dump" -out "$sealed" "$recipient"
rm -f "$dump"
(cd "$work" && sha256sum "$name.dump.cms" "$name.manifest.json" >"$name.sha256")
readonly size=$(stat -c %s "$sealed")

put() {
  case $destination in
    https://*)
      local rest=${destination#https://} account container blob
      account=${rest%%.*}
      rest=${rest#*/}
      container=${rest%%/*}
      blob=$name$1
      if [ "$rest" != "$container" ]; then blob=${rest#*/}/$blob; fi
      az storage blob upload --auth-mode login --account-name "$account" --container-name "$container" \
        --name "$blob" --file "$work/$name$1" --overwrite false --no-progress --only-show-errors --output none
      local arrived
      arrived=$(az storage blob show --auth-mode login --account-name "$account" \
        --container-name "$container" --name "$blob" --query properties.contentLength --output tsv)
      [ "$arrived" = "$(stat -c %s "$work/$name$1")" ] || fail "$blob has not arrived whole"
      ;;
    *)
      cp -n -- "$work/$name$1" "$destination/$name$1"
      cmp -s -- "$work/$name$1" "$destination/$name$1" || fail "$name$1 has not arrived whole"
      ;;
  esac
}
# the dump last: where it lies, the others do
for part in .manifest.json .sha256 .dump.cms; do put "$part"; done
say "backup: $destination/$name.dump.cms, $size bytes"

cd "$root"
"$python" -m ops backup-sent "$work/$name.manifest.json" --size-bytes "$size" \
  --took-s "$(($(date +%s) - began))"
printf '%s\n' "$destination/$name.dump.cms"
