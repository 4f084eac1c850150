import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { AssignerProtocol, CompressionTypes, Kafka, logLevel, type Consumer } from 'kafkajs'
import { events } from '../../../packages/millrace/src/telemetry/index.ts'
import { startTestBroker } from '../../../packages/millrace/src/testing/index.ts'
import { until } from './until.ts'

process.env['KAFKAJS_NO_PARTITIONER_WARNING'] = '1'

function kafka(address: string): Kafka {
  return new Kafka({ brokers: [address], clientId: 'peer', logLevel: logLevel.NOTHING })
}

/** Short polls: kafkajs waits for the last one when it stops. */
function consumer(address: string, groupId: string): Consumer {
  return kafka(address).consumer({ groupId, maxWaitTimeInMs: 100, heartbeatInterval: 200 })
}

describe('kafkajs', () => {
  it('gets what it produced, in order per partition, whatever the compression', async () => {
    await using broker = await startTestBroker()
    const producer = kafka(broker.address).producer({ idempotent: true })
    await producer.connect()
    for (const compression of [CompressionTypes.None, CompressionTypes.GZIP]) {
      await producer.send({
        topic: 'orders',
        compression,
        messages: Array.from({ length: 100 }, (_, index) => ({
          key: `k${index % 7}`,
          value: `${compression}/${index}`,
          headers: { place: 'here' },
        })),
      })
    }
    const reader = consumer(broker.address, 'readers')
    await reader.connect()
    await reader.subscribe({ topics: ['orders'], fromBeginning: true })
    const seen = new Map<number, string[]>()
    let count = 0
    await reader.run({
      eachMessage: async ({ partition, message }) => {
        count++
        assert.equal(message.headers?.['place']?.toString(), 'here')
        const values = seen.get(partition) ?? []
        values.push(message.value?.toString() ?? '')
        seen.set(partition, values)
      },
    })
    await until('all 200 came', () => count === 200)
    for (const values of seen.values()) {
      const order = values.map((value) => {
        const [round, index] = value.split('/')
        return Number(round) * 1000 + Number(index)
      })
      assert.deepEqual(
        order,
        order.toSorted((left, right) => left - right),
      )
    }
    await Promise.all([producer.disconnect(), reader.disconnect()])
  })

  it('shares partitions in a group, and takes over from one that leaves', async () => {
    await using broker = await startTestBroker({ topics: { orders: 4 } })
    const producer = kafka(broker.address).producer()
    await producer.connect()
    const owners = new Map<number, string>()
    const seen: string[] = []
    const join = async (name: string): Promise<Consumer> => {
      const one = consumer(broker.address, 'sharers')
      await one.connect()
      await one.subscribe({ topics: ['orders'], fromBeginning: true })
      one.on(one.events.GROUP_JOIN, ({ payload }) => {
        for (const partition of payload.memberAssignment['orders'] ?? [])
          owners.set(partition, name)
      })
      await one.run({
        autoCommitInterval: 50,
        eachMessage: async ({ message }) => void seen.push(message.value?.toString() ?? ''),
      })
      return one
    }
    const first = await join('first')
    await until('the first has all', () => owners.size === 4)
    const second = await join('second')
    await until('both have some', () => new Set(owners.values()).size === 2)
    const send = (round: string): Promise<unknown> =>
      producer.send({
        topic: 'orders',
        messages: [0, 1, 2, 3].map((partition) => ({ partition, value: `${round}${partition}` })),
      })
    await send('a')
    await until('all of a came', () => seen.filter((one) => one.startsWith('a')).length >= 4)
    await first.disconnect()
    await until('the second has all', () => [...owners.values()].every((one) => one === 'second'))
    await send('b')
    await until('all of b came', () => seen.filter((one) => one.startsWith('b')).length >= 4)
    await Promise.all([second.disconnect(), producer.disconnect()])
  })

  it('administers topics, configs, offsets and groups', async () => {
    await using broker = await startTestBroker()
    const admin = kafka(broker.address).admin()
    await admin.connect()
    assert.equal(
      await admin.createTopics({
        topics: [
          {
            topic: 'made',
            numPartitions: 2,
            configEntries: [{ name: 'cleanup.policy', value: 'compact' }],
          },
        ],
      }),
      true,
    )
    assert.equal(await admin.createTopics({ topics: [{ topic: 'made' }] }), false, 'is there')
    await assert.rejects(admin.createTopics({ topics: [{ topic: 'many', replicationFactor: 3 }] }))
    await admin.createPartitions({ topicPartitions: [{ topic: 'made', count: 5 }] })
    const { topics } = await admin.fetchTopicMetadata({ topics: ['made'] })
    assert.equal(topics[0]?.partitions.length, 5)
    const configs = await admin.describeConfigs({
      includeSynonyms: true,
      resources: [{ type: 2, name: 'made' }],
    })
    const policy = configs.resources[0]?.configEntries.find(
      ({ configName }) => configName === 'cleanup.policy',
    )
    assert.equal(policy?.configValue, 'compact')

    await admin.setOffsets({
      groupId: 'tools',
      topic: 'made',
      partitions: [{ partition: 1, offset: '0' }],
    })
    const offsets = await admin.fetchOffsets({ groupId: 'tools', topics: ['made'] })
    assert.equal(offsets[0]?.partitions.find(({ partition }) => partition === 1)?.offset, '0')
    assert.deepEqual(
      (await admin.listGroups()).groups.map(({ groupId }) => groupId),
      ['tools'],
    )
    await admin.deleteGroups(['tools'])
    await admin.deleteTopics({ topics: ['made'] })
    assert.equal((await admin.listTopics()).includes('made'), false)
    const { brokers, controller } = await admin.describeCluster()
    assert.deepEqual([brokers.length, controller], [1, brokers[0]?.nodeId])
    await admin.disconnect()
  })

  it('reads a member’s subscription and assignment as it wrote them', async () => {
    await using broker = await startTestBroker({ topics: { orders: 2 } })
    let state = ''
    const unsubscribe = events.brokerGroupChanged.subscribe((change) => {
      if (change.group === 'described') state = change.state
    })
    const reader = consumer(broker.address, 'described')
    await reader.connect()
    await reader.subscribe({ topics: ['orders'] })
    await reader.run({ eachMessage: async () => undefined })
    const admin = kafka(broker.address).admin()
    await admin.connect()
    await until('the group is stable', () => state === 'Stable')
    const { groups } = await admin.describeGroups(['described'])
    const member = groups[0]?.members[0]
    assert.ok(member)
    assert.deepEqual(AssignerProtocol.MemberMetadata.decode(member.memberMetadata)?.topics, [
      'orders',
    ])
    assert.deepEqual(
      AssignerProtocol.MemberAssignment.decode(member.memberAssignment)?.assignment,
      {
        orders: [0, 1],
      },
    )
    unsubscribe()
    await Promise.all([reader.disconnect(), admin.disconnect()])
  })
})
