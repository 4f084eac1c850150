import { setTimeout as wait } from 'node:timers/promises'
import { Kafka, logLevel, type Consumer, type Producer } from 'kafkajs'
import { everyMs, followCommands, readArguments, tell, Tenures } from './client.ts'

const { name, brokers, topic, partitions, group } = readArguments()
const kafka = new Kafka({
  brokers: [brokers],
  clientId: name,
  logLevel: logLevel.NOTHING,
  connectionTimeout: 1000,
  requestTimeout: 5000,
  retry: { retries: 50, initialRetryTime: 100, maxRetryTime: 1000 },
})
const tenures = new Tenures(name, group)
let consumer = await join()
const told = followCommands(() => void rejoin())

await Promise.all(Array.from({ length: partitions }, (_, partition) => produce(partition)))
tell({ e: 'quiet' })
await told.ended
process.exit()

/** One producer a partition, and one message at a time: more in flight is not idempotent in this client. */
async function produce(partition: number): Promise<void> {
  let lives = 0
  let producer = await connect()
  let producerName = `${name}-${lives}`
  for (let nth = 0; told.isProducing; nth++) {
    const value = `${name}/${partition}/${nth}`
    tell({ e: 'send', producer: producerName, partition, value })
    try {
      const [result] = await producer.send({ topic, acks: -1, messages: [{ partition, value }] })
      tell({ e: 'sent', value, partition, offset: Number(result?.baseOffset) })
    } catch (error) {
      tell({ e: 'trouble', about: String(error) })
      // What becomes of the message is unknown, and the producer's numbers with it: another one goes on.
      await producer.disconnect()
      producer = await connect()
      producerName = `${name}-${++lives}`
    }
    await wait(everyMs)
  }
}

async function connect(): Promise<Producer> {
  for (;;) {
    const one = kafka.producer({ idempotent: true, maxInFlightRequests: 1 })
    try {
      await one.connect()
      return one
    } catch (error) {
      tell({ e: 'trouble', about: String(error) })
      await wait(200)
    }
  }
}

async function rejoin(): Promise<void> {
  await consumer.disconnect()
  consumer = await join()
}

async function join(): Promise<Consumer> {
  const own = kafka.consumer({
    groupId: group,
    sessionTimeout: 10_000,
    maxWaitTimeInMs: 500,
    retry: { restartOnFailure: () => Promise.resolve(true) },
  })
  // Everybody gives everything back in a rebalance of this client.
  own.on(own.events.GROUP_JOIN, () => tenures.begin())
  for (;;) {
    try {
      await own.connect()
      await own.subscribe({ topic, fromBeginning: true })
      break
    } catch (error) {
      tell({ e: 'trouble', about: String(error) })
      await wait(200)
    }
  }
  await own.run({
    autoCommit: false,
    eachBatchAutoResolve: false,
    async eachBatch(payload) {
      const { batch } = payload
      const { partition } = batch
      for (const { offset, value } of batch.messages) {
        if (payload.isStale() || !payload.isRunning()) return
        tenures.poll(partition, Number(offset), String(value))
        payload.resolveOffset(offset)
      }
      const next = Number(batch.lastOffset()) + 1
      await own.commitOffsets([{ topic, partition, offset: String(next) }])
      tenures.committed(partition, next)
    },
  })
  return own
}
