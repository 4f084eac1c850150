import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { openClient, type OwnedPartition } from '../../../packages/millrace/src/client/index.ts'
import {
  scriptedBroker,
  type ScriptedRequest,
} from '../../../packages/millrace/src/testing/index.ts'
import { assigned, batchOf, listing, serving, topic, until } from './support/scripting.ts'

const logs = [0, 1].map(() => ({ batches: [batchOf(0, 5), batchOf(5, 5)] }))

const asksFor = ({ body }: ScriptedRequest<'fetch'>, partition: number): boolean =>
  body.topics.some(({ partitions }) => partitions.some((one) => one.partition === partition))

async function take(partition: OwnedPartition, count: number): Promise<number[]> {
  const offsets: number[] = []
  while (offsets.length < count) {
    await partition.available()
    for (const { offset } of partition.take(count - offsets.length)) offsets.push(offset)
  }
  return offsets
}

describe('pause and seek', () => {
  it('a paused partition stays paused over a rebalance that keeps it', async () => {
    let isRebalancing = false
    await using broker = await scriptedBroker({
      topics: { [topic]: { partitions: 2 } },
      on: {
        fetch: serving(logs),
        heartbeat: () => ({ errorCode: isRebalancing ? 27 : 0 }),
        syncGroup(_, { count }) {
          isRebalancing = false
          return count === 1 ? assigned(0, 1) : assigned(0)
        },
      },
    })
    await using client = openClient({ brokers: [broker.address] })
    const options = { groupId: 'g', topics: [topic], heartbeatIntervalMs: 10 }
    const member = client.joinGroup({
      ...options,
      onAssigned: (list) => list.find(({ partition }) => partition === 0)?.pause(),
    })
    await member.ready()
    await broker.received('fetch', 2)
    isRebalancing = true
    // The second assignment takes partition 1 away, so a third generation follows.
    await broker.received('syncGroup', 3)
    await until('partition 1 is gone', () => member.owned.length === 1)
    assert.equal(member.owned[0]?.isPaused, true)
    assert.ok(broker.asked('fetch').every((request) => !asksFor(request, 0)))
    member.owned[0].resume()
    assert.deepEqual(await take(member.owned[0], 2), [0, 1])
  })

  it('a paused partition keeps what is buffered, and the other one flows', async () => {
    await using broker = await scriptedBroker({
      topics: { [topic]: { partitions: 2 } },
      on: { fetch: serving(logs) },
    })
    await using client = openClient({ brokers: [broker.address] })
    const member = client.joinGroup({ groupId: 'g', topics: [topic] })
    await member.ready()
    const [first, second] = member.owned
    assert.ok(first && second)
    assert.deepEqual(await take(first, 3), [0, 1, 2])
    first.pause()
    assert.deepEqual(first.take(10), [])
    assert.deepEqual(await take(second, 10), [0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
    first.resume()
    assert.deepEqual(await take(first, 7), [3, 4, 5, 6, 7, 8, 9])
  })

  it('a seek drops the answer on its way, of this partition only', async () => {
    const gate = Promise.withResolvers<void>()
    const serve = serving(logs)
    await using broker = await scriptedBroker({
      topics: { [topic]: { partitions: 2 } },
      on: {
        async fetch(request, call) {
          const answer = await serve(request, call)
          if (call.count === 1) await gate.promise
          return answer
        },
      },
    })
    await using client = openClient({ brokers: [broker.address] })
    const member = client.joinGroup({ groupId: 'g', topics: [topic] })
    await member.ready()
    const [first, second] = member.owned
    assert.ok(first && second)
    await broker.received('fetch')
    await first.seek(7)
    gate.resolve()
    assert.deepEqual(await take(first, 3), [7, 8, 9])
    assert.deepEqual(await take(second, 2), [0, 1])
    assert.equal(first.position, 10)
    const again = broker.asked('fetch').filter((request) => asksFor(request, 1))
    assert.ok(again.every(({ body, count }) => count === 1 || offsetAsked(body, 1) !== 0))
  })

  it('a seek to an end or a time is looked up first', async () => {
    await using broker = await scriptedBroker({
      topics: { [topic]: { partitions: 1 } },
      on: {
        fetch: serving(logs),
        listOffsets(request, call) {
          const timestamp = request.topics[0]?.partitions[0]?.timestamp
          if (timestamp !== 1234) return listing(logs)(request, call)
          return {
            topics: [{ name: topic, partitions: [{ partitionIndex: 0, offset: 6, timestamp }] }],
          }
        },
      },
    })
    await using client = openClient({ brokers: [broker.address] })
    const member = client.joinGroup({ groupId: 'g', topics: [topic] })
    await member.ready()
    const [partition] = member.owned
    assert.ok(partition)
    await partition.seek({ timestampMs: 1234 })
    assert.deepEqual(await take(partition, 2), [6, 7])
    await partition.seek('latest')
    assert.equal(partition.position, 10)
    await partition.seek('earliest')
    assert.deepEqual(await take(partition, 2), [0, 1])
  })

  it('a seek in onAssigned comes before the committed offset, and before the first fetch', async () => {
    await using broker = await scriptedBroker({
      topics: { [topic]: { partitions: 1 } },
      on: { fetch: serving(logs) },
    })
    await using client = openClient({ brokers: [broker.address] })
    const onAssigned = async ([partition]: readonly OwnedPartition[]): Promise<void> => {
      assert.equal(broker.asked('fetch').length, 0)
      await partition?.seek(4)
    }
    const member = client.joinGroup({ groupId: 'g', topics: [topic], onAssigned })
    await member.ready()
    assert.ok(member.owned[0])
    assert.deepEqual(await take(member.owned[0], 2), [4, 5])
    assert.equal(offsetAsked(broker.asked('fetch')[0]!.body, 0), 4)
  })
})

function offsetAsked(body: ScriptedRequest<'fetch'>['body'], partition: number): number {
  const found = body.topics[0]?.partitions.find((one) => one.partition === partition)
  return found?.fetchOffset ?? -1
}
