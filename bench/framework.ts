/**
 * Frameworks against each other, from the broker to a typed value in a handler: `node bench/framework.ts [--rounds N] [--engine kafka]`.
 *
 * JSON events of about 100 bytes with a key, four partitions, commits on as each does it by default. Every handler
 * reads a field of the decoded event. NestJS is installed apart: `npm ci --prefix bench/peers`; without it its row is
 * left out.
 */
import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { Kafka, logLevel, type EachMessagePayload } from 'kafkajs'
import {
  defineApp,
  defineConsumer,
  defineTopic,
  json,
  startWorker,
  type ConsumerDefinition,
} from '../packages/millrace/src/app/index.ts'
import { openClient } from '../packages/millrace/src/client/index.ts'
import { raceConsumers, type Racer } from './consumer-race.ts'
import type { Place } from './race.ts'

interface Event {
  readonly id: number
  readonly name: string
}

const name = 'x'.repeat(80)
const bytes = (id: number): Buffer => Buffer.from(JSON.stringify({ id, name } satisfies Event))
const sizeById = Array.from({ length: 1000 }, (_, id) => bytes(id).length)
const sizeOf = ({ id }: Event): number => sizeById[id] ?? 0

const racers: Record<string, Racer> = {
  /** What the others are compared with: our client alone, the same decoding. */
  async 'client alone'({ address, topic, groupId }, count, seen) {
    await using client = openClient({ brokers: [address], clientId: 'bench' })
    const member = client.joinGroup({ groupId, topics: [topic] })
    await member.ready()
    let left = count
    const done = Promise.withResolvers<void>()
    const drain = async (partition: (typeof member.owned)[number]): Promise<void> => {
      while (left > 0) {
        const messages = partition.take(100)
        for (const { value } of messages) seen(sizeOf(JSON.parse(String(value)) as Event))
        left -= messages.length
        if (messages.length === 0) await Promise.race([partition.available(), done.promise])
      }
      done.resolve()
    }
    await Promise.all(member.owned.map(drain))
  },
  'millrace batch': (place, count, seen) =>
    millrace(place, (all) =>
      defineConsumer({
        topic: topicOf(place),
        group: place.groupId,
        batch(messages) {
          for (const { value } of messages) seen(sizeOf(value))
          count -= messages.size
          if (count === 0) all()
        },
      }),
    ),
  'millrace each': (place, count, seen) =>
    millrace(place, (all) =>
      defineConsumer({
        topic: topicOf(place),
        group: place.groupId,
        each({ value }) {
          seen(sizeOf(value))
          if (--count === 0) all()
        },
      }),
    ),
  'kafkajs batch': (place, count, seen) =>
    kafkajs(place, (all) => ({
      eachBatch: async ({ batch }) => {
        for (const { value } of batch.messages) seen(sizeOf(JSON.parse(String(value)) as Event))
        count -= batch.messages.length
        if (count === 0) all()
      },
    })),
  'kafkajs each': (place, count, seen) =>
    kafkajs(place, (all) => ({
      eachMessage: async ({ message }: EachMessagePayload) => {
        seen(sizeOf(JSON.parse(String(message.value)) as Event))
        if (--count === 0) all()
      },
    })),
}

const peers = join(import.meta.dirname, 'peers')
if (existsSync(join(peers, 'node_modules/@nestjs/microservices'))) racers['nestjs'] = nest
else console.log('NestJS is not installed: npm ci --prefix bench/peers')

const topicOf = ({ topic }: Place) => defineTopic(topic, { value: json<Event>() })

async function millrace(
  { address, groupId }: Place & { readonly groupId: string },
  consumer: (all: () => void) => ConsumerDefinition,
): Promise<void> {
  const all = Promise.withResolvers<void>()
  await using _worker = await startWorker(
    {
      brokers: [address],
      clientId: 'bench',
      groupId: () => groupId,
      app: defineApp({ consumers: [consumer(all.resolve)] }),
    },
    { signals: false, env: {}, log: false },
  )
  await all.promise
}

async function kafkajs(
  { address, topic, groupId }: Place & { readonly groupId: string },
  handling: (all: () => void) => Parameters<ReturnType<Kafka['consumer']>['run']>[0],
): Promise<void> {
  const client = new Kafka({ brokers: [address], clientId: 'bench', logLevel: logLevel.NOTHING })
  const consumer = client.consumer({ groupId, maxWaitTimeInMs: 500 })
  const all = Promise.withResolvers<void>()
  await consumer.connect()
  await consumer.subscribe({ topic, fromBeginning: true })
  await consumer.run(handling(all.resolve))
  await all.promise
  await consumer.disconnect()
}

/** NestJS's own Kafka transport; its decorators are called by hand, since types are stripped and not compiled here. */
async function nest(
  { address, topic, groupId }: Place & { readonly groupId: string },
  count: number,
  seen: (bytes: number) => void,
): Promise<void> {
  interface NestApp {
    listen(): Promise<void>
    close(): Promise<void>
  }
  type Decorator = (target: unknown, key?: string, descriptor?: unknown) => void
  await peer('reflect-metadata')
  const { Module, Controller } = (await peer('@nestjs/common')) as {
    Module: (options: object) => Decorator
    Controller: (path: string) => Decorator
  }
  const { NestFactory } = (await peer('@nestjs/core')) as {
    NestFactory: { createMicroservice(module: unknown, options: unknown): Promise<NestApp> }
  }
  const { EventPattern, Transport } = (await peer('@nestjs/microservices')) as {
    EventPattern: (pattern: string) => Decorator
    Transport: { KAFKA: unknown }
  }
  const all = Promise.withResolvers<void>()
  class Handlers {
    handle(event: Event): void {
      seen(sizeOf(event))
      if (--count === 0) all.resolve()
    }
  }
  const descriptor = Object.getOwnPropertyDescriptor(Handlers.prototype, 'handle')
  EventPattern(topic)(Handlers.prototype, 'handle', descriptor)
  Controller('')(Handlers)
  const Root = function Root(): void {}
  Module({ controllers: [Handlers] })(Root)
  const app = await NestFactory.createMicroservice(Root, {
    transport: Transport.KAFKA,
    logger: false,
    options: {
      client: { brokers: [address], clientId: 'bench', logLevel: logLevel.NOTHING },
      consumer: { groupId, maxWaitTimeInMs: 500 },
      subscribe: { fromBeginning: true },
    },
  })
  await app.listen()
  await all.promise
  await app.close()
}

function peer(wanted: string): Promise<unknown> {
  const require = createRequire(join(peers, 'package.json'))
  return import(pathToFileURL(require.resolve(wanted)).href)
}

await raceConsumers({
  file: import.meta.filename,
  title: 'JSON events of 100 bytes',
  racers,
  goals: [
    {
      name: 'handlers, batch',
      ours: 'millrace batch',
      peers: ['kafkajs batch'],
      rate: 1.5,
      cpu: 1,
    },
    { name: 'handlers, each', ours: 'millrace each', peers: ['kafkajs each'], rate: 1, cpu: 1 },
    { name: 'handlers over NestJS', ours: 'millrace each', peers: ['nestjs'], rate: 3, cpu: 0.33 },
    {
      name: 'handlers over the bare client',
      ours: 'millrace batch',
      peers: ['client alone'],
      overMicros: 1,
    },
  ],
  value: bytes,
  messages: 400_000,
})
