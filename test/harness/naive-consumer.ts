import type { Consumer, ConsumerRunConfig, Producer } from 'kafkajs'

import { openKafkajs } from './kafkajs.ts'
import type { Scenario } from './scenario.ts'

export interface NaiveConsumer extends AsyncDisposable {
  readonly consumer: Consumer
  readonly producer: Producer
}

/**
 * The way without a framework: a kafkajs consumer and a producer, as an application would write them by hand. Reads from the
 * start; what throws is tried again soon, and for ever.
 */
export async function startNaive(
  { brokers, topic, group }: Scenario,
  options: {
    readonly group: string
    readonly topics: readonly string[]
    readonly run: (producer: Producer) => ConsumerRunConfig
  },
): Promise<NaiveConsumer> {
  await using stack = new AsyncDisposableStack()
  const kafka = openKafkajs(brokers)
  const producer = kafka.producer()
  stack.defer(() => producer.disconnect())
  await producer.connect()
  const consumer = kafka.consumer({
    groupId: group(options.group),
    heartbeatInterval: 500,
    maxWaitTimeInMs: 100,
    // Never out of retries: a restart that is under way when the consumer is closed would leave it open.
    retry: { initialRetryTime: 20, maxRetryTime: 50, retries: 1000 },
  })
  stack.defer(() => consumer.disconnect())
  await consumer.connect()
  await consumer.subscribe({ topics: options.topics.map(topic), fromBeginning: true })
  await consumer.run(options.run(producer))
  const owned = stack.move()
  return { consumer, producer, [Symbol.asyncDispose]: () => owned.disposeAsync() }
}
