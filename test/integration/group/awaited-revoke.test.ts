import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import {
  openClient,
  range,
  type OwnedPartition,
} from '../../../packages/millrace/src/client/index.ts'
import { manualClock } from '../../../packages/millrace/src/kit/index.ts'
import { scriptedBroker } from '../../../packages/millrace/src/testing/index.ts'
import { assigned, batchOf, fetched, read, serving, topic, until } from './support/scripting.ts'

const logs = [0, 1].map(() => ({ batches: [batchOf(0, 5)] }))

/** Requests of the group in order, as `api` or `commit PARTITION@OFFSET`. */
function storyOf(broker: Awaited<ReturnType<typeof scriptedBroker>>): string[] {
  return broker.requests.flatMap(({ api, count }) => {
    if (api === 'joinGroup' || api === 'leaveGroup') return api
    if (api !== 'offsetCommit') return []
    const topics = broker.asked('offsetCommit')[count - 1]?.body.topics ?? []
    return topics.flatMap(({ partitions }) =>
      partitions.map((one) => `commit ${one.partitionIndex}@${one.committedOffset}`),
    )
  })
}

describe('partitions that must go', () => {
  it('wait for the running handler, whose commit comes before the join', async () => {
    let isRebalancing = false
    const handler = Promise.withResolvers<void>()
    await using broker = await scriptedBroker({
      topics: { [topic]: { partitions: 2 } },
      on: {
        fetch: serving(logs),
        heartbeat: () => ({ errorCode: isRebalancing ? 27 : 0 }),
        syncGroup() {
          isRebalancing = false
          return assigned(0, 1)
        },
      },
    })
    await using client = openClient({ brokers: [broker.address] })
    const heard: string[] = []
    const member = client.joinGroup({
      groupId: 'g',
      topics: [topic],
      assignors: [range],
      heartbeatIntervalMs: 10,
      async onRevoked([first]) {
        heard.push('revoking')
        assert.deepEqual(first?.take(5), [], 'nothing is handed over any more')
        assert.equal(first?.isOwned, true, 'it may still commit')
        await handler.promise
        if (first) await member.commit([{ partition: first, offset: 3 }])
        heard.push('revoked')
      },
    })
    await member.ready()
    isRebalancing = true
    await until('the revocation', () => heard.length > 0)
    const beats = broker.asked('heartbeat').length
    await broker.until('heartbeats go on', () => broker.asked('heartbeat').length > beats + 2)
    assert.equal(broker.asked('joinGroup').length, 1)
    handler.resolve()
    await broker.received('joinGroup', 2)
    assert.deepEqual(storyOf(broker), ['joinGroup', 'commit 0@3', 'joinGroup'])
    assert.deepEqual(heard, ['revoking', 'revoked'])
  })

  it('do not wait for longer than the drain time', async () => {
    const clock = manualClock()
    await using broker = await scriptedBroker({
      topics: { [topic]: { partitions: 2 } },
      on: {
        fetch: (request) => fetched(request, () => ({ ...read(logs[0]!, 0) })),
        heartbeat: () => ({ errorCode: 27 }),
        syncGroup: () => assigned(0, 1),
      },
    })
    await using client = openClient({ brokers: [broker.address], clock })
    const revoked: (readonly OwnedPartition[])[] = []
    const member = client.joinGroup({
      groupId: 'g',
      topics: [topic],
      assignors: [range],
      drainMs: 10_000,
      onRevoked(list) {
        revoked.push(list)
        return new Promise(() => undefined)
      },
    })
    await member.ready()
    clock.advance(3000)
    await until('the revocation', () => revoked.length > 0)
    clock.advance(9_900)
    assert.equal(broker.asked('joinGroup').length, 1)
    clock.advance(200)
    await broker.received('joinGroup', 2)
    const [late] = revoked[0] ?? []
    assert.equal(late?.isOwned, false)
    assert.deepEqual(late && (await member.commit([{ partition: late, offset: 5 }])), ['fenced'])
    assert.deepEqual(storyOf(broker), ['joinGroup', 'joinGroup'])
    const closing = client.close()
    clock.advance(20_000)
    await closing
  })

  it('hand over nothing that was buffered or on its way', async () => {
    let isRebalancing = false
    const gate = Promise.withResolvers<void>()
    const serve = serving(logs)
    await using broker = await scriptedBroker({
      topics: { [topic]: { partitions: 2 } },
      on: {
        async fetch(request, call) {
          const answer = await serve(request, call)
          const asksForBoth = request.topics[0]?.partitions.length === 2
          if (call.count > 1 && asksForBoth) await gate.promise
          return answer
        },
        heartbeat: () => ({ errorCode: isRebalancing ? 27 : 0 }),
        syncGroup(_, { count }) {
          isRebalancing = false
          return count === 1 ? assigned(0, 1) : assigned(0)
        },
      },
    })
    await using client = openClient({ brokers: [broker.address] })
    const member = client.joinGroup({ groupId: 'g', topics: [topic], heartbeatIntervalMs: 10 })
    await member.ready()
    const [kept, gone] = member.owned
    assert.ok(kept && gone)
    await gone.available()
    assert.equal(gone.take(1)[0]?.offset, 0)
    assert.equal(gone.buffered > 0, true, 'a full queue')
    isRebalancing = true
    await broker.received('syncGroup', 3)
    gate.resolve()
    assert.equal(gone.isOwned, false)
    assert.deepEqual(gone.take(10), [])
    await gone.available()
    assert.equal(kept.isOwned, true)
    const offsets: number[] = []
    while (offsets.length < 5) {
      await kept.available()
      offsets.push(...kept.take(10).map(({ offset }) => offset))
    }
    assert.deepEqual(offsets, [0, 1, 2, 3, 4], 'what stays is neither lost nor repeated')
    assert.deepEqual(gone.take(10), [])
  })

  it('are lost, not revoked, when the session ends without an answer', async () => {
    const clock = manualClock()
    let isAway = false
    await using broker = await scriptedBroker({
      topics: { [topic]: { partitions: 2 } },
      on: {
        fetch: serving(logs),
        heartbeat: () => (isAway ? new Promise<never>(() => undefined) : undefined),
        syncGroup: () => assigned(0, 1),
      },
    })
    await using client = openClient({ brokers: [broker.address], clock })
    const heard: string[] = []
    const member = client.joinGroup({
      groupId: 'g',
      topics: [topic],
      sessionTimeoutMs: 30_000,
      onRevoked: () => void heard.push('revoked'),
      onLost: () => void heard.push('lost'),
    })
    await member.ready()
    const [first] = member.owned
    isAway = true
    for (let ms = 0; ms < 29_000; ms += 500) await clock.advanceAsync(500)
    assert.deepEqual(heard, [])
    for (let ms = 0; ms < 2000; ms += 500) await clock.advanceAsync(500)
    assert.deepEqual(heard, ['lost'])
    assert.equal(first?.isOwned, false)
    const closing = client.close()
    await clock.advanceAsync(60_000)
    await closing
  })

  it('come again from the committed offset: what was handed over but not committed comes twice', async () => {
    let isCrashing = false
    await using broker = await scriptedBroker({
      topics: { [topic]: { partitions: 1 } },
      on: {
        fetch: serving(logs),
        syncGroup: () => assigned(0),
        heartbeat: () => ({ errorCode: isCrashing ? 25 : 0 }),
        joinGroup() {
          isCrashing = false
          return undefined
        },
        offsetFetch: ({ groups }, { count }) => ({
          groups: groups.map(({ groupId }) => ({
            groupId,
            topics: [
              {
                name: topic,
                partitions: [{ partitionIndex: 0, committedOffset: count > 1 ? 2 : -1 }],
              },
            ],
          })),
        }),
      },
    })
    await using client = openClient({ brokers: [broker.address] })
    const member = client.joinGroup({ groupId: 'g', topics: [topic], heartbeatIntervalMs: 10 })
    await member.ready()
    const [first] = member.owned
    assert.ok(first)
    await first.available()
    assert.equal(first.take(5).length, 5)
    await member.commit([{ partition: first, offset: 2 }])
    assert.deepEqual(storyOf(broker), ['joinGroup', 'commit 0@2'], 'handing over commits nothing')
    isCrashing = true
    await until('the next tenure', () => member.owned[0] !== undefined && member.owned[0] !== first)
    const [again] = member.owned
    await again?.available()
    assert.deepEqual(
      again?.take(5).map(({ offset }) => offset),
      [2, 3, 4],
    )
  })
})
