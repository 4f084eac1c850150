/**
 * Consumers against each other on the embedded broker, in one run: `node bench/consumer.ts [--rounds N] [--engine kafka]`.
 *
 * Messages of 100 bytes with a key, four partitions, batches of 500, checksums on, one member reading from the
 * start of the log. Each client reads everything twice in a process of its own; the second pass counts, and of it
 * only the client's CPU. Read the ratios; microseconds depend on the machine.
 */
import { KafkaClient } from '@kafkats/client'
import { Consumer as PlatformaticConsumer } from '@platformatic/kafka'
import { Kafka, logLevel } from 'kafkajs'
import { openClient } from '../packages/millrace/src/client/index.ts'
import { raceConsumers, type Racer } from './consumer-race.ts'

const racers: Readonly<Record<string, Racer>> = {
  async millrace({ address, topic, groupId }, count, seen) {
    await using client = openClient({ brokers: [address], clientId: 'bench' })
    const member = client.joinGroup({ groupId, topics: [topic] })
    await member.ready()
    let left = count
    const drain = async (partition: (typeof member.owned)[number]): Promise<void> => {
      while (left > 0) {
        const messages = partition.take(500)
        for (const { value } of messages) seen(value?.length ?? 0)
        left -= messages.length
        if (messages.length === 0) await Promise.race([partition.available(), done.promise])
      }
      done.resolve()
    }
    const done = Promise.withResolvers<void>()
    await Promise.all(member.owned.map(drain))
  },
  async 'kafkajs each'({ address, topic, groupId }, count, seen) {
    await kafkajs(address, topic, groupId, (all) => ({
      eachMessage: async ({ message }) => {
        seen(message.value?.length ?? 0)
        if (--count === 0) all()
      },
    }))
  },
  async 'kafkajs batch'({ address, topic, groupId }, count, seen) {
    await kafkajs(address, topic, groupId, (all) => ({
      eachBatch: async ({ batch }) => {
        for (const { value } of batch.messages) seen(value?.length ?? 0)
        count -= batch.messages.length
        if (count === 0) all()
      },
    }))
  },
  async 'kafkats each'({ address, topic, groupId }, count, seen) {
    const { consumer, close } = await kafkats(address, groupId)
    const ended = consumer.runEach(topic, async ({ value }) => {
      seen(value?.length ?? 0)
      if (--count === 0) consumer.stop()
    })
    await ended
    await close()
  },
  async 'kafkats batch'({ address, topic, groupId }, count, seen) {
    const { consumer, close } = await kafkats(address, groupId)
    const ended = consumer.runBatch(topic, async (messages) => {
      for (const { value } of messages) seen(value?.length ?? 0)
      count -= messages.length
      if (count === 0) consumer.stop()
    })
    await ended
    await close()
  },
  async platformatic({ address, topic, groupId }, count, seen) {
    const consumer = new PlatformaticConsumer({
      clientId: 'bench',
      groupId,
      bootstrapBrokers: [address],
    })
    const stream = await consumer.consume({ topics: [topic], mode: 'earliest', autocommit: false })
    for await (const { value } of stream) {
      seen(value?.length ?? 0)
      if (--count === 0) break
    }
    await consumer.close(true)
  },
}

async function kafkajs(
  address: string,
  topic: string,
  groupId: string,
  handling: (all: () => void) => Parameters<ReturnType<Kafka['consumer']>['run']>[0],
): Promise<void> {
  const client = new Kafka({ brokers: [address], clientId: 'bench', logLevel: logLevel.NOTHING })
  const consumer = client.consumer({ groupId, maxWaitTimeInMs: 500 })
  const all = Promise.withResolvers<void>()
  await consumer.connect()
  await consumer.subscribe({ topic, fromBeginning: true })
  await consumer.run({ ...handling(all.resolve), autoCommit: false })
  await all.promise
  await consumer.disconnect()
}

async function kafkats(address: string, groupId: string) {
  const client = new KafkaClient({ brokers: [address], clientId: 'bench' })
  await client.connect()
  const consumer = client.consumer({ groupId, autoOffsetReset: 'earliest', maxWaitMs: 500 })
  return { consumer, close: () => client.disconnect() }
}

await raceConsumers({
  file: import.meta.filename,
  title: 'messages of 100 bytes',
  racers,
  goals: [
    {
      name: 'consume, single',
      ours: 'millrace',
      peers: ['kafkajs each', 'kafkats each', 'platformatic'],
      rate: 1,
      cpu: 1,
    },
    {
      name: 'consume, batch',
      ours: 'millrace',
      peers: ['kafkajs batch', 'kafkats batch'],
      rate: 1,
      cpu: 1,
    },
  ],
  value: (index) => Buffer.alloc(100, index),
  // Many, so that what a client has fetched and parsed before it hands out its first message counts for little.
  messages: 1_000_000,
})
