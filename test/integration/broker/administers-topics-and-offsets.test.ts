import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { apis, consumerSubscription } from '../../../packages/millrace/src/protocol/index.ts'
import { startTestBroker } from '../../../packages/millrace/src/testing/index.ts'
import { batchOf, produceTo } from './batches.ts'
import { connectRaw, type RawClient } from './raw-client.ts'

async function configOf(client: RawClient, topic: string, name: string): Promise<unknown> {
  const { results } = await client.ask(apis.describeConfigs, 3, {
    resources: [{ resourceType: 2, resourceName: topic, configurationKeys: [name] }],
  })
  const [config] = results[0]?.configs ?? []
  return [config?.value, config?.configSource]
}

describe('topic administration', () => {
  it('gives one result per topic asked for, and says what is wrong with each', async () => {
    await using broker = await startTestBroker({ topics: { there: 1 } })
    await using client = await connectRaw(broker.port)
    const plain = { numPartitions: 1, replicationFactor: 1 }
    const answer = await client.ask(apis.createTopics, 7, {
      topics: [
        { name: 'good', ...plain },
        { name: 'defaults', numPartitions: -1, replicationFactor: -1 },
        { name: 'there', ...plain },
        { name: 'bad name', ...plain },
        { name: 'none', numPartitions: 0, replicationFactor: 1 },
        { name: 'copies', numPartitions: 1, replicationFactor: 2 },
        { name: 'twice', ...plain },
        { name: 'twice', ...plain },
        { name: 'odd', ...plain, configs: [{ name: 'retention.ms', value: 'long' }] },
        {
          name: 'placed',
          numPartitions: -1,
          replicationFactor: -1,
          assignments: [{ partitionIndex: 0, brokerIds: [broker.store.nodeId] }],
        },
        {
          name: 'elsewhere',
          numPartitions: -1,
          replicationFactor: -1,
          assignments: [{ partitionIndex: 0, brokerIds: [7] }],
        },
        { name: 'a.b', ...plain },
        { name: 'a_b', ...plain },
      ],
    })
    assert.deepEqual(
      answer.topics.map(({ name, errorCode }) => [name, errorCode]),
      [
        ['twice', 42],
        ['good', 0],
        ['defaults', 0],
        ['there', 36],
        ['bad name', 17],
        ['none', 37],
        ['copies', 38],
        ['odd', 40],
        ['placed', 0],
        ['elsewhere', 39],
        ['a.b', 0],
        ['a_b', 17],
      ],
    )
    const [, good, defaults] = answer.topics
    assert.equal(good?.topicId, broker.store.topic('good')?.id)
    assert.equal(defaults?.numPartitions, 4)
    assert.equal(defaults?.configs?.length, 37)
    const dry = await client.ask(apis.createTopics, 7, {
      validateOnly: true,
      topics: [{ name: 'dry', ...plain }],
    })
    assert.equal(dry.topics[0]?.errorCode, 0)
    assert.equal(broker.store.topic('dry'), undefined)
  })

  it('makes a topic anew under another id, and knows the old one no more', async () => {
    await using broker = await startTestBroker({ topics: { orders: 1 } })
    await using client = await connectRaw(broker.port)
    const before = broker.store.topic('orders')?.id ?? ''
    await client.ask(apis.produce, 8, produceTo('orders', 0, batchOf(['old'])))
    const deleted = await client.ask(apis.deleteTopics, 6, {
      topics: [{ name: null, topicId: before }, { name: 'none' }],
    })
    assert.deepEqual(
      deleted.responses.map(({ name, errorCode }) => [name, errorCode]),
      [
        ['orders', 0],
        ['none', 3],
      ],
    )
    const metadata = await client.ask(apis.metadata, 12, {
      topics: [{ topicId: before, name: null }, { name: 'orders' }],
      allowAutoTopicCreation: true,
    })
    assert.equal(metadata.topics[0]?.errorCode, 100)
    assert.equal(metadata.topics[1]?.errorCode, 0)
    assert.notEqual(metadata.topics[1]?.topicId, before)
    assert.equal(metadata.topics[1]?.partitions.length, 4)
    const fetched = await client.ask(apis.fetch, 11, {
      topics: [{ topic: 'orders', partitions: [{ partition: 0, partitionMaxBytes: 1000 }] }],
    })
    assert.equal(fetched.responses[0]?.partitions[0]?.highWatermark, 0)
  })

  it('makes a missing topic only when client and broker allow it', async () => {
    await using broker = await startTestBroker()
    await using strict = await startTestBroker({ options: { autoCreateTopics: false } })
    const codes = async (port: number, allowAutoTopicCreation: boolean): Promise<unknown> => {
      await using client = await connectRaw(port)
      const { topics } = await client.ask(apis.metadata, 9, {
        allowAutoTopicCreation,
        topics: [{ name: 'new' }, { name: '..' }],
      })
      return topics.map(({ errorCode }) => errorCode)
    }
    assert.deepEqual(await codes(broker.port, false), [3, 17])
    assert.deepEqual(await codes(broker.port, true), [0, 17])
    assert.deepEqual(await codes(strict.port, true), [3, 17])
  })

  it('makes one topic for ten clients that ask at once', async () => {
    await using broker = await startTestBroker()
    const ids = await Promise.all(
      Array.from({ length: 10 }, async () => {
        await using client = await connectRaw(broker.port)
        const { topics } = await client.ask(apis.metadata, 12, {
          topics: [{ name: 'new' }],
          allowAutoTopicCreation: true,
        })
        return topics[0]?.topicId
      }),
    )
    assert.equal(new Set(ids).size, 1)
  })

  it('changes configs one by one or as a whole, and acts on them at once', async () => {
    await using broker = await startTestBroker({ topics: { orders: 1 } })
    await using client = await connectRaw(broker.port)
    const alter = async (configs: readonly object[]): Promise<number | undefined> => {
      const { responses } = await client.ask(apis.incrementalAlterConfigs, 1, {
        resources: [{ resourceType: 2, resourceName: 'orders', configs }],
      })
      return responses[0]?.errorCode
    }
    const set = (name: string, value: string): object => ({ name, value, configOperation: 0 })
    assert.equal(await alter([set('retention.ms', '1000'), set('max.message.bytes', '100')]), 0)
    assert.deepEqual(await configOf(client, 'orders', 'retention.ms'), ['1000', 1])
    const large = await client.ask(
      apis.produce,
      8,
      produceTo('orders', 0, batchOf(['x'.repeat(99)])),
    )
    assert.equal(large.responses[0]?.partitionResponses[0]?.errorCode, 10)

    assert.equal(await alter([{ name: 'cleanup.policy', value: 'compact', configOperation: 2 }]), 0)
    assert.deepEqual(await configOf(client, 'orders', 'cleanup.policy'), ['delete,compact', 1])
    assert.equal(await alter([{ name: 'cleanup.policy', value: 'delete', configOperation: 3 }]), 0)
    assert.deepEqual(await configOf(client, 'orders', 'cleanup.policy'), ['compact', 1])
    assert.equal(await alter([{ name: 'retention.ms', configOperation: 1, value: null }]), 0)
    assert.deepEqual(await configOf(client, 'orders', 'retention.ms'), ['604800000', 5])
    assert.equal(await alter([set('retention.ms', '5'), set('segment.bytes', '1')]), 40)
    assert.deepEqual(
      await configOf(client, 'orders', 'retention.ms'),
      ['604800000', 5],
      'all or none',
    )
    assert.equal(await alter([{ name: 'retention.ms', value: '1', configOperation: 2 }]), 40)

    const whole = await client.ask(apis.alterConfigs, 1, {
      resources: [
        { resourceType: 2, resourceName: 'orders', configs: [{ name: 'segment.ms', value: '99' }] },
        { resourceType: 2, resourceName: 'none' },
        { resourceType: 4, resourceName: '1' },
      ],
    })
    assert.deepEqual(
      whole.responses.map(({ errorCode }) => errorCode),
      [0, 3, 42],
    )
    assert.deepEqual(await configOf(client, 'orders', 'cleanup.policy'), ['delete', 5])
    assert.deepEqual(await configOf(client, 'orders', 'segment.ms'), ['99', 1])
  })

  it('deletes records up to an offset, and reads start there', async () => {
    await using broker = await startTestBroker({
      topics: { orders: 1, kept: { partitions: 1, configs: { 'cleanup.policy': 'compact' } } },
    })
    await using client = await connectRaw(broker.port)
    for (const value of ['a', 'b', 'c'])
      await client.ask(apis.produce, 8, produceTo('orders', 0, batchOf([value])))
    const remove = async (name: string, offset: number): Promise<unknown> => {
      const { topics } = await client.ask(apis.deleteRecords, 1, {
        topics: [{ name, partitions: [{ partitionIndex: 0, offset }] }],
      })
      const [row] = topics[0]?.partitions ?? []
      return [row?.errorCode, row?.lowWatermark]
    }
    assert.deepEqual(await remove('orders', 2), [0, 2])
    assert.deepEqual(await remove('orders', 1), [0, 2], 'never back')
    assert.deepEqual(await remove('orders', 9), [1, -1])
    assert.deepEqual(await remove('none', 0), [3, -1])
    assert.deepEqual(await remove('kept', 0), [44, -1])
    const { topics } = await client.ask(apis.listOffsets, 5, {
      topics: [{ name: 'orders', partitions: [{ partitionIndex: 0, timestamp: -2 }] }],
    })
    assert.equal(topics[0]?.partitions[0]?.offset, 2)
    assert.deepEqual(await remove('orders', -1), [0, 3])
  })

  it('tells sizes, and the room on the volume', async () => {
    await using broker = await startTestBroker({ topics: { orders: 2 } })
    await using client = await connectRaw(broker.port)
    const batch = batchOf(['x'])
    await client.ask(apis.produce, 8, produceTo('orders', 1, batch))
    const { results } = await client.ask(apis.describeLogDirs, 4, { topics: null })
    assert.deepEqual(
      results[0]?.topics[0]?.partitions.map(({ partitionSize }) => partitionSize),
      [0, batch.length],
    )
    assert.equal(results[0]?.totalBytes, -1)
  })

  it('finds offsets by time, by start and end', async () => {
    await using broker = await startTestBroker({ topics: { orders: 1 } })
    await using client = await connectRaw(broker.port)
    const now = Date.now()
    for (const [index, value] of ['a', 'b', 'c'].entries()) {
      const batch = batchOf([value], { timestamp: now + index * 10 })
      await client.ask(apis.produce, 8, produceTo('orders', 0, batch))
    }
    const find = async (timestamp: number, version = 7): Promise<unknown> => {
      const { topics } = await client.ask(apis.listOffsets, version, {
        topics: [{ name: 'orders', partitions: [{ partitionIndex: 0, timestamp }] }],
      })
      const [row] = topics[0]?.partitions ?? []
      return version === 0 ? row?.oldStyleOffsets : [row?.errorCode, row?.offset, row?.timestamp]
    }
    assert.deepEqual(await find(-1), [0, 3, -1])
    assert.deepEqual(await find(-2), [0, 0, -1])
    assert.deepEqual(await find(-3), [0, 2, now + 20])
    assert.deepEqual(await find(now + 5), [0, 1, now + 10])
    assert.deepEqual(await find(now + 99), [0, -1, -1])
    assert.deepEqual(await find(-3, 6), [35, -1, -1])
    assert.deepEqual(await find(-1, 0), [3])
  })
})

describe('offsets of a group', () => {
  it('are deleted unless somebody subscribes to their topic', async () => {
    await using broker = await startTestBroker({ topics: { orders: 1, left: 1 } })
    await using client = await connectRaw(broker.port)
    await client.ask(apis.offsetCommit, 7, {
      groupId: 'g',
      topics: ['orders', 'left'].map((name) => ({
        name,
        partitions: [{ partitionIndex: 0, committedOffset: 5 }],
      })),
    })
    await client.ask(apis.joinGroup, 3, {
      groupId: 'g',
      sessionTimeoutMs: 10_000,
      rebalanceTimeoutMs: 10_000,
      protocolType: 'consumer',
      protocols: [
        { name: 'range', metadata: consumerSubscription.encode(0, { topics: ['orders'] }) },
      ],
    })
    const deleted = await client.ask(apis.offsetDelete, 0, {
      groupId: 'g',
      topics: ['orders', 'left'].map((name) => ({ name, partitions: [{ partitionIndex: 0 }] })),
    })
    assert.deepEqual(
      deleted.topics.map(({ partitions }) => partitions[0]?.errorCode),
      [86, 0],
    )
    const { topics } = await client.ask(apis.offsetFetch, 5, { groupId: 'g', topics: null })
    assert.deepEqual(
      topics.map(({ name }) => name),
      ['orders'],
    )
  })

  it('are seen alike by every version of OffsetFetch', async () => {
    await using broker = await startTestBroker({ topics: { orders: 1 } })
    await using client = await connectRaw(broker.port)
    await client.ask(apis.offsetCommit, 8, {
      groupId: 'g',
      topics: [
        {
          name: 'orders',
          partitions: [
            {
              partitionIndex: 0,
              committedOffset: 5,
              committedLeaderEpoch: 0,
              committedMetadata: 'note',
            },
          ],
        },
      ],
    })
    const asked = [{ name: 'orders', partitionIndexes: [0, 1] }]
    const old = await client.ask(apis.offsetFetch, 7, { groupId: 'g', topics: asked })
    const many = await client.ask(apis.offsetFetch, 8, {
      groups: [
        { groupId: 'g', topics: asked },
        { groupId: 'unknown', topics: asked },
      ],
    })
    const seen = old.topics[0]?.partitions.map((one) => [one.committedOffset, one.metadata])
    assert.deepEqual(seen, [
      [5, 'note'],
      [-1, ''],
    ])
    assert.deepEqual(
      many.groups.map(({ topics }) => topics[0]?.partitions.map((one) => one.committedOffset)),
      [
        [5, -1],
        [-1, -1],
      ],
    )
  })
})
