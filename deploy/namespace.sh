#!/bin/sh
# Makes the namespace, unless it exists, and waits until it answers. Runs in temporalio/admin-tools
# once the server listens; repeating it is harmless. The gateway adds the search attribute to it
# each time it starts.
# TEMPORAL_ADDRESS and TEMPORAL_NAMESPACE say where; retention as in runtime/temporal.py.
set -eu

ask() { temporal --command-timeout 10s "$@" --namespace "$TEMPORAL_NAMESPACE" >/dev/null; }
exists() { ask operator namespace describe 2>/dev/null; }
make() { exists || ask operator namespace create --retention 720h; }

# The whole server knows a namespace some seconds after it was made, and serves some after it listens.
tries=0
until make && ask workflow list; do
  tries=$((tries + 1))
  [ "$tries" -lt 60 ] || exit 1
  sleep 2
done
