import { after, afterEach, before, describe, it } from 'node:test'
import { apis, type RequestInput } from '../../packages/millrace/src/protocol/index.ts'
import { engineName } from '../harness/engine.ts'
import { openBoth, sharedVersions, type BothEngines, type Side } from './both-engines.ts'
import { batchOf, nobodysId, orders, produceTo } from './requests.ts'

const options = { skip: engineName !== 'kafka', timeout: 120_000 }

describe('Apache Kafka and the embedded broker agree on fetch sessions', options, () => {
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

  it('opens one, tells changes alone, forgets, refuses what is out of turn, closes', async () => {
    // Ends of the three partitions, which grow with each version's turn.
    const ends = [0, 0, 0]
    for (const version of await sharedVersions(both.sides, apis.fetch, 7)) {
      const from = [...ends]
      const asked = (partition: number): Position => ({ partition, offset: from[partition] ?? 0 })
      const step = async (what: string, epoch: number, changes: Changes): Promise<void> => {
        await both.ask(what, apis.fetch, (_v, side) => fetchIn(side, epoch, changes), {
          versions: [version],
          keep: ({ sessionId }, side) => {
            if (sessionId !== 0) side.memory.set('session', String(sessionId))
          },
        })
      }
      const write = async (partition: number): Promise<void> => {
        await both.ask(
          'between fetches',
          apis.produce,
          (_v, side) => produceTo(side, orders, partition, batchOf(['x'])),
          { versions: [9] },
        )
        ends[partition] = (ends[partition] ?? 0) + 1
      }

      for (const { memory } of both.sides) memory.delete('session')
      await step('opens', 0, { topics: [asked(0), asked(1)] })
      await step('nothing new', 1, {})
      await write(1)
      await step('one has grown', 2, {})
      from[1] = ends[1] ?? 0
      await step('moves on', 3, { topics: [asked(1)] })
      await step('asks again', 4, {})
      await write(2)
      await step('adds one', 5, { topics: [asked(2)] })
      await step('forgets one', 6, { forgotten: [1] })
      await write(1)
      await step('is not told of it', 7, {})
      await step('asks past the end', 8, { topics: [{ partition: 0, offset: 1_000_000 }] })
      await step('asks past the end again', 9, {})
      await step('repeats an epoch', 9, {})
      await step('skips an epoch', 12, {})
      await step('closes', -1, { topics: [asked(0)] })
      await step('comes after the end', 10, {})
    }
  })
})

interface Position {
  readonly partition: number
  readonly offset: number
}

interface Changes {
  readonly topics?: readonly Position[]
  readonly forgotten?: readonly number[]
}

function fetchIn(
  side: Side,
  sessionEpoch: number,
  { topics = [], forgotten = [] }: Changes,
): RequestInput<typeof apis.fetch> {
  const named = { topic: orders, topicId: side.memory.get(orders) ?? nobodysId }
  return {
    maxWaitMs: 0,
    minBytes: 0,
    maxBytes: 1 << 20,
    sessionId: Number(side.memory.get('session') ?? 0),
    sessionEpoch,
    topics:
      topics.length === 0
        ? []
        : [
            {
              ...named,
              partitions: topics.map(({ partition, offset }) => ({
                partition,
                fetchOffset: offset,
                partitionMaxBytes: 1 << 20,
              })),
            },
          ],
    forgottenTopicsData: forgotten.length === 0 ? [] : [{ ...named, partitions: forgotten }],
  }
}
