#!/bin/bash
# The role that replicas log in as. Runs once, when the database is made.
set -euo pipefail
psql -X -q -v ON_ERROR_STOP=1 -v name="$WALDEN_REPLICATION_USER" -v password="$WALDEN_REPLICATION_PASSWORD" <<'SQL'
CREATE ROLE :"name" LOGIN REPLICATION PASSWORD :'password';
SQL
