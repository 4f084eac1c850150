import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { KafkaClient } from '@kafkats/client'
import { Kafka, logLevel } from 'kafkajs'
import {
  cooperativeSticky,
  openClient,
  range,
} from '../../../packages/millrace/src/client/index.ts'
import {
  scriptedBroker,
  startTestBroker,
  type ScriptedBroker,
} from '../../../packages/millrace/src/testing/index.ts'
import {
  batchOf,
  dataOf,
  listing,
  markerOf,
  serving,
  topic,
  until,
  type PartitionLog,
} from './support/scripting.ts'

/** A small generator of pseudo-random numbers, so that a failing log can be made again (mulberry32). */
function chance(seed: number): (below: number) => number {
  let state = seed
  return (below) => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below
  }
}

/** A log of interleaved transactions and plain messages, ending with a plain one. */
function randomLog(seed: number): PartitionLog & { readonly visible: readonly number[] } {
  const pick = chance(seed)
  const batches: Buffer[] = []
  const aborted: { producerId: number; firstOffset: number; lastOffset: number }[] = []
  const open = new Map<number, number[]>()
  const visible: number[] = []
  let offset = 0
  const end = (producerId: number, what: 'abort' | 'commit'): void => {
    const offsets = open.get(producerId)
    if (!offsets) return
    batches.push(markerOf(producerId, offset, what))
    const [firstOffset = 0] = offsets
    if (what === 'abort') aborted.push({ producerId, firstOffset, lastOffset: offset })
    else visible.push(...offsets)
    open.delete(producerId)
    offset++
  }
  for (let step = 0; step < 40; step++) {
    const producerId = 1 + pick(3)
    const count = 1 + pick(3)
    switch (pick(5)) {
      case 0:
        end(producerId, 'abort')
        break
      case 1:
        end(producerId, 'commit')
        break
      case 2:
        batches.push(batchOf(offset, count))
        for (let one = 0; one < count; one++) visible.push(offset++)
        break
      default: {
        const offsets = open.get(producerId) ?? []
        open.set(producerId, offsets)
        batches.push(dataOf(producerId, offset, count))
        for (let one = 0; one < count; one++) offsets.push(offset++)
      }
    }
  }
  for (const producerId of [1, 2, 3]) end(producerId, 'abort')
  batches.push(batchOf(offset, 1))
  visible.push(offset)
  visible.sort((left, right) => left - right)
  // Kafka lists them as they ended; kafkajs takes the order for that of first offsets.
  aborted.sort((left, right) => left.firstOffset - right.firstOffset)
  return { batches, aborted, batchesAtOnce: 1 + pick(6), visible }
}

async function ours(broker: ScriptedBroker): Promise<number[]> {
  await using client = openClient({ brokers: [broker.address] })
  const offsets: number[] = []
  for await (const { offset } of client.reader({ topics: [topic], fetch: { maxWaitMs: 20 } }))
    offsets.push(offset)
  return offsets
}

async function kafkajs(broker: ScriptedBroker, last: number): Promise<number[]> {
  const kafka = new Kafka({ brokers: [broker.address], logLevel: logLevel.NOTHING })
  const consumer = kafka.consumer({ groupId: 'kafkajs', maxWaitTimeInMs: 20 })
  const offsets: number[] = []
  await consumer.connect()
  await consumer.subscribe({ topic, fromBeginning: true })
  await consumer.run({
    eachMessage: async ({ message }) => void offsets.push(Number(message.offset)),
  })
  await until('kafkajs has read all', () => offsets.at(-1) === last, 15_000)
  await consumer.disconnect()
  return offsets
}

async function kafkats(broker: ScriptedBroker, last: number): Promise<number[]> {
  const client = new KafkaClient({ brokers: [broker.address], clientId: 'kafkats' })
  await client.connect()
  const consumer = client.consumer({
    groupId: 'kafkats',
    isolationLevel: 'read_committed',
    autoOffsetReset: 'earliest',
    maxWaitMs: 20,
  })
  const offsets: number[] = []
  const run = consumer.runEach(topic, async ({ offset }) => void offsets.push(Number(offset)))
  await until('kafkats has read all', () => offsets.at(-1) === last, 15_000)
  consumer.stop()
  await run
  await client.disconnect()
  return offsets
}

describe('beside other clients', () => {
  for (const seed of [1, 2, 3]) {
    it(`read_committed delivers what kafkajs and kafkats deliver of log ${seed}`, async () => {
      const log = randomLog(seed)
      await using broker = await scriptedBroker({
        topics: { [topic]: { partitions: 1 } },
        on: { fetch: serving([log]), listOffsets: listing([log]) },
      })
      const { visible } = log
      const last = visible.at(-1) ?? 0
      assert.deepEqual(await ours(broker), visible)
      assert.deepEqual(await kafkats(broker, last), visible)
      // kafkajs 2.2 enters one aborted transaction per message, so it needs them one after the other.
      const { batchesAtOnce: _, ...whole } = log
      broker.on({ fetch: serving([whole]) })
      assert.deepEqual(await kafkajs(broker, last), visible)
    })
  }

  it('shares a cooperative group with a member of kafkats', async () => {
    await using broker = await startTestBroker({ topics: { [topic]: 6 } })
    await using client = openClient({ brokers: [broker.address] })
    const member = client.joinGroup({ groupId: 'mixed', topics: [topic], heartbeatIntervalMs: 50 })
    await member.ready()
    assert.equal(member.owned.length, 6)
    const other = new KafkaClient({ brokers: [broker.address], clientId: 'kafkats' })
    await other.connect()
    const consumer = other.consumer({
      groupId: 'mixed',
      autoOffsetReset: 'earliest',
      heartbeatIntervalMs: 50,
      maxWaitMs: 50,
      partitionAssignmentStrategy: 'cooperative-sticky',
    })
    const seen: string[] = []
    const run = consumer.runEach(topic, async (message) => {
      seen.push(`${message.partition}`)
    })
    await until('the other member has its half', () => member.owned.length === 3, 15_000)
    const mine = new Set(member.owned.map(({ partition }) => `${partition}`))
    const producer = client.producer()
    await Promise.all(
      [0, 1, 2, 3, 4, 5].map((partition) => producer.send({ topic, partition, value: 'x' })),
    )
    await until('the other has read its three', () => seen.length === 3, 15_000)
    assert.ok(seen.every((partition) => !mine.has(partition)))
    consumer.stop()
    await run
    await other.disconnect()
    await until('everything came back', () => member.owned.length === 6, 15_000)
  })

  it('offers range beside the cooperative assignor, and then is eager as the Java client is', async () => {
    await using broker = await scriptedBroker({ topics: { [topic]: { partitions: 2 } } })
    await using client = openClient({ brokers: [broker.address] })
    const member = client.joinGroup({
      groupId: 'migrating',
      topics: [topic],
      assignors: [cooperativeSticky, range],
      heartbeatIntervalMs: 10,
    })
    await member.ready()
    const [first] = member.owned
    broker.on({ heartbeat: (_, { count }) => ({ errorCode: count < 3 ? 27 : 0 }) })
    const again = await broker.received('joinGroup', 2)
    assert.deepEqual(
      again.body.protocols.map(({ name }) => name),
      ['cooperative-sticky', 'range'],
    )
    assert.equal(first?.isOwned, false)
  })
})
