import { after, afterEach, before, describe, it } from 'node:test'
import { apis, encodeBatch } from '../../packages/millrace/src/protocol/index.ts'
import { engineName } from '../harness/engine.ts'
import { openBoth, sharedVersions, type BothEngines } from './both-engines.ts'
import { absent, batchOf, nobodysId, orders, produceTo, startMs } from './requests.ts'

const options = { skip: engineName !== 'kafka', timeout: 120_000 }

describe('Apache Kafka and the embedded broker agree on logs', options, () => {
  let both: BothEngines
  before(async () => {
    both = await openBoth({ name: orders, numPartitions: 3 })
  })
  afterEach(() => {
    both.assertAlike()
  })
  after(async () => {
    await both[Symbol.asyncDispose]()
  })

  it('Produce: good batches, and every kind of refusal', async () => {
    const good = batchOf(['a', 'b', 'c'])
    const flipped = Buffer.from(good)
    flipped[good.length - 1] = (flipped[good.length - 1] ?? 0) ^ 1
    const miscounted = encodeBatch({ lastOffsetDelta: 9 }, [
      { offset: 0, key: null, value: 'x', timestamp: startMs },
    ])
    // Not asked: null records, which Kafka never answers.
    for (const [what, records] of Object.entries({
      good,
      flipped,
      miscounted,
      cut: good.subarray(0, -1),
      empty: Buffer.alloc(0),
      twice: Buffer.concat([good, good]),
      ahead: batchOf(['later'], Date.now() + 7_200_000),
      large: batchOf(['x'.repeat(1_100_000)]),
    })) {
      await both.ask(what, apis.produce, (_version, side) => produceTo(side, orders, 0, records))
    }
  })

  it('Produce: to partitions that are not there, and with acks that do not exist', async () => {
    for (const [what, name, index, acks] of [
      ['partition 99', orders, 99, -1],
      ['partition -1', orders, -1, -1],
      ['no such topic', absent, 0, -1],
      ['acks 2', orders, 0, 2],
      ['acks -2', orders, 0, -2],
    ] as const) {
      await both.ask(what, apis.produce, (_version, side) => ({
        ...produceTo(side, name, index, batchOf(['x'])),
        acks,
      }))
    }
  })

  it('Produce: sequences that are repeated, skipped and out of date', async () => {
    for (const [epoch, sequence, what] of [
      [0, 0, 'the first'],
      [0, 0, 'a repeat'],
      [0, 3, 'the next'],
      [0, 0, 'an older repeat'],
      [0, 9, 'one left out'],
      [1, 0, 'a new epoch'],
      [0, 6, 'the old epoch'],
      [1, 5, 'a gap'],
      [2, 4, 'a new epoch that does not begin at 0'],
    ] as const) {
      await both.ask(what, apis.produce, (version, side) => {
        const identity = {
          producerId: 1_000 + version,
          producerEpoch: epoch,
          baseSequence: sequence,
        }
        return produceTo(side, orders, 1, batchOf(['1', '2', '3'], startMs, identity))
      })
    }
  })

  it('ListOffsets: start, end, by time, and the greatest time', async () => {
    const versions = await sharedVersions(both.sides, apis.listOffsets, 1)
    for (const timestamp of [-2, -1, 0, startMs, startMs + 1, startMs * 2, -3, -4, -5, -6, -9]) {
      for (const [what, name, partitionIndex] of [
        ['with messages', orders, 0],
        ['empty', orders, 2],
        ['no such partition', orders, 7],
        ['no such topic', absent, 0],
      ] as const) {
        const topics = [{ name, partitions: [{ partitionIndex, timestamp }] }]
        const ask = { replicaId: -1, topics }
        await both.ask(`${timestamp}, ${what}`, apis.listOffsets, () => ask, { versions })
      }
    }
  })

  it('Fetch: records, an end, a range that is not there, nothing at all', async () => {
    for (const [what, topic, partition, fetchOffset, currentLeaderEpoch] of [
      ['the start', orders, 0, 0, -1],
      ['in a batch', orders, 0, 1, -1],
      ['the end', orders, 2, 0, -1],
      ['past the end', orders, 2, 1, -1],
      ['far past the end', orders, 0, 1_000_000, -1],
      ['before the start', orders, 0, -1, -1],
      ['no such partition', orders, 9, 0, -1],
      ['a later epoch', orders, 0, 0, 7],
      ['no such topic', absent, 0, 0, -1],
    ] as const) {
      await both.ask(what, apis.fetch, (_version, side) => ({
        maxWaitMs: 0,
        minBytes: 0,
        maxBytes: 1 << 20,
        sessionId: 0,
        sessionEpoch: -1,
        topics: [
          {
            topic,
            topicId: side.memory.get(topic) ?? nobodysId,
            partitions: [
              { partition, fetchOffset, partitionMaxBytes: 1 << 20, currentLeaderEpoch },
            ],
          },
        ],
      }))
    }
  })

  it('Fetch: sessions that were never opened', async () => {
    const versions = await sharedVersions(both.sides, apis.fetch, 7)
    for (const [what, sessionId, sessionEpoch] of [
      ['goes on', 77, 3],
      ['closes', 77, -1],
      ['epoch without id', 0, 5],
    ] as const) {
      const ask = { maxWaitMs: 0, minBytes: 0, sessionId, sessionEpoch, topics: [] }
      await both.ask(what, apis.fetch, () => ask, { versions })
    }
  })

  it('OffsetForLeaderEpoch: this epoch, a later one, of nothing', async () => {
    for (const [what, topic, partition, leaderEpoch, currentLeaderEpoch] of [
      ['this epoch', orders, 0, 0, -1],
      ['a later epoch', orders, 0, 5, -1],
      ['a client ahead', orders, 0, 0, 9],
      ['no such partition', orders, 9, 0, -1],
      ['no such topic', absent, 0, 0, -1],
    ] as const) {
      await both.ask(what, apis.offsetForLeaderEpoch, () => ({
        replicaId: -1,
        topics: [{ topic, partitions: [{ partition, leaderEpoch, currentLeaderEpoch }] }],
      }))
    }
  })
})
