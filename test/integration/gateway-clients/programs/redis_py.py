"""What a service in Python does: redis_py.py PORT TOPIC. Prints `all right` when it all was."""
import sys

import redis

port, topic = int(sys.argv[1]), sys.argv[2]
client = redis.Redis(port=port, decode_responses=True)
assert client.ping()

# A pipeline without MULTI: all in one write, replies in order.
pipe = client.pipeline(transaction=False)
for n in range(100):
    pipe.xadd(topic, {"n": n})
ids = pipe.execute()
assert len(set(ids)) == 100, ids
assert client.xlen(topic) == 100

client.xgroup_create(topic, "workers", id="0")
try:
    client.xgroup_create(topic, "workers", id="0")
    raise AssertionError("a group twice")
except redis.ResponseError as error:
    assert str(error).startswith("BUSYGROUP"), error

seen = []
while len(seen) < 100:
    for _, entries in client.xreadgroup("workers", "one", {topic: ">"}, count=30, block=5000):
        seen += [int(fields["n"]) for _, fields in entries]
        ids = [entry for entry, _ in entries]
        # Out of order, and one is left for later.
        assert client.xack(topic, "workers", *reversed(ids[1:])) == len(ids) - 1
        pending = client.xpending_range(topic, "workers", min="-", max="+", count=10)
        assert ids[0] in [one["message_id"] for one in pending], pending
        assert client.xack(topic, "workers", ids[0]) == 1
assert sorted(seen) == list(range(100)), seen
assert client.xpending(topic, "workers")["pending"] == 0
groups = client.xinfo_groups(topic)
assert [one["name"] for one in groups] == ["workers"], groups

# Rafka's dialect, by raw calls.
named = redis.Redis(port=port, decode_responses=True, client_name="raw:one")
assert named.client_getname() == "raw:one"
message = named.execute_command("BLPOP", 'topics:%s:{"auto.offset.reset":"earliest"}' % topic, 5)
assert message[0] == "topic" and message[1] == topic, message
assert named.execute_command("RPUSH", "acks", "%s:%d:%d" % (topic, message[3], message[5])) == 1

try:
    client.execute_command("RPUSHX", "nonsense", "x")
    raise AssertionError("a topic without a name")
except redis.ResponseError as error:
    assert str(error).startswith("PROD First argument"), error
try:
    client.set("a", "b")
    raise AssertionError("a key was set")
except redis.ResponseError as error:
    assert "unknown command" in str(error), error
print("all right")
