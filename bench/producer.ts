/**
 * Producers against each other on the embedded broker, in one run: `node bench/producer.ts [seconds]`.
 *
 * Messages of 100 bytes with a key, four partitions, acks all. Once one at a time with 500 sends in flight, once in
 * batches of 100 with eight in flight. The broker is a process of its own, and so is each client, so only the
 * client's CPU counts. Read the ratios; microseconds depend on the machine.
 */
import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { KafkaClient } from '@kafkats/client'
import { Producer as PlatformaticProducer } from '@platformatic/kafka'
import { Kafka, logLevel, Partitioners } from 'kafkajs'
import { startBroker } from '../packages/millrace/src/broker/index.ts'
import { openClient } from '../packages/millrace/src/client/index.ts'

interface Message {
  readonly key: Buffer
  readonly value: Buffer
}

interface Racer {
  single(message: Message): Promise<unknown>
  batch(messages: readonly Message[]): Promise<unknown>
  close(): Promise<unknown>
}

const topic = 'bench'
const partitions = 4
const modes = { single: { size: 1, inFlight: 500 }, batch: { size: 100, inFlight: 8 } } as const
type Mode = keyof typeof modes

const racers: Readonly<Record<string, (address: string) => Promise<Racer>>> = {
  async millrace(address) {
    const client = openClient({ brokers: [address], clientId: 'bench' })
    const producer = client.producer()
    await Promise.resolve()
    return {
      single: ({ key, value }) => producer.send({ topic, key, value }),
      batch: (messages) =>
        producer.sendMany(messages.map(({ key, value }) => ({ topic, key, value }))),
      close: () => client.close(),
    }
  },
  async kafkajs(address) {
    const client = new Kafka({ brokers: [address], clientId: 'bench', logLevel: logLevel.NOTHING })
    const createPartitioner = Partitioners.DefaultPartitioner
    const producer = client.producer({ createPartitioner })
    await producer.connect()
    return {
      single: (message) => producer.send({ topic, messages: [message] }),
      batch: (messages) => producer.send({ topic, messages: [...messages] }),
      close: () => producer.disconnect(),
    }
  },
  async platformatic(address) {
    const producer = new PlatformaticProducer({
      clientId: 'bench',
      bootstrapBrokers: [address],
    })
    await Promise.resolve()
    return {
      single: ({ key, value }) => producer.send({ messages: [{ topic, key, value }] }),
      batch: (messages) =>
        producer.send({ messages: messages.map(({ key, value }) => ({ topic, key, value })) }),
      close: () => producer.close(),
    }
  },
  async kafkats(address) {
    const client = new KafkaClient({ brokers: [address], clientId: 'bench' })
    await client.connect()
    const producer = client.producer({ acks: 'all', lingerMs: 0 })
    return {
      single: (message) => producer.send(topic, message),
      batch: (messages) => producer.send(topic, [...messages]),
      close: () => client.disconnect(),
    }
  },
}

interface Figures {
  readonly cpuMicros: number
  readonly perSecond: number
}

async function run(racer: Racer, mode: Mode, runMs: number): Promise<Figures> {
  const { size, inFlight } = modes[mode]
  const messages = Array.from({ length: 1000 }, (_, index) => ({
    key: Buffer.from(`key-${index % 200}`),
    value: Buffer.alloc(100, index),
  }))
  let at = 0
  const next = (): readonly Message[] => {
    at = (at + size) % messages.length
    return messages.slice(at, at + size)
  }
  const work = async (untilMs: number): Promise<number> => {
    let sent = 0
    while (performance.now() < untilMs) {
      const batch = next()
      const [first] = batch
      if (first === undefined) continue
      await (mode === 'single' ? racer.single(first) : racer.batch(batch))
      sent += mode === 'single' ? 1 : batch.length
    }
    return sent
  }
  const all = (untilMs: number): Promise<number[]> =>
    Promise.all(Array.from({ length: inFlight }, () => work(untilMs)))
  await all(performance.now() + runMs / 3)
  const cpu = process.cpuUsage()
  const start = performance.now()
  const counts = await all(start + runMs)
  const seconds = (performance.now() - start) / 1000
  const { user, system } = process.cpuUsage(cpu)
  const sent = counts.reduce((sum, count) => sum + count, 0)
  return { cpuMicros: (user + system) / sent, perSecond: sent / seconds }
}

async function child(args: readonly string[]): Promise<void> {
  const [role = '', address = '', mode = '', runMs = ''] = args
  if (role === 'broker') {
    const broker = await startBroker({ memory: true, options: { defaultPartitions: partitions } })
    await broker.store.createTopic({ name: topic, partitions, configs: { 'retention.bytes': '0' } })
    process.send?.(broker.address)
    await once(process, 'disconnect')
    process.exit()
  }
  const open = racers[role]
  if (!open) throw new Error(`there is no client ${role}`)
  const racer = await open(address)
  process.send?.(await run(racer, mode as Mode, Number(runMs)))
  await racer.close()
  process.exit()
}

function startChild(...args: readonly string[]): ChildProcess {
  return fork(import.meta.filename, ['child', ...args], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  })
}

async function race(seconds: number): Promise<void> {
  for (const mode of Object.keys(modes) as Mode[]) {
    const figures = new Map<string, Figures>()
    for (const name of Object.keys(racers)) {
      // A broker for each: none inherits the other's log.
      const broker = startChild('broker')
      const [address] = (await once(broker, 'message')) as [string]
      const client = startChild(name, address, mode, String(seconds * 1000))
      const [result] = (await Promise.race([once(client, 'message'), once(client, 'exit')])) as [
        Figures | number,
      ]
      if (typeof result === 'object' && result !== null) figures.set(name, result)
      else console.log(`${name} failed`)
      broker.disconnect()
      if (client.exitCode === null) await once(client, 'exit')
    }
    const best = Math.min(...Array.from(figures.values(), ({ cpuMicros }) => cpuMicros))
    console.log(`\n${mode}: CPU per message, 1.0 is the best`)
    for (const [name, { cpuMicros, perSecond }] of figures) {
      const ratio = (cpuMicros / best).toFixed(2).padStart(6)
      const micros = cpuMicros.toFixed(2).padStart(8)
      const rate = Math.round(perSecond).toLocaleString('en').padStart(10)
      console.log(`  ${name.padEnd(14)}${ratio}  ${micros} us  ${rate} messages/s`)
    }
  }
}

if (process.argv[2] === 'child') await child(process.argv.slice(3))
else await race(Number(process.argv[2] ?? 2))
