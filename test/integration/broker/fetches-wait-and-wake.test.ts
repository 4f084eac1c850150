import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { apis, splitBatches } from '../../../packages/millrace/src/protocol/index.ts'
import { startTestBroker } from '../../../packages/millrace/src/testing/index.ts'
import { batchOf, produceTo } from './batches.ts'
import { connectRaw, type RawClient } from './raw-client.ts'

interface Asked {
  readonly fetchOffset?: number
  readonly maxWaitMs?: number
  readonly minBytes?: number
  readonly maxBytes?: number
  readonly partitionMaxBytes?: number
  readonly partitions?: readonly number[]
  readonly session?: readonly [id: number, epoch: number]
}

async function fetch(client: RawClient, asked: Asked = {}) {
  const { fetchOffset = 0, partitions = [0], session = [0, -1] } = asked
  return client.ask(apis.fetch, 11, {
    maxWaitMs: asked.maxWaitMs ?? 0,
    minBytes: asked.minBytes ?? 1,
    maxBytes: asked.maxBytes ?? 1_000_000,
    sessionId: session[0],
    sessionEpoch: session[1],
    topics: [
      {
        topic: 'orders',
        partitions: partitions.map((partition) => ({
          partition,
          fetchOffset,
          partitionMaxBytes: asked.partitionMaxBytes ?? 1_000_000,
        })),
      },
    ],
  })
}

const produce = (client: RawClient, partition: number, values: readonly string[]) =>
  client.ask(apis.produce, 8, produceTo('orders', partition, batchOf(values)))

describe('a fetch', () => {
  it('wakes when enough bytes are there, not before', async () => {
    await using broker = await startTestBroker({ topics: { orders: 2 } })
    await using reader = await connectRaw(broker.port)
    await using writer = await connectRaw(broker.port)
    const size = batchOf(['x'.repeat(1000)]).length
    const waiting = fetch(reader, {
      maxWaitMs: 60_000,
      minBytes: 2 * size,
      partitions: [0, 1],
    })
    await produce(writer, 0, ['x'.repeat(1000)])
    await writer.ask(apis.metadata, 5, { topics: [] })
    assert.deepEqual(reader.answered, [])
    await produce(writer, 1, ['y'.repeat(1000)])
    const answer = await waiting
    assert.deepEqual(
      answer.responses[0]?.partitions.map(({ records }) => records?.length),
      [size, size],
    )
  })

  it('answers empty when its time has passed', async () => {
    await using broker = await startTestBroker({ topics: { orders: 1 } })
    await using reader = await connectRaw(broker.port)
    const answer = await fetch(reader, { maxWaitMs: 30 })
    const partition = answer.responses[0]?.partitions[0]
    assert.equal(partition?.errorCode, 0)
    assert.equal(partition?.records?.length, 0)
  })

  it('is answered when its topic is deleted', async () => {
    await using broker = await startTestBroker({ topics: { orders: 1 } })
    await using reader = await connectRaw(broker.port)
    await using admin = await connectRaw(broker.port)
    const waiting = fetch(reader, { maxWaitMs: 60_000 })
    await admin.ask(apis.deleteTopics, 3, { topicNames: ['orders'] })
    assert.equal((await waiting).responses[0]?.partitions[0]?.errorCode, 3)
  })

  it('gives the batch around an offset whole, and the first one above every limit', async () => {
    await using broker = await startTestBroker({ topics: { orders: 2 } })
    await using client = await connectRaw(broker.port)
    for (const partition of [0, 1])
      for (const round of [0, 1, 2])
        await produce(client, partition, [`${round}a`, `${round}b`, `${round}c`])
    const middle = await fetch(client, { fetchOffset: 4 })
    const batches = splitBatches(middle.responses[0]?.partitions[0]?.records ?? Buffer.alloc(0))
    assert.deepEqual(
      batches.map((batch) => Number(batch.readBigInt64BE(0))),
      [3, 6],
    )
    const tiny = await fetch(client, { maxBytes: 1, partitionMaxBytes: 1, partitions: [0, 1] })
    const [first, second] = tiny.responses[0]?.partitions ?? []
    assert.equal(splitBatches(first?.records ?? Buffer.alloc(0)).length, 1)
    assert.equal(second?.records?.length, 0)
  })

  it('outside the log is 1; of an unknown partition 3; of an unknown id 100', async () => {
    await using broker = await startTestBroker({ topics: { orders: 1 } })
    await using client = await connectRaw(broker.port)
    const code = async (asked: Asked): Promise<number | undefined> =>
      (await fetch(client, { maxWaitMs: 60_000, ...asked })).responses[0]?.partitions[0]?.errorCode
    assert.equal(await code({ fetchOffset: 1 }), 1)
    assert.equal(await code({ fetchOffset: -1 }), 1)
    assert.equal(await code({ partitions: [7] }), 3)
    const byId = await client.ask(apis.fetch, 13, {
      maxWaitMs: 60_000,
      topics: [{ topicId: 'abcdefghijklmnopqrstuw', partitions: [{ partition: 0 }] }],
    })
    assert.equal(byId.responses[0]?.partitions[0]?.errorCode, 100)
  })

  it('in a session hears only of partitions with news', async () => {
    await using broker = await startTestBroker({ topics: { orders: 3 } })
    await using client = await connectRaw(broker.port)
    await using writer = await connectRaw(broker.port)
    const opened = await fetch(client, { partitions: [0, 1, 2], session: [0, 0] })
    assert.ok(opened.sessionId > 0)
    const id = opened.sessionId
    assert.equal(opened.responses[0]?.partitions.length, 3)
    const quiet = await fetch(client, { partitions: [], session: [id, 1], maxWaitMs: 20 })
    assert.deepEqual(quiet.responses, [])
    const waiting = fetch(client, { partitions: [], session: [id, 2], maxWaitMs: 60_000 })
    await produce(writer, 2, ['news'])
    assert.deepEqual(
      (await waiting).responses[0]?.partitions.map(({ partitionIndex }) => partitionIndex),
      [2],
    )
    assert.equal((await fetch(client, { session: [id, 9] })).errorCode, 71)
    assert.equal((await fetch(client, { session: [id + 1, 1] })).errorCode, 70)
  })
})
