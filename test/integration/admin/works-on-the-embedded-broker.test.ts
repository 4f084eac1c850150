import assert from 'node:assert/strict'
import { describe, it } from 'node:test'

import { openClient } from '../../../packages/millrace/src/client/index.ts'
import { startTestBroker } from '../../../packages/millrace/src/testing/index.ts'

describe('admin', () => {
  it('makes, widens, shows and deletes topics', async () => {
    await using broker = await startTestBroker({ options: { defaultPartitions: 4 } })
    await using client = openClient({ brokers: [broker.address] })
    const { admin } = client
    const [orders, bad] = await admin.createTopics([
      { name: 'orders', configs: { 'retention.ms': '1000' } },
      { name: 'not a name' },
    ])
    assert.equal(orders?.partitions, 4)
    assert.equal(orders?.id, broker.store.topic('orders')?.id)
    assert.equal(bad?.error?.context['name'], 'INVALID_TOPIC_EXCEPTION')

    const [checked] = await admin.createTopics([{ name: 'dry' }], { validateOnly: true })
    assert.equal(checked?.error, undefined)
    assert.equal(broker.store.topic('dry'), undefined)

    const widened = await admin.createPartitions([
      { name: 'orders', count: 6 },
      { name: 'nothing', count: 6 },
    ])
    assert.deepEqual(
      widened.map(({ name, error }) => [name, error?.code]),
      [
        ['orders', undefined],
        ['nothing', 'MR_TOPIC_UNKNOWN'],
      ],
    )
    const [described] = await admin.describeTopics(['orders'])
    assert.equal(described?.partitions.length, 6)
    const configs = await admin.describeConfigs({ topic: 'orders' }, { names: ['retention.ms'] })
    assert.deepEqual(
      configs.map(({ name, value, source }) => [name, value, source]),
      [['retention.ms', '1000', 'topic']],
    )
    const cluster = await admin.describeCluster()
    assert.equal(cluster.clusterId, broker.clusterId)
    assert.ok((await admin.describeConfigs({ broker: cluster.brokers[0]!.nodeId })).length > 0)

    const deleted = await admin.deleteTopics(['orders', 'nothing'])
    assert.deepEqual(
      deleted.map(({ name, error }) => [name, error?.code]),
      [
        ['orders', undefined],
        ['nothing', 'MR_TOPIC_UNKNOWN'],
      ],
    )
    assert.deepEqual(await admin.describeTopics(), [])
  })

  it('changes single settings and leaves the others', async () => {
    await using broker = await startTestBroker({
      topics: { orders: { partitions: 1, configs: { 'segment.bytes': '1048576' } } },
    })
    await using client = openClient({ brokers: [broker.address] })
    const { admin } = client
    const set = { 'retention.ms': '5000', 'cleanup.policy': 'compact' }
    const [dry] = await admin.alterConfigs([{ topic: 'orders', set }], { validateOnly: true })
    assert.equal(dry?.error, undefined)
    assert.deepEqual(broker.store.topic('orders')?.configs, { 'segment.bytes': '1048576' })
    const [changed, bad, unknown] = await admin.alterConfigs([
      { topic: 'orders', set, unset: ['segment.bytes'] },
      { topic: 'nothing', set },
      { topic: 'nowhere', unset: ['retention.ms'] },
    ])
    assert.equal(changed?.error, undefined)
    assert.deepEqual(broker.store.topic('orders')?.configs, set)
    assert.equal(bad?.error?.code, 'MR_TOPIC_UNKNOWN')
    assert.equal(unknown?.error?.code, 'MR_TOPIC_UNKNOWN')
    const [wrong] = await admin.alterConfigs([{ topic: 'orders', set: { 'retention.ms': 'x' } }])
    assert.equal(wrong?.error?.context['name'], 'INVALID_CONFIG')
  })

  it('deletes messages up to an offset, and tells how much the rest takes', async () => {
    await using broker = await startTestBroker({ topics: { orders: 2 } })
    await using client = openClient({ brokers: [broker.address] })
    const { admin } = client
    await using producer = client.producer()
    for (let n = 0; n < 5; n++)
      await producer.send({ topic: 'orders', partition: 0, value: `${n}` })
    const deleted = await admin.deleteRecords([
      { topic: 'orders', partition: 0, before: 3 },
      { topic: 'orders', partition: 1, before: 'end' },
      { topic: 'orders', partition: 7, before: 0 },
    ])
    assert.deepEqual(
      deleted.map(({ partition, logStartOffset, error }) => [
        partition,
        logStartOffset,
        error?.code,
      ]),
      [
        [0, 3, undefined],
        [1, 0, undefined],
        [7, -1, 'MR_PARTITION_UNKNOWN'],
      ],
    )
    const [beyond] = await admin.deleteRecords([{ topic: 'orders', partition: 0, before: 99 }])
    assert.equal(beyond?.error?.context['name'], 'OFFSET_OUT_OF_RANGE')
    const sizes = await admin.replicaSizes()
    const size = sizes.find(({ topic, partition }) => topic === 'orders' && partition === 0)
    assert.ok((size?.bytes ?? 0) > 0)
  })

  it('forgets what a group has committed, unless a member reads there', async () => {
    await using broker = await startTestBroker({ topics: { orders: 2, users: 1 } })
    await using client = openClient({ brokers: [broker.address] })
    const { admin } = client
    const entries = [
      { topic: 'orders', partition: 0, offset: 0 },
      { topic: 'users', partition: 0, offset: 0 },
    ]
    await admin.setOffsets('billing', entries)
    await using member = client.joinGroup({ groupId: 'billing', topics: ['orders'] })
    await member.ready()
    const [orders, users] = await admin.deleteOffsets('billing', entries)
    assert.equal(orders?.error?.context['name'], 'GROUP_SUBSCRIBED_TO_TOPIC')
    assert.equal(users?.error, undefined)
    assert.deepEqual(
      (await admin.committedOffsets('billing')).map(({ topic }) => topic),
      ['orders'],
    )
    const [nobody] = await admin.deleteOffsets('nobody', entries.slice(0, 1))
    assert.equal(nobody?.error?.context['name'], 'GROUP_ID_NOT_FOUND')
  })

  it('finds offsets by end, time and greatest timestamp', async () => {
    await using broker = await startTestBroker({ topics: { orders: 2 } })
    await using client = openClient({ brokers: [broker.address] })
    await using producer = client.producer()
    const startMs = Date.now()
    for (const [n, timestamp] of [startMs, startMs + 20, startMs + 10].entries())
      await producer.send({ topic: 'orders', partition: 0, value: `${n}`, timestamp })
    const at = (where: 'earliest' | 'latest' | 'max-timestamp' | number, partition = 0) => ({
      topic: 'orders',
      partition,
      at: where,
    })
    const listed = await client.admin.listOffsets([
      at('earliest'),
      at('latest'),
      at('max-timestamp'),
      at(startMs + 5),
      at(startMs + 1000),
      at('latest', 1),
    ])
    assert.deepEqual(
      listed.map(({ offset, error }) => [offset, error]),
      [
        [0, undefined],
        [3, undefined],
        [1, undefined],
        [1, undefined],
        [-1, undefined],
        [0, undefined],
      ],
    )
  })

  it('shows, moves and deletes groups, but not under the feet of a member', async () => {
    await using broker = await startTestBroker({ topics: { orders: 2 } })
    await using client = openClient({ brokers: [broker.address], clientId: 'shop' })
    const { admin } = client
    const entry = { topic: 'orders', partition: 1, offset: 5 }
    assert.deepEqual(await admin.setOffsets('billing', [{ ...entry, metadata: 'by hand' }]), [
      { topic: 'orders', partition: 1 },
    ])
    const committed = await admin.committedOffsets('billing')
    assert.deepEqual(
      committed.map(({ topic, partition, offset, metadata }) => [
        topic,
        partition,
        offset,
        metadata,
      ]),
      [['orders', 1, 5, 'by hand']],
    )
    const [none, five] = await admin.committedOffsets('billing', [
      { topic: 'orders', partitions: [0, 1] },
    ])
    assert.deepEqual([none?.offset, five?.offset], [-1, 5])
    const [listed] = await admin.listGroups()
    assert.equal(listed?.groupId, 'billing')
    assert.equal(listed?.state, 'Empty')

    const member = client.joinGroup({ groupId: 'billing', topics: ['orders'] })
    await member.ready()
    const [described, nobody] = await admin.describeGroups(['billing', 'nobody'])
    assert.equal(described?.state, 'Stable')
    assert.equal(described?.members[0]?.clientId, 'shop')
    assert.deepEqual(described?.members[0]?.assignment, [
      { topic: 'orders', partition: 0 },
      { topic: 'orders', partition: 1 },
    ])
    assert.equal(nobody?.error?.context['name'], 'GROUP_ID_NOT_FOUND')
    const [refused] = await admin.setOffsets('billing', [entry])
    assert.match(refused?.error?.message ?? '', /has members/)
    const [kept] = await admin.deleteGroups(['billing'])
    assert.equal(kept?.error?.context['name'], 'NON_EMPTY_GROUP')

    await member.close()
    assert.deepEqual(await admin.deleteGroups(['billing']), [{ groupId: 'billing' }])
    assert.deepEqual(await admin.listGroups(), [])
  })
})
