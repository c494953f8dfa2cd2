#!/bin/sh
# The entry point of the image: `gateway`, `worker sessions|models|host`, `overnight …`, `demo`, and
# `healthy`, which ends with 0 when the process of this container does its work.
set -eu

# Named by its path and never put on PATH: what is found there is shown to sandboxes.
python="$(dirname "$0")/venv/bin/python"

role="${1:-}"
[ "$#" -eq 0 ] || shift

# -P: no module is ever imported from the folder the process happens to stand in.
case "$role" in
  gateway) exec "$python" -P -m gateway "$@" ;;
  worker) exec "$python" -P -m activities.worker "$@" ;;
  overnight) exec "$python" -P -m cli.main "$@" ;;
  demo) exec "$python" -P -m cli.demo "$@" ;;
  healthy)
    # A worker makes this file once it polls, and touches it every few seconds while it runs.
    if [ -n "${OVERNIGHT_READY_FILE:-}" ]; then
      [ -n "$(find "$OVERNIGHT_READY_FILE" -mmin -1)" ]
      exit
    fi
    exec "$python" -I -S -c '
import http.client, sys
connection = http.client.HTTPConnection("127.0.0.1", int(sys.argv[1]), timeout=4)
connection.request("GET", "/readyz")
sys.exit(connection.getresponse().status != 200)
' "${OVERNIGHT_GATEWAY_PORT:?is not set, and OVERNIGHT_READY_FILE neither}" ;;
  *)
    echo "usage: gateway | worker sessions|models|host | overnight … | demo | healthy" >&2
    [ "$role" = help ] || exit 2 ;;
esac
