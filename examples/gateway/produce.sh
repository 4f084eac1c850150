#!/bin/sh
# Sends each line of standard input to a topic, and waits until the broker has all of them.
#   produce.sh TOPIC [PORT] < lines
set -eu
topic="$1"
port="${2:-6380}"

# Each command with its reply; durable, so that an answer means that the message is safe.
replies=$(
  {
    echo 'CLIENT DURABLE ON'
    while IFS= read -r line; do
      printf 'RPUSHX "topics:%s" "%s"\n' "$topic" "$(printf '%s' "$line" | sed 's/[\\"]/\\&/g')"
    done
  } | redis-cli -p "$port"
)
failed=$(printf '%s\n' "$replies" | grep -c '^PROD\|^ERR' || true)
[ "$failed" -eq 0 ] || {
  printf '%s\n' "$replies" >&2
  exit 1
}
