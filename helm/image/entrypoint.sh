#!/bin/bash
# Starts a node in a container: makes the data directory when there is none, then becomes the postmaster (PID 1).
#
# The variables of PostgreSQL's images: POSTGRES_PASSWORD, POSTGRES_USER, POSTGRES_DB, POSTGRES_INITDB_ARGS (options of
# `walden init`), POSTGRES_HOST_AUTH_METHOD, PGDATA; each but PGDATA also as NAME_FILE, a file that holds it. Scripts in
# /docker-entrypoint-initdb.d (*.sql, *.sql.gz, *.sh) run once, in the order of their names, after the data directory was made.
# Replicas: WALDEN_PRIMARY_CONNINFO says where the primary is; WALDEN_REPLICATION_PASSWORD[_FILE] adds its password; then
# an empty data directory becomes a copy of the primary's.
#
# Arguments: none or options of `walden start` (-c name=value) start the node; `walden ...` and any other command run as they are.
set -euo pipefail

account=walden
scripts=/docker-entrypoint-initdb.d
export PGDATA=${PGDATA:-/var/lib/walden/data}
# Made with the data directory, removed when it is complete: what a killed container leaves is not taken for a database.
unfinished=$PGDATA/.walden-unfinished

say() { printf 'walden-entrypoint: %s\n' "$*"; }
fail() { printf 'Error: %s\n' "$@" >&2; exit 1; }

# from_file NAME [DEFAULT]: sets NAME from itself, from the file that NAME_FILE names, or to DEFAULT.
from_file() {
  local name=$1 file_name=$1_FILE
  if [ -n "${!name:-}" ] && [ -n "${!file_name:-}" ]; then
    fail "both $name and $file_name are set (but are exclusive)"
  fi
  if [ -n "${!file_name:-}" ]; then
    export "$name"="$(<"${!file_name}")"
  else
    export "$name"="${!name:-${2:-}}"
  fi
  unset "$file_name"
}

read_variables() {
  from_file POSTGRES_PASSWORD
  from_file POSTGRES_USER postgres
  from_file POSTGRES_DB "$POSTGRES_USER"
  from_file POSTGRES_INITDB_ARGS
  from_file POSTGRES_HOST_AUTH_METHOD
  from_file WALDEN_PRIMARY_CONNINFO
  from_file WALDEN_REPLICATION_PASSWORD
}

is_empty() {
  local name
  for name in "$PGDATA"/* "$PGDATA"/.[!.]*; do
    case "${name##*/}" in
      '*' | '.[!.]*' | lost+found) ;;
      *) return 1 ;;
    esac
  done
}

check_password() {
  if [ -z "$POSTGRES_PASSWORD" ] && [ "$POSTGRES_HOST_AUTH_METHOD" != trust ]; then
    cat >&2 <<'TEXT'
Error: Database is uninitialized and superuser password is not specified.
       You must specify POSTGRES_PASSWORD to a non-empty value for the
       superuser. For example, "-e POSTGRES_PASSWORD=password" on "docker run".

       You may also use "POSTGRES_HOST_AUTH_METHOD=trust" to allow all
       connections without a password. This is *not* recommended.
TEXT
    exit 1
  fi
  if [ "$POSTGRES_HOST_AUTH_METHOD" = trust ]; then
    say 'warning: POSTGRES_HOST_AUTH_METHOD is "trust": anyone who can reach the port can do anything'
  fi
}

# The node keeps its buffers in /dev/shm, where containers have 64 MB unless told otherwise: a node that would not fit there is
# given what does.
fitting_buffers() {
  local free_kb wanted_kb=131072 other_kb=40960
  free_kb=$(df -k --output=avail /dev/shm 2>/dev/null | tail -1) || return 0
  [ "$free_kb" -lt $((wanted_kb + other_kb)) ] || return 0
  local buffers_kb=$((free_kb - other_kb))
  [ "$buffers_kb" -ge 1024 ] || buffers_kb=1024
  printf "\n# /dev/shm had %d MB when the image made this file.\nshared_buffers = %dkB\n" $((free_kb / 1024)) "$buffers_kb"
}

make_database() {
  check_password
  say "making the data directory $PGDATA"
  local options=()
  # Words of POSTGRES_INITDB_ARGS, quoted as in a shell.
  [ -z "$POSTGRES_INITDB_ARGS" ] || eval "options=($POSTGRES_INITDB_ARGS)"
  walden init -D "$PGDATA" -U "$POSTGRES_USER" --auth-local trust --auth-host "${POSTGRES_HOST_AUTH_METHOD:-scram-sha-256}" \
    ${POSTGRES_PASSWORD:+--pwfile <(printf '%s\n' "$POSTGRES_PASSWORD")} "${options[@]}"
  : >"$unfinished"
  {
    printf "\n# Of the container image\nlisten_addresses = '*'\nmetrics_listen_addresses = '*'\n"
    fitting_buffers
  } >>"$PGDATA/postgresql.conf"
}

run_sql() { psql -X -q -v ON_ERROR_STOP=1 --no-password -h /var/run/postgresql -U "$POSTGRES_USER" -d "$POSTGRES_DB" "$@"; }

run_script() {
  case "$1" in
    *.sh)
      say "running $1"
      # An executable is its own process; others see this script's functions.
      if [ -x "$1" ]; then "$1"; else . "$1"; fi
      ;;
    *.sql)
      say "running $1"
      run_sql -f "$1"
      ;;
    *.sql.gz)
      say "running $1"
      gunzip -c "$1" | run_sql
      ;;
    *) say "ignoring $1" ;;
  esac
}

# The node runs for the scripts without listening to the network, so that nobody finds a half-made database.
fill_database() {
  export PGHOST=/var/run/postgresql PGUSER=$POSTGRES_USER PGDATABASE=$POSTGRES_DB
  walden start -D "$PGDATA" -l "$PGDATA/init.log" "$@" -c port=5432 -c listen_addresses= -c metrics_port=0 -c archive_mode=off \
    -c unix_socket_directories=/var/run/postgresql
  if [ "$POSTGRES_DB" != postgres ]; then
    run_sql -d postgres -v name="$POSTGRES_DB" <<<'CREATE DATABASE :"name";'
  fi
  local script
  for script in "$scripts"/*; do
    [ ! -e "$script" ] || run_script "$script"
  done
  walden stop -D "$PGDATA" -m fast
  rm "$PGDATA/init.log"
  unset PGHOST PGUSER PGDATABASE
}

copy_primary() {
  local conninfo=$WALDEN_PRIMARY_CONNINFO
  if [ -n "$WALDEN_REPLICATION_PASSWORD" ]; then
    local quoted=${WALDEN_REPLICATION_PASSWORD//\\/\\\\}
    conninfo="$conninfo password='${quoted//\'/\\\'}'"
  fi
  say "copying the primary's data directory to $PGDATA"
  walden basebackup -D "$PGDATA" -d "$conninfo" -R -c fast
}

prepare_data() {
  mkdir -p "$PGDATA"
  if [ -e "$unfinished" ]; then
    say "the data directory was not completed: starting over"
    find "$PGDATA" -mindepth 1 -maxdepth 1 ! -name lost+found -exec rm -rf {} +
  fi
  if ! is_empty; then
    [ -s "$PGDATA/PG_VERSION" ] || fail "$PGDATA is not empty and holds no database"
    return 0
  fi
  if [ -n "$WALDEN_PRIMARY_CONNINFO" ]; then
    copy_primary
  else
    make_database
    fill_database "$@"
    rm "$unfinished"
    say "the database is ready"
  fi
}

# Root only prepares folders (a volume may belong to anybody), then steps down.
step_down() {
  mkdir -p "$PGDATA"
  chown -R "$account:$account" "$PGDATA" /var/run/postgresql
  exec setpriv --reuid "$account" --regid "$account" --clear-groups -- "$0" "$@"
}

case "${1:--}" in
  -*) ;;
  postgres | walden-node) shift ;;
  *) exec "$@" ;;
esac
[ "$(id -u)" != 0 ] || step_down "$@"
umask 077
read_variables
prepare_data "$@"
unset POSTGRES_PASSWORD WALDEN_REPLICATION_PASSWORD WALDEN_PRIMARY_CONNINFO
exec walden start -F -D "$PGDATA" "$@"
