import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { apis } from '../../../packages/millrace/src/protocol/index.ts'
import { startTestBroker } from '../../../packages/millrace/src/testing/index.ts'
import { connectRaw } from './raw-client.ts'

const zeroUuid = 'AAAAAAAAAAAAAAAAAAAAAA'

describe('a broker alone, asked what is asked of clusters', () => {
  it('describes topics page by page, in the order of their names', async () => {
    await using broker = await startTestBroker({ topics: { b: 3, a: 2, c: 1 } })
    await using client = await connectRaw(broker.port)
    const ask = (options: {
      readonly names?: readonly string[]
      readonly limit?: number
      readonly cursor?: { readonly topicName: string; readonly partitionIndex: number }
    }) =>
      client.ask(apis.describeTopicPartitions, 0, {
        topics: (options.names ?? []).map((name) => ({ name })),
        responsePartitionLimit: options.limit,
        cursor: options.cursor,
      })
    const seen = (answer: Awaited<ReturnType<typeof ask>>): unknown =>
      answer.topics.map(({ name, errorCode, partitions }) => [
        name,
        errorCode,
        partitions.map(({ partitionIndex }) => partitionIndex),
      ])

    const all = await ask({})
    assert.deepEqual(seen(all), [
      ['a', 0, [0, 1]],
      ['b', 0, [0, 1, 2]],
      ['c', 0, [0]],
    ])
    assert.equal(all.nextCursor, null)
    assert.notEqual(all.topics[0]?.topicId, zeroUuid)
    assert.deepEqual(all.topics[0]?.partitions[1], {
      errorCode: 0,
      partitionIndex: 1,
      leaderId: broker.store.nodeId,
      leaderEpoch: 0,
      replicaNodes: [broker.store.nodeId],
      isrNodes: [broker.store.nodeId],
      eligibleLeaderReplicas: [],
      lastKnownElr: [],
      offlineReplicas: [],
    })

    const first = await ask({ names: ['c', 'b', 'a', 'b'], limit: 3 })
    assert.deepEqual(seen(first), [
      ['a', 0, [0, 1]],
      ['b', 0, [0]],
    ])
    assert.deepEqual(first.nextCursor, { topicName: 'b', partitionIndex: 1 })
    const second = await ask({
      names: ['a', 'b', 'c'],
      limit: 2,
      cursor: { topicName: 'b', partitionIndex: 1 },
    })
    assert.deepEqual(seen(second), [['b', 0, [1, 2]]])
    assert.deepEqual(second.nextCursor, { topicName: 'c', partitionIndex: 0 })

    const strange = await ask({ names: ['none', 'not a name', 'c'] })
    assert.deepEqual(seen(strange), [
      ['c', 0, [0]],
      ['none', 3, []],
      ['not a name', 17, []],
    ])
  })

  it('elects no leader, since it leads already', async () => {
    await using broker = await startTestBroker({ topics: { orders: 2 } })
    await using client = await connectRaw(broker.port)
    const named = await client.ask(apis.electLeaders, 2, {
      topicPartitions: [{ topic: 'orders', partitions: [0, 1, 2] }],
    })
    assert.equal(named.errorCode, 0)
    assert.deepEqual(
      named.replicaElectionResults[0]?.partitionResult.map(({ errorCode }) => errorCode),
      [84, 84, 3],
    )
    const all = await client.ask(apis.electLeaders, 2, { topicPartitions: null })
    assert.deepEqual(all.replicaElectionResults, [])
    const odd = await client.ask(apis.electLeaders, 1, { electionType: 7 })
    assert.equal(odd.errorCode, 42)
  })

  it('moves partitions nowhere but where they are', async () => {
    await using broker = await startTestBroker({ topics: { orders: 4 } })
    await using client = await connectRaw(broker.port)
    const { nodeId } = broker.store
    const moved = await client.ask(apis.alterPartitionReassignments, 1, {
      topics: [
        {
          name: 'orders',
          partitions: [
            { partitionIndex: 0, replicas: [nodeId] },
            { partitionIndex: 1, replicas: [nodeId, 7] },
            { partitionIndex: 2, replicas: null },
            { partitionIndex: 4, replicas: [nodeId] },
          ],
        },
      ],
    })
    assert.deepEqual(
      moved.responses[0]?.partitions.map(({ errorCode }) => errorCode),
      [0, 39, 85, 3],
    )
    const moving = await client.ask(apis.listPartitionReassignments, 0, { topics: null })
    assert.deepEqual([moving.errorCode, moving.topics], [0, []])
  })

  it('keeps partitions in its one folder', async () => {
    await using broker = await startTestBroker({ topics: { orders: 1 } })
    await using client = await connectRaw(broker.port)
    const topics = [{ name: 'orders', partitions: [0, 1] }]
    const { results } = await client.ask(apis.alterReplicaLogDirs, 2, {
      dirs: [
        { path: broker.store.folder, topics },
        { path: '/elsewhere', topics },
      ],
    })
    assert.deepEqual(
      results.map(({ partitions }) => partitions.map(({ errorCode }) => errorCode)),
      [
        [0, 3],
        [57, 57],
      ],
    )
  })

  it('is its own quorum, without an authorizer', async () => {
    await using broker = await startTestBroker()
    await using client = await connectRaw(broker.port)
    const { topics, nodes } = await client.ask(apis.describeQuorum, 2, {
      topics: [
        { topicName: '__cluster_metadata', partitions: [{ partitionIndex: 0 }] },
        { topicName: 'orders', partitions: [{ partitionIndex: 0 }] },
      ],
    })
    const [metadata, other] = topics.map(({ partitions }) => partitions[0])
    assert.equal(metadata?.leaderId, broker.store.nodeId)
    assert.deepEqual(
      metadata?.currentVoters.map(({ replicaId }) => replicaId),
      [broker.store.nodeId],
    )
    assert.equal(other?.errorCode, 3)
    assert.equal(nodes[0]?.listeners[0]?.port, broker.port)

    const everything = {
      resourceTypeFilter: 1,
      patternTypeFilter: 1,
      operation: 1,
      permissionType: 1,
    }
    const described = await client.ask(apis.describeAcls, 3, everything)
    assert.equal(described.errorCode, 54)
    const created = await client.ask(apis.createAcls, 3, { creations: [{}, {}] })
    assert.deepEqual(
      created.results.map(({ errorCode }) => errorCode),
      [54, 54],
    )
    const deleted = await client.ask(apis.deleteAcls, 3, { filters: [everything] })
    assert.deepEqual(
      deleted.filterResults.map(({ errorCode }) => errorCode),
      [54],
    )
  })

  it('lists what has configs', async () => {
    await using broker = await startTestBroker({ topics: { orders: 1 } })
    await using client = await connectRaw(broker.port)
    const listed = async (version: number, resourceTypes: readonly number[]): Promise<unknown> => {
      const { errorCode, configResources } = await client.ask(apis.listConfigResources, version, {
        resourceTypes,
      })
      return errorCode === 0
        ? configResources.map(({ resourceType, resourceName }) => [resourceType, resourceName])
        : errorCode
    }
    const node = String(broker.store.nodeId)
    assert.deepEqual(await listed(1, []), [
      [2, 'orders'],
      [4, node],
    ])
    assert.deepEqual(await listed(1, [2]), [[2, 'orders']])
    assert.deepEqual(await listed(1, [16, 32]), [])
    assert.deepEqual(await listed(1, [99]), 35)
    assert.deepEqual(await listed(0, []), [])
  })

  it('knows no configs of groups and of client metrics, which is no fault', async () => {
    await using broker = await startTestBroker()
    await using client = await connectRaw(broker.port)
    const { results } = await client.ask(apis.describeConfigs, 4, {
      resources: [
        { resourceType: 32, resourceName: 'billing', configurationKeys: null },
        { resourceType: 16, resourceName: 'billing', configurationKeys: null },
        { resourceType: 32, resourceName: '', configurationKeys: null },
        { resourceType: 99, resourceName: 'billing', configurationKeys: null },
      ],
    })
    assert.deepEqual(
      results.map(({ errorCode, configs }) => [errorCode, configs.length]),
      [
        [0, 0],
        [0, 0],
        [42, 0],
        [42, 0],
      ],
    )
  })
})
