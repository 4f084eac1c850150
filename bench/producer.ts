/**
 * Producers against each other on the embedded broker, in one run: `node bench/producer.ts [--rounds N] [--engine kafka]`.
 *
 * Messages of 100 bytes with a key, four partitions, acks all. Once one at a time with 500 sends in flight, once in
 * batches of 100 with eight in flight. The broker is a process of its own, and so is each client, so only the
 * client's CPU counts. Read the ratios; microseconds depend on the machine.
 */
import { KafkaClient } from '@kafkats/client'
import { Producer as PlatformaticProducer } from '@platformatic/kafka'
import { Kafka, logLevel, Partitioners } from 'kafkajs'
import { openClient } from '../packages/millrace/src/client/index.ts'
import { race, type Figures, type Place } from './race.ts'

interface Message {
  readonly key: Buffer
  readonly value: Buffer
}

interface Racer {
  single(message: Message): Promise<unknown>
  batch(messages: readonly Message[]): Promise<unknown>
  close(): Promise<unknown>
}

const modes = { single: { size: 1, inFlight: 500 }, batch: { size: 100, inFlight: 8 } } as const
type Mode = keyof typeof modes

const racers: Readonly<Record<string, (place: Place) => Promise<Racer>>> = {
  async millrace({ address, topic }) {
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
  async kafkajs({ address, topic }) {
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
  async platformatic({ address, topic }) {
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
  async kafkats({ address, topic }) {
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

const names = Object.keys(modes).flatMap((mode) =>
  Object.keys(racers).map((client) => `${client} ${mode}`),
)
const peers = Object.keys(racers).filter((client) => client !== 'millrace')
const runMs = 2000

await race({
  file: import.meta.filename,
  title: 'messages of 100 bytes, one by one and in batches of 100',
  racers: names,
  goals: [
    {
      name: 'produce one by one, 500 in flight',
      ours: 'millrace single',
      peers: peers.map((client) => `${client} single`),
      rate: 5,
      cpu: 0.2,
    },
    {
      name: 'produce batches of 100',
      ours: 'millrace batch',
      peers: peers.map((client) => `${client} batch`),
      rate: 1,
      cpu: 1,
    },
  ],
  partitions: 4,
  async run(name, place) {
    const [client = '', mode = ''] = name.split(' ')
    const open = racers[client]
    if (!open) throw new Error(`there is no client ${client}`)
    const racer = await open(place)
    const figures = await run(racer, mode as Mode, runMs)
    await racer.close()
    return figures
  },
})
