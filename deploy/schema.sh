#!/bin/sh
# Makes the two databases of the Temporal server, or brings them up to its version. Runs in
# temporalio/admin-tools before the server starts; repeating it is harmless.
# SQL_PLUGIN, SQL_HOST, SQL_PORT and SQL_USER say where; the password comes from a file.
set -eu

SQL_PASSWORD="$(cat "${PASSWORD_FILE:?names the file of the password}")"
export SQL_PASSWORD

make_database() {
  temporal-sql-tool --database "$1" create-database
  temporal-sql-tool --database "$1" setup-schema --version 0.0
  temporal-sql-tool --database "$1" update-schema --schema-name "$2"
}

make_database temporal postgresql/v12/temporal
make_database temporal_visibility postgresql/v12/visibility
