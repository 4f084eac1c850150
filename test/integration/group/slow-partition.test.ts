import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { openClient } from '../../../packages/millrace/src/client/index.ts'
import { scriptedBroker } from '../../../packages/millrace/src/testing/index.ts'
import { assigned, batchOf, fetched, read, serving, topic, until } from './support/scripting.ts'

const wide = (offset: number): string => `${offset}`.padEnd(1000, '.')

describe('a partition whose handler is slow', () => {
  it('does not slow the other seven, and does not grow beyond its share', async () => {
    const perPartitionBytes = 20_000
    const logs = Array.from({ length: 8 }, () => ({
      batches: Array.from({ length: 40 }, (_, index) => batchOf(index * 5, 5, {}, wide)),
      batchesAtOnce: 3,
    }))
    await using broker = await scriptedBroker({
      topics: { [topic]: { partitions: 8 } },
      on: { fetch: serving(logs), syncGroup: () => assigned(0, 1, 2, 3, 4, 5, 6, 7) },
    })
    await using client = openClient({ brokers: [broker.address] })
    const member = client.joinGroup({
      groupId: 'g',
      topics: [topic],
      fetch: { perPartitionBytes, maxWaitMs: 50 },
    })
    await member.ready()
    const [slow, ...others] = member.owned
    assert.ok(slow)
    const counts = others.map(() => 0)
    let most = 0
    await until('the others have read everything', () => {
      for (const [index, one] of others.entries()) counts[index]! += one.take(50).length
      most = Math.max(most, slow.buffered)
      return counts.every((count) => count === 200)
    })
    assert.equal(slow.position, 0)
    // A share, and the answer that crossed it.
    assert.ok(most > 0 && most * 1000 <= perPartitionBytes + 3 * 5 * 1000 + 5000)
    assert.equal(slow.take(1)[0]?.offset, 0)
  })

  it('does not starve the others when paused queues have used up all room', async () => {
    // Each batch alone is a sixth of the room; five partitions stand still with two batches each.
    const logs = Array.from({ length: 6 }, () => ({
      batches: Array.from({ length: 10 }, (_, index) => batchOf(index * 5, 5, {}, wide)),
    }))
    await using broker = await scriptedBroker({
      topics: { [topic]: { partitions: 6 } },
      on: {
        syncGroup: () => assigned(0, 1, 2, 3, 4, 5),
        fetch: (request) =>
          fetched(request, (at, offset) => read({ ...logs[at]!, batchesAtOnce: 2 }, offset)),
      },
    })
    await using client = openClient({ brokers: [broker.address] })
    const fetch = { bufferedBytes: 30_000, maxWaitMs: 50 }
    const member = client.joinGroup({ groupId: 'g', topics: [topic], fetch })
    await member.ready()
    const [running, ...others] = member.owned
    assert.ok(running)
    await Promise.all(others.map((one) => one.available()))
    for (const one of others) one.pause()
    let count = 0
    await until('the one that runs has read everything', () => {
      count += running.take(50).length
      return count === 50
    })
  })

  it('that was drained is asked for again while the others’ Fetch waits', async () => {
    const gate = Promise.withResolvers<void>()
    const log = { batches: [batchOf(0, 5, {}, wide), batchOf(5, 5, {}, wide)], batchesAtOnce: 1 }
    const serve = serving([log, { batches: [] }])
    await using broker = await scriptedBroker({
      topics: { [topic]: { partitions: 2 } },
      on: {
        syncGroup: () => assigned(0, 1),
        async fetch(request, call) {
          const asked = request.topics.flatMap(({ partitions }) =>
            partitions.map(({ partition }) => partition),
          )
          // Only partition 1 is left to wait for: it waits.
          if (asked.join() === '1') await gate.promise
          return serve(request, call)
        },
      },
    })
    await using client = openClient({ brokers: [broker.address] })
    const fetch = { perPartitionBytes: 3000, maxWaitMs: 5000 }
    const member = client.joinGroup({ groupId: 'g', topics: [topic], fetch })
    await member.ready()
    const [busy] = member.owned
    assert.ok(busy)
    await busy.available()
    await broker.until('the wait for the empty one', () =>
      broker.asked('fetch').some(({ body }) => body.topics[0]?.partitions.length === 1),
    )
    assert.equal(busy.take(5).length, 5)
    await busy.available()
    assert.equal(busy.take(5)[0]?.offset, 5)
    const waits = broker.asked('fetch').map(({ body }) => body.maxWaitMs)
    assert.ok(waits.includes(0), 'asked without waiting, beside the Fetch that waits')
    gate.resolve()
  })
})
