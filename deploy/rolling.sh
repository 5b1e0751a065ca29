#!/bin/sh
# Replaces the containers of compose.yaml by those of a new release; no request is lost.
#
#   export SITE_HOST=search.desk.example RELEASE=0.2.0
#   docker compose -f deploy/compose.yaml build migrate
#   deploy/rolling.sh
#
# A web machine gets no more requests before it is stopped, and gets them again when it can
# reach the store. If it cannot, the script ends, and the others go on with all requests.
set -eu
cd "$(dirname "$0")"
machines=compose/machines

compose() { docker compose -f compose.yaml "$@"; }

# nginx' old processes end when they have passed on the answers that are under way.
reload() {
    compose exec -T nginx nginx -s reload
    sleep "${DRAIN_SECONDS:-5}"
}

compose run --rm -T migrate
for web in web1 web2; do
    others=$(find $machines -name 'web*.conf' ! -name "$web.conf")
    [ -n "$others" ] || { echo "No machine would be left without $web: see $machines" >&2; exit 1; }
    [ ! -e $machines/$web.conf ] || mv $machines/$web.conf $machines/$web.out
    reload
    compose up --detach --no-deps --force-recreate --wait $web || {
        echo "$web does not start, and gets no requests: see docker compose logs $web" >&2
        exit 1
    }
    mv $machines/$web.out $machines/$web.conf
    reload
done
# First the one on standby, so that the newest release takes over from the other.
compose up --detach --no-deps --force-recreate standby
compose up --detach --no-deps --force-recreate indexer
