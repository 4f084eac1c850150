/**
 * Consumers against each other on the embedded broker, in one run: `node bench/consumer.ts [messages]`.
 *
 * Messages of 100 bytes with a key, four partitions, batches of 500, checksums on, one member reading from the
 * start of the log. Each client reads everything twice in a process of its own; the second pass counts, and of it
 * only the client's CPU. Read the ratios; microseconds depend on the machine.
 */
import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { KafkaClient } from '@kafkats/client'
import { Consumer as PlatformaticConsumer } from '@platformatic/kafka'
import { Kafka, logLevel } from 'kafkajs'
import { startBroker } from '../packages/millrace/src/broker/index.ts'
import { openClient } from '../packages/millrace/src/client/index.ts'

/** Reads a topic of `count` messages as a new group, and calls back for each. */
type Racer = (
  address: string,
  groupId: string,
  count: number,
  seen: (value: Buffer | null) => void,
) => Promise<void>

const topic = 'bench'
const partitions = 4
const batchSize = 500

const racers: Readonly<Record<string, Racer>> = {
  async millrace(address, groupId, count, seen) {
    await using client = openClient({ brokers: [address], clientId: 'bench' })
    const member = client.joinGroup({ groupId, topics: [topic] })
    await member.ready()
    let left = count
    const drain = async (partition: (typeof member.owned)[number]): Promise<void> => {
      while (left > 0) {
        const messages = partition.take(500)
        for (const { value } of messages) seen(value)
        left -= messages.length
        if (messages.length === 0) await Promise.race([partition.available(), done.promise])
      }
      done.resolve()
    }
    const done = Promise.withResolvers<void>()
    await Promise.all(member.owned.map(drain))
  },
  async 'kafkajs each'(address, groupId, count, seen) {
    await kafkajs(address, groupId, (all) => ({
      eachMessage: async ({ message }) => {
        seen(message.value)
        if (--count === 0) all()
      },
    }))
  },
  async 'kafkajs batch'(address, groupId, count, seen) {
    await kafkajs(address, groupId, (all) => ({
      eachBatch: async ({ batch }) => {
        for (const { value } of batch.messages) seen(value)
        count -= batch.messages.length
        if (count === 0) all()
      },
    }))
  },
  async 'kafkats each'(address, groupId, count, seen) {
    const { consumer, close } = await kafkats(address, groupId)
    const ended = consumer.runEach(topic, async ({ value }) => {
      seen(value)
      if (--count === 0) consumer.stop()
    })
    await ended
    await close()
  },
  async 'kafkats batch'(address, groupId, count, seen) {
    const { consumer, close } = await kafkats(address, groupId)
    const ended = consumer.runBatch(topic, async (messages) => {
      for (const { value } of messages) seen(value)
      count -= messages.length
      if (count === 0) consumer.stop()
    })
    await ended
    await close()
  },
  async platformatic(address, groupId, count, seen) {
    const consumer = new PlatformaticConsumer({
      clientId: 'bench',
      groupId,
      bootstrapBrokers: [address],
    })
    const stream = await consumer.consume({ topics: [topic], mode: 'earliest', autocommit: false })
    for await (const { value } of stream) {
      seen(value)
      if (--count === 0) break
    }
    await consumer.close(true)
  },
}

async function kafkajs(
  address: string,
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

interface Figures {
  readonly cpuMicros: number
  readonly perSecond: number
}

/** From the first message to the last: joining is not what is measured. */
async function run(racer: Racer, address: string, count: number): Promise<Figures> {
  let bytes = 0
  const pass = async (groupId: string): Promise<Figures> => {
    let cpu = process.cpuUsage()
    let start = 0
    let read = 0
    let figures: Figures | undefined
    await racer(address, groupId, count, (value) => {
      if (start === 0) {
        start = performance.now()
        cpu = process.cpuUsage()
      }
      bytes += value?.length ?? 0
      if (++read < count) return
      const { user, system } = process.cpuUsage(cpu)
      const seconds = (performance.now() - start) / 1000
      figures = { cpuMicros: (user + system) / count, perSecond: count / seconds }
    })
    if (!figures) throw new Error(`${read} of ${count} messages`)
    return figures
  }
  await pass('warm')
  const figures = await pass('measured')
  if (bytes !== count * 200) throw new Error('messages of another size came')
  return figures
}

async function serve(count: number): Promise<void> {
  const broker = await startBroker({ memory: true, options: { defaultPartitions: partitions } })
  await broker.store.createTopic({ name: topic, partitions, configs: {} })
  {
    await using client = openClient({ brokers: [broker.address] })
    const producer = client.producer()
    for (let sent = 0; sent < count; sent += batchSize) {
      const partition = (sent / batchSize) % partitions
      const messages = Array.from({ length: batchSize }, (_, index) => ({
        topic,
        partition,
        key: Buffer.from(`key-${index % 200}`),
        value: Buffer.alloc(100, index),
      }))
      await producer.sendMany(messages)
    }
  }
  process.send?.(broker.address)
  await once(process, 'disconnect')
  process.exit()
}

async function child(args: readonly string[]): Promise<void> {
  const [role = '', address = '', count = ''] = args
  if (role === 'broker') return serve(Number(count))
  const racer = racers[role]
  if (!racer) throw new Error(`there is no client ${role}`)
  process.send?.(await run(racer, address, Number(count)))
  process.exit()
}

function startChild(...args: readonly string[]): ChildProcess {
  return fork(import.meta.filename, ['child', ...args], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  })
}

async function race(asked: number): Promise<void> {
  const count = Math.ceil(asked / batchSize / partitions) * batchSize * partitions
  const figures = new Map<string, Figures>()
  for (const name of Object.keys(racers)) {
    // A broker for each: none inherits the other's groups.
    const broker = startChild('broker', '', String(count))
    const [address] = (await once(broker, 'message')) as [string]
    const client = startChild(name, address, String(count))
    const [result] = (await Promise.race([once(client, 'message'), once(client, 'exit')])) as [
      Figures | number,
    ]
    if (typeof result === 'object' && result !== null) figures.set(name, result)
    else console.log(`${name} failed`)
    broker.disconnect()
    if (client.exitCode === null) await once(client, 'exit')
  }
  const best = Math.min(...Array.from(figures.values(), ({ cpuMicros }) => cpuMicros))
  console.log(
    `${count.toLocaleString('en')} messages of 100 bytes: CPU per message, 1.0 is the best`,
  )
  for (const [name, { cpuMicros, perSecond }] of figures) {
    const ratio = (cpuMicros / best).toFixed(2).padStart(6)
    const micros = cpuMicros.toFixed(2).padStart(8)
    const rate = Math.round(perSecond).toLocaleString('en').padStart(10)
    console.log(`  ${name.padEnd(14)}${ratio}  ${micros} us  ${rate} messages/s`)
  }
}

if (process.argv[2] === 'child') await child(process.argv.slice(3))
else await race(Number(process.argv[2] ?? 400_000))
