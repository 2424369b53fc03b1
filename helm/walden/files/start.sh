#!/bin/bash
# Starts a member: an empty volume of member 0 becomes a new database, of any other member a copy of the primary's. What is on a
# volume that is not empty decides by itself.
set -euo pipefail
ordinal=${POD_NAME##*-}

# reaches HOST PORT
reaches() { timeout 3 bash -c "exec 3<>/dev/tcp/$1/$2" 2>/dev/null; }

has_data() { [ -s "$PGDATA/PG_VERSION" ] && [ ! -e "$PGDATA/.walden-unfinished" ]; }

# A member that runs has a copy of the data: member 0 lost its volume, and must not begin a new history beside it.
refuse_second_history() {
  local member
  for ((member = 1; member < WALDEN_MEMBERS; ++member)); do
    if reaches "${POD_NAME%-*}-$member.$WALDEN_MEMBERS_SERVICE" "$WALDEN_METRICS_PORT"; then
      echo "walden: member 0 has an empty volume, but member $member runs with data." >&2
      echo "walden: promote that one and set primary to $member; then member 0 copies it." >&2
      exit 1
    fi
  done
}

if ! has_data; then
  if [ "$ordinal" = 0 ] && [ "$WALDEN_PRIMARY_MEMBER" = 0 ]; then
    refuse_second_history
  else
    until reaches "$WALDEN_PRIMARY_HOST" "$WALDEN_REPLICATION_PORT"; do
      echo "walden: waiting for the primary at $WALDEN_PRIMARY_HOST:$WALDEN_REPLICATION_PORT"
      sleep 2
    done
    export WALDEN_PRIMARY_CONNINFO="host=$WALDEN_PRIMARY_HOST port=$WALDEN_REPLICATION_PORT user=$WALDEN_REPLICATION_USER application_name=$POD_NAME $WALDEN_PRIMARY_TLS"
  fi
fi
exec walden-entrypoint "$@"
