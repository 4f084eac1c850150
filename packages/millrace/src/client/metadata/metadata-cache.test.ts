import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { manualClock, type ManualClock } from '../../kit/index.ts'
import { errorCodes } from '../../protocol/index.ts'
import type { ConnectionPool } from '../connections/index.ts'
import { MetadataCache } from './metadata-cache.ts'

interface Scripted {
  readonly errorCode?: number
  readonly topicId?: string
  readonly partitions?: number
}

interface Bench {
  readonly clock: ManualClock
  readonly cache: MetadataCache
  /** The names that each request asked for. */
  readonly asked: readonly (readonly string[])[]
}

/** A cluster that says of each topic what the script holds at the moment. */
function bench(topics: Readonly<Record<string, Scripted>>): Bench {
  const asked: string[][] = []
  const request = (
    _api: unknown,
    body: { readonly topics: readonly { readonly name: string }[] },
  ): Promise<unknown> => {
    asked.push(body.topics.map(({ name }) => name).toSorted())
    const rows = body.topics.map(({ name }) => {
      const {
        errorCode = 0,
        topicId = `id of ${name}`,
        partitions = 1,
      } = topics[name] ?? {
        errorCode: errorCodes.UNKNOWN_TOPIC_OR_PARTITION,
      }
      const listed = Array.from({ length: errorCode === 0 ? partitions : 0 }, (_, index) => ({
        partitionIndex: index,
        leaderId: 1,
        leaderEpoch: 0,
        replicaNodes: [1],
        isrNodes: [1],
        offlineReplicas: [],
      }))
      return { errorCode, name, topicId, isInternal: false, partitions: listed }
    })
    const answer = { errorCode: 0, brokers: [], clusterId: 'c', controllerId: 1, topics: rows }
    return Promise.resolve(answer)
  }
  const pool = { connect: () => Promise.resolve({ request }), setBrokers: () => undefined }
  const clock = manualClock()
  const settings = { clientId: 'test', clock, apiTimeoutMs: 5000 }
  return { clock, cache: new MetadataCache(pool as unknown as ConnectionPool, settings), asked }
}

describe('what the client knows of the cluster', () => {
  it('waits for the partitions of a topic that is announced without any', async () => {
    const topics: Record<string, Scripted> = { orders: { partitions: 0 } }
    const { cache, clock } = bench(topics)
    const found = cache.topic('orders')
    await clock.advanceAsync(200)
    topics['orders'] = { partitions: 2 }
    await clock.advanceAsync(1000)
    assert.equal((await found).partitions.length, 2)
  })

  it('asks no more for a name that no topic can have', async () => {
    const { cache, asked } = bench({
      'a b': { errorCode: errorCodes.INVALID_TOPIC_EXCEPTION },
      orders: {},
    })
    await assert.rejects(cache.topic('a b'), { code: 'MR_KAFKA_ERROR' })
    await cache.refresh(['orders'])
    assert.deepEqual(asked.at(-1), ['orders'])
  })

  it('forgets the id of a topic that is gone', async () => {
    const topics: Record<string, Scripted> = { orders: { topicId: 'first' } }
    const { cache } = bench(topics)
    await cache.topic('orders')
    assert.equal(cache.topicNameById('first'), 'orders')
    delete topics['orders']
    await cache.refresh(['orders'])
    assert.equal(cache.topicNameById('first'), undefined)
  })
})
