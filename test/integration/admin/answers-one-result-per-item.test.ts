import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { openClient, type Client } from '../../../packages/millrace/src/client/index.ts'
import { consumerAssignment } from '../../../packages/millrace/src/protocol/index.ts'
import {
  disconnect,
  scriptedBroker,
  type ScriptedBroker,
} from '../../../packages/millrace/src/testing/index.ts'

function clientOf(broker: ScriptedBroker): Client {
  return openClient({ brokers: [broker.address], apiTimeoutMs: 5000, random: () => 0.5 })
}

describe('topics', () => {
  it('are described by name in the order asked, with an error for the unknown', async () => {
    await using broker = await scriptedBroker({
      topics: { orders: { partitions: 2 }, users: { partitions: 1 } },
    })
    await using client = clientOf(broker)
    const named = await client.admin.describeTopics(['users', 'nothing', 'orders'])
    assert.deepEqual(
      named.map(({ name, partitions, error }) => [name, partitions.length, error?.code]),
      [
        ['users', 1, undefined],
        ['nothing', 0, 'MR_TOPIC_UNKNOWN'],
        ['orders', 2, undefined],
      ],
    )
    assert.equal(broker.asked('metadata').at(-1)?.body.allowAutoTopicCreation, false)
    const all = await client.admin.describeTopics()
    assert.deepEqual(
      all.map(({ name }) => name),
      ['orders', 'users'],
    )
  })

  it('are created with the defaults of the broker, and partial failure is data', async () => {
    await using broker = await scriptedBroker({
      on: {
        createTopics: ({ topics }) => ({
          topics: topics.map(({ name }) =>
            name === 'old'
              ? { name, errorCode: 36, errorMessage: 'it is there' }
              : { name, errorCode: 0, numPartitions: 4, replicationFactor: 1 },
          ),
        }),
      },
    })
    await using client = clientOf(broker)
    const [created, old] = await client.admin.createTopics([
      { name: 'new', configs: { 'retention.ms': '5' } },
      { name: 'old', partitions: 3, replicas: 1 },
    ])
    assert.deepEqual(created, { name: 'new', id: null, partitions: 4, replicas: 1 })
    assert.equal(old?.error?.context['name'], 'TOPIC_ALREADY_EXISTS')
    assert.match(old?.error?.message ?? '', /it is there/)
    const [asked] = broker.asked('createTopics')
    assert.deepEqual(
      asked?.body.topics.map(({ numPartitions, replicationFactor }) => [
        numPartitions,
        replicationFactor,
      ]),
      [
        [-1, -1],
        [3, 1],
      ],
    )
    assert.deepEqual(asked?.body.topics[0]?.configs, [{ name: 'retention.ms', value: '5' }])
  })

  it('go to another controller when it has moved, and only the refused ones again', async () => {
    await using broker = await scriptedBroker({
      nodes: 2,
      on: {
        deleteTopics: ({ topics }, { count }) => ({
          responses: topics.map(({ name }) => ({
            name,
            errorCode: count === 1 && name === 'b' ? 41 : 0,
          })),
        }),
      },
    })
    await using client = clientOf(broker)
    const results = await client.admin.deleteTopics(['a', 'b'])
    assert.deepEqual(results, [{ name: 'a' }, { name: 'b' }])
    const asked = broker.asked('deleteTopics').map(({ body }) => body.topics.map((one) => one.name))
    assert.deepEqual(asked, [['a', 'b'], ['b']])
    assert.equal(broker.asked('metadata').length, 2, 'the controller was looked up again')
  })

  it('are changed once more when the answer is lost', async () => {
    await using broker = await scriptedBroker({
      on: {
        createPartitions: ({ topics }, { count }) =>
          count === 1
            ? disconnect
            : { results: topics.map(({ name }) => ({ name, errorCode: 0, errorMessage: null })) },
      },
    })
    await using client = clientOf(broker)
    assert.deepEqual(await client.admin.createPartitions([{ name: 'a', count: 8 }]), [
      { name: 'a' },
    ])
    assert.equal(broker.asked('createPartitions').length, 2)
  })
})

describe('groups', () => {
  it('are described by their coordinators with what each member holds', async () => {
    const assignment = consumerAssignment.encode(3, {
      assignedPartitions: [{ topic: 'orders', partitions: [0, 2] }],
      userData: null,
    })
    await using broker = await scriptedBroker({
      on: {
        describeGroups: ({ groups }) => ({
          groups: groups.map((groupId) =>
            groupId === 'gone'
              ? { groupId, errorCode: 69, errorMessage: 'no such group', groupState: 'Dead' }
              : {
                  groupId,
                  groupState: 'Stable',
                  protocolType: 'consumer',
                  protocolData: 'range',
                  members: [
                    {
                      memberId: 'm-1',
                      clientId: 'shop',
                      clientHost: '/127.0.0.1',
                      memberMetadata: Buffer.alloc(0),
                      memberAssignment: assignment,
                    },
                  ],
                },
          ),
        }),
      },
    })
    await using client = clientOf(broker)
    const [billing, gone] = await client.admin.describeGroups(['billing', 'gone'])
    assert.equal(billing?.state, 'Stable')
    assert.equal(billing?.protocol, 'range')
    assert.equal(billing?.error, undefined)
    assert.deepEqual(billing?.members, [
      {
        memberId: 'm-1',
        instanceId: null,
        clientId: 'shop',
        host: '127.0.0.1',
        assignment: [
          { topic: 'orders', partition: 0 },
          { topic: 'orders', partition: 2 },
        ],
      },
    ])
    assert.equal(gone?.error?.context['name'], 'GROUP_ID_NOT_FOUND')
  })

  it('find their coordinator again when it has moved or its connection is lost', async () => {
    await using broker = await scriptedBroker({
      on: {
        deleteGroups: ({ groupsNames }, { count }) => {
          if (count === 1) return disconnect
          const errorCode = count === 2 ? 16 : 0
          return { results: groupsNames.map((groupId) => ({ groupId, errorCode })) }
        },
      },
    })
    await using client = clientOf(broker)
    assert.deepEqual(await client.admin.deleteGroups(['a']), [{ groupId: 'a' }])
    assert.equal(broker.asked('findCoordinator').length, 3)
  })

  it('are listed from every broker, each once', async () => {
    await using broker = await scriptedBroker({
      nodes: 2,
      on: {
        listGroups: (_, { node }) => ({
          groups: [
            {
              groupId: 'both',
              protocolType: 'consumer',
              groupState: 'Stable',
              groupType: 'classic',
            },
            { groupId: `only-${node}`, protocolType: 'consumer', groupState: 'Empty' },
          ],
        }),
      },
    })
    await using client = clientOf(broker)
    const groups = await client.admin.listGroups()
    assert.deepEqual(
      groups.map(({ groupId, state }) => [groupId, state]),
      [
        ['both', 'Stable'],
        ['only-0', 'Empty'],
        ['only-1', 'Empty'],
      ],
    )
  })
})

describe('offsets', () => {
  it('are asked of each leader, in one request each, answered in the order of the queries', async () => {
    await using broker = await scriptedBroker({
      nodes: 2,
      topics: { orders: { partitions: 2, leader: (partition) => partition } },
      on: {
        listOffsets: ({ topics }) => ({
          topics: topics.map(({ name, partitions }) => ({
            name,
            partitions: partitions.map(({ partitionIndex, timestamp }) => ({
              partitionIndex,
              offset: timestamp === -2 ? 10 : 20 + partitionIndex,
              timestamp: timestamp > 0 ? timestamp : -1,
            })),
          })),
        }),
      },
    })
    await using client = clientOf(broker)
    const listed = await client.admin.listOffsets([
      { topic: 'orders', partition: 1, at: 'latest' },
      { topic: 'orders', partition: 0, at: 'earliest' },
      { topic: 'orders', partition: 1, at: 1_700_000_000_000 },
      { topic: 'orders', partition: 9, at: 'latest' },
    ])
    assert.deepEqual(
      listed.map(({ partition, offset, timestamp, error }) => [
        partition,
        offset,
        timestamp,
        error?.code,
      ]),
      [
        [1, 21, -1, undefined],
        [0, 10, -1, undefined],
        [1, 21, 1_700_000_000_000, undefined],
        [9, -1, -1, 'MR_PARTITION_UNKNOWN'],
      ],
    )
    assert.deepEqual(
      broker
        .asked('listOffsets')
        .map(({ node }) => node)
        .toSorted((left, right) => left - right),
      [0, 1, 1],
    )
  })

  it('follow a partition to its new leader', async () => {
    await using broker = await scriptedBroker({
      nodes: 2,
      topics: { orders: { partitions: 1, leader: () => 0 } },
      on: {
        listOffsets: ({ topics }, { node }) => ({
          topics: topics.map(({ name }) => ({
            name,
            partitions: [{ partitionIndex: 0, errorCode: node === 0 ? 6 : 0, offset: 7 }],
          })),
        }),
      },
    })
    await using client = clientOf(broker)
    await client.metadata.topic('orders')
    broker.setTopic('orders', { partitions: 1, leader: () => 1, leaderEpoch: 1 })
    const [end] = await client.admin.listOffsets([{ topic: 'orders', partition: 0, at: 'latest' }])
    assert.equal(end?.offset, 7)
    assert.equal(end?.error, undefined)
  })

  it('committed by a group come all, or for the partitions named', async () => {
    for (const isOld of [false, true]) {
      await using broker = await scriptedBroker({
        isOld,
        on: {
          offsetFetch(request) {
            const { topics: wanted } = request.groups[0] ?? request
            const topics = (
              wanted ?? [
                { name: 'b', partitionIndexes: [1, 0] },
                { name: 'a', partitionIndexes: [0] },
              ]
            ).map(({ name, partitionIndexes }) => ({
              name,
              partitions: partitionIndexes.map((partitionIndex) => ({
                partitionIndex,
                committedOffset: 5,
                metadata: 'm',
              })),
            }))
            return { topics, groups: [{ groupId: 'g', topics, errorCode: 0 }] }
          },
        },
      })
      await using client = clientOf(broker)
      const all = await client.admin.committedOffsets('g')
      assert.deepEqual(
        all.map(({ topic, partition, offset }) => `${topic}/${partition}@${offset}`),
        ['a/0@5', 'b/0@5', 'b/1@5'],
      )
      const some = await client.admin.committedOffsets('g', [{ topic: 'b', partitions: [1] }])
      assert.deepEqual(
        some.map(({ topic, partition }) => `${topic}/${partition}`),
        ['b/1'],
      )
    }
  })

  it('of a group with members are refused, and the error says why', async () => {
    await using broker = await scriptedBroker({
      on: {
        offsetCommit: ({ topics }) => ({
          topics: topics.map(({ name, partitions }) => ({
            name,
            partitions: partitions.map(({ partitionIndex }) => ({
              partitionIndex,
              errorCode: partitionIndex === 0 ? 0 : 25,
            })),
          })),
        }),
      },
    })
    await using client = clientOf(broker)
    const [set, refused] = await client.admin.setOffsets('g', [
      { topic: 'a', partition: 0, offset: 3 },
      { topic: 'a', partition: 1, offset: 3, metadata: 'by hand' },
    ])
    assert.deepEqual(set, { topic: 'a', partition: 0 })
    assert.match(refused?.error?.message ?? '', /has members/)
    const [asked] = broker.asked('offsetCommit')
    assert.equal(asked?.body.generationIdOrMemberEpoch, -1)
    assert.equal(asked?.body.memberId, '')
    assert.equal(asked?.body.topics[0]?.partitions[1]?.committedMetadata, 'by hand')
  })
})

describe('a cluster', () => {
  it('is described, also by a broker too old for the call', async () => {
    await using broker = await scriptedBroker({
      nodes: 2,
      on: {
        describeCluster: () => ({
          clusterId: 'c',
          errorMessage: null,
          controllerId: 1,
          brokers: [
            { brokerId: 1, host: 'b', port: 2, rack: null },
            { brokerId: 0, host: 'a', port: 1, rack: 'r' },
          ],
        }),
      },
    })
    await using client = clientOf(broker)
    assert.deepEqual(await client.admin.describeCluster(), {
      clusterId: 'c',
      controllerId: 1,
      brokers: [
        { nodeId: 0, host: 'a', port: 1, rack: 'r' },
        { nodeId: 1, host: 'b', port: 2, rack: null },
      ],
    })
    await using old = await scriptedBroker({ versions: { describeCluster: null } })
    await using oldClient = clientOf(old)
    const described = await oldClient.admin.describeCluster()
    assert.equal(described.clusterId, 'scripted')
    assert.equal(described.brokers.length, 1)
  })

  it('shows the settings of a topic with their sources, and of a broker by that broker', async () => {
    await using broker = await scriptedBroker({
      nodes: 2,
      on: {
        describeConfigs: ({ resources }, { node }) => ({
          results: resources.map(({ resourceType, resourceName }) => ({
            errorCode: resourceName === 'nothing' ? 3 : 0,
            errorMessage: null,
            resourceType,
            resourceName,
            configs: [
              { name: 'retention.ms', value: `${node}`, configSource: 1, documentation: null },
              { name: 'cleanup.policy', value: 'delete', configSource: 5, documentation: null },
            ],
          })),
        }),
      },
    })
    await using client = clientOf(broker)
    const configs = await client.admin.describeConfigs({ topic: 'orders' })
    assert.deepEqual(
      configs.map(({ name, source }) => [name, source]),
      [
        ['cleanup.policy', 'default'],
        ['retention.ms', 'topic'],
      ],
    )
    const own = await client.admin.describeConfigs({ broker: 1 })
    assert.equal(own[1]?.value, '1')
    await assert.rejects(client.admin.describeConfigs({ topic: 'nothing' }), {
      code: 'MR_TOPIC_UNKNOWN',
    })
  })
})
