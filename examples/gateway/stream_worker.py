"""Works through a topic with Redis Streams: batches, keys, acknowledgements of single entries.

pip install redis; python3 stream_worker.py TOPIC GROUP NAME [COUNT]
"""
import os
import sys

import redis

topic, group, name = sys.argv[1:4]
left = int(sys.argv[4]) if len(sys.argv) > 4 else 1_000_000
gateway = redis.Redis.from_url(os.environ.get("GATEWAY_URL", "redis://127.0.0.1:6380"), decode_responses=True)

try:
    gateway.xgroup_create(topic, group, id="0")
except redis.ResponseError as error:
    if not str(error).startswith("BUSYGROUP"):
        raise

while left > 0:
    for _, entries in gateway.xreadgroup(group, name, {topic: ">"}, count=100, block=5000):
        for entry, fields in entries:
            print(entry, fields, flush=True)
        # Any order would do: committed is the highest position without a gap.
        left -= gateway.xack(topic, group, *[entry for entry, _ in entries])
gateway.close()
