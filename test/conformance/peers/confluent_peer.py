"""confluent-kafka (librdkafka) as a peer: reads `key<TAB>value` lines to produce, or joins a group and prints
`partition<TAB>offset<TAB>key<TAB>value` lines until it is told to stop."""

import signal
import sys

from confluent_kafka import Consumer, Producer

mode, address, topic, last = sys.argv[1:5]

if mode == "produce":
    producer = Producer(
        {
            "bootstrap.servers": address,
            "compression.type": last,
            "partitioner": "murmur2_random",
            "enable.idempotence": True,
        }
    )

    def on_delivery(error, _message):
        if error is not None:
            sys.exit(f"not delivered: {error}")

    for line in sys.stdin:
        key, value = line.rstrip("\n").split("\t")
        producer.produce(topic, key=key, value=value, on_delivery=on_delivery)
    if producer.flush(20) > 0:
        sys.exit("not everything was delivered in time")
else:
    consumer = Consumer(
        {
            "bootstrap.servers": address,
            "group.id": last,
            "auto.offset.reset": "earliest",
            "session.timeout.ms": 10000,
            "heartbeat.interval.ms": 200,
        }
    )
    is_stopped = False

    def on_stop(_signal, _frame):
        global is_stopped
        is_stopped = True

    signal.signal(signal.SIGTERM, on_stop)
    consumer.subscribe([topic])
    while not is_stopped:
        message = consumer.poll(0.05)
        if message is None:
            continue
        if message.error():
            print(message.error(), file=sys.stderr)
            continue
        fields = [message.partition(), message.offset(), message.key().decode(), message.value().decode()]
        print("\t".join(str(field) for field in fields), flush=True)
    consumer.close()
