#!/bin/sh
# At the first start of PostgreSQL: a database, and a user who owns it and nothing else.
set -eu
# From a file into a variable of psql, so that no list of processes shows it.
psql --set ON_ERROR_STOP=1 --username postgres --dbname postgres <<'SQL'
\set password `cat "${CREDENTIALS:-/run/credentials}/password"`
CREATE ROLE nutgraf LOGIN PASSWORD :'password';
CREATE DATABASE nutgraf OWNER nutgraf ENCODING 'UTF8' LOCALE 'C' TEMPLATE template0;
REVOKE CONNECT ON DATABASE nutgraf FROM PUBLIC;
SQL
