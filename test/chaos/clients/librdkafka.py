"""The same as its neighbours, on librdkafka: see client.ts for what it is told and tells."""
import json
import sys
import threading
import time

from confluent_kafka import Consumer, KafkaException, Producer

name, brokers, topic, partitions, group = sys.argv[1:6]
partitions = int(partitions)
out = threading.Lock()
state = {"producing": True, "ending": False, "rejoin": False}


def tell(**event):
    with out:
        sys.stdout.write(json.dumps(event) + "\n")
        sys.stdout.flush()


def commands():
    for line in sys.stdin:
        word = line.strip()
        if word == "rejoin":
            state["rejoin"] = True
        elif word == "quiet":
            state["producing"] = False
        elif word == "end":
            state["ending"] = True
    state["producing"], state["ending"] = False, True


def delivered(error, message):
    value = message.value().decode()
    if error is None:
        tell(e="sent", value=value, partition=message.partition(), offset=message.offset())
    else:
        # It may be in the log all the same: its outcome stays unknown.
        tell(e="trouble", about=str(error))


def produce():
    producer = Producer({
        "bootstrap.servers": brokers, "client.id": name, "enable.idempotence": True,
        "linger.ms": 5, "message.timeout.ms": 60000, "socket.timeout.ms": 10000,
        "reconnect.backoff.max.ms": 1000, "log_level": 0,
    })
    nth = 0
    while state["producing"]:
        for partition in range(partitions):
            value = f"{name}/{partition}/{nth}"
            tell(e="send", producer=name, partition=partition, value=value)
            producer.produce(topic, value=value, partition=partition, on_delivery=delivered)
        nth += 1
        producer.poll(0)
        time.sleep(0.02)
    producer.flush(90)
    tell(e="quiet")


def join():
    consumer = Consumer({
        "bootstrap.servers": brokers, "client.id": name, "group.id": group,
        "auto.offset.reset": "earliest", "enable.auto.commit": False, "session.timeout.ms": 10000,
        "reconnect.backoff.max.ms": 1000, "partition.assignment.strategy": "cooperative-sticky",
        "log_level": 0,
    })

    def assigned(own, parts):
        for part in parts:
            tenures.pop(part.partition, None)
        own.incremental_assign(parts)

    consumer.subscribe([topic], on_assign=assigned)
    return consumer


def poll(message):
    partition, offset = message.partition(), message.offset()
    tenure = tenures.get(partition)
    if tenure is None:
        count[0] += 1
        tenure = tenures[partition] = f"{group}#{name}-{count[0]}"
        tell(e="assigned", tenure=tenure, partition=partition, **{"from": offset})
    tell(e="poll", tenure=tenure, partition=partition, offset=offset, value=message.value().decode())


tenures = {}
count = [0]
threading.Thread(target=commands, daemon=True).start()
threading.Thread(target=produce, daemon=True).start()
member = join()
while not state["ending"]:
    if state["rejoin"]:
        state["rejoin"] = False
        member.close()
        member = join()
        tenures.clear()
    messages = [one for one in member.consume(100, 0.1) if one.error() is None]
    for message in messages:
        poll(message)
    last = {}
    for message in messages:
        last[message.partition()] = message
    for partition, message in last.items():
        try:
            member.commit(message=message, asynchronous=False)
            tell(e="committed", group=group, partition=partition, offset=message.offset() + 1)
        except KafkaException as error:
            tell(e="trouble", about=str(error))
