import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { openClient } from '../../../packages/millrace/src/client/index.ts'
import { isFailure, type MillraceError } from '../../../packages/millrace/src/errors/index.ts'
import { events } from '../../../packages/millrace/src/telemetry/index.ts'
import { scriptedBroker, startTestBroker } from '../../../packages/millrace/src/testing/index.ts'
import {
  assigned,
  batchOf,
  fetched,
  listing,
  read,
  serving,
  topic,
  until,
} from './support/scripting.ts'

const log = { batches: [batchOf(0, 5), batchOf(5, 5)], batchesAtOnce: 1 }

describe('a reader', () => {
  it('follows a leader that moves, by the hint or by metadata', async () => {
    for (const hasHint of [true, false]) {
      let leader = 0
      await using broker = await scriptedBroker({
        nodes: 2,
        topics: { [topic]: { partitions: 1, leader: () => leader, leaderEpoch: 1 } },
      })
      broker.on({
        listOffsets: listing([log]),
        fetch(request, { node }) {
          const offset = request.topics[0]?.partitions[0]?.fetchOffset ?? 0
          if (offset >= 5) leader = 1
          if (node === leader) return fetched(request, (_, at) => read(log, at))
          broker.setTopic(topic, { partitions: 1, leader: () => 1, leaderEpoch: 2 })
          const currentLeader = hasHint ? { leaderId: 1, leaderEpoch: 2 } : {}
          return fetched(request, () => ({ errorCode: 6, currentLeader, records: null }))
        },
      })
      await using client = openClient({ brokers: [broker.address] })
      const offsets: number[] = []
      for await (const { offset } of client.reader({ topics: [topic] })) offsets.push(offset)
      assert.deepEqual(offsets, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
      assert.ok(broker.asked('fetch').some(({ node }) => node === 1))
      assert.deepEqual(broker.faults, [])
    }
  })

  it('starts over in a topic that was deleted and made again, and tells it', async () => {
    await using broker = await startTestBroker({ topics: { [topic]: 1 } })
    await using client = openClient({ brokers: [broker.address] })
    const producer = client.producer()
    const send = (value: string): Promise<unknown> => producer.send({ topic, partition: 0, value })
    await Promise.all(['a', 'b', 'c'].map(send))
    const errors: MillraceError[] = []
    const member = client.joinGroup({
      groupId: 'g',
      topics: [topic],
      fetch: { maxWaitMs: 20 },
      onError: (error) => errors.push(error),
    })
    await member.ready()
    const [partition] = member.owned
    assert.ok(partition)
    await partition.available()
    await until('three messages', () => partition.take(10).length + partition.position >= 3)
    await broker.store.deleteTopic(topic)
    await broker.store.createTopic({ name: topic, partitions: 1, configs: {} })
    await until('the reset', () => errors.length > 0, 10_000)
    assert.ok(isFailure(errors[0], 'MR_OFFSETS_LOST'))
    assert.equal(partition.position, 0)
    await send('again')
    await partition.available()
    assert.equal(partition.take(1)[0]?.value?.toString(), 'again')
  })

  it('starts over in it also when there was no such topic in between, and it has outgrown the old one', async () => {
    await using broker = await startTestBroker({ topics: { [topic]: 1 } })
    await using client = openClient({ brokers: [broker.address] })
    await using producer = client.producer()
    const send = (value: string): Promise<unknown> => producer.send({ topic, partition: 0, value })
    await Promise.all(['a', 'b'].map(send))
    const errors: MillraceError[] = []
    await using reader = client.reader({
      topics: [topic],
      to: 'forever',
      fetch: { maxWaitMs: 20 },
      onError: (error) => errors.push(error),
    })
    const messages = reader[Symbol.asyncIterator]()
    await messages.next()
    await messages.next()
    await broker.store.deleteTopic(topic)
    await until('the client has seen that it is gone', () => !client.metadata.peek(topic))
    await broker.store.createTopic({ name: topic, partitions: 1, configs: {} })
    await Promise.all(['c', 'd', 'e', 'f'].map(send))
    const seen: string[] = []
    while (seen.length < 4) seen.push(String((await messages.next()).value?.value))
    assert.deepEqual(seen, ['c', 'd', 'e', 'f'])
    assert.ok(isFailure(errors[0], 'MR_OFFSETS_LOST'))
  })

  it('and a member work with a broker that is never flexible', async () => {
    await using broker = await scriptedBroker({
      isOld: true,
      topics: { [topic]: { partitions: 1 } },
      on: { fetch: serving([log]), listOffsets: listing([log]) },
    })
    await using client = openClient({ brokers: [broker.address] })
    const offsets: number[] = []
    for await (const { offset } of client.reader({ topics: [topic] })) offsets.push(offset)
    assert.equal(offsets.length, 10)
    const member = client.joinGroup({ groupId: 'g', topics: [topic], instanceId: 'i' })
    await member.ready()
    const [partition] = member.owned
    assert.ok(partition)
    await partition.available()
    assert.deepEqual(await member.commit([{ partition, offset: 5 }]), ['committed'])
    await member.close()
    assert.deepEqual(broker.faults, [])
    assert.ok(broker.requests.every(({ api, version }) => api !== 'fetch' || version < 12))
  })

  it('of a topic that others have made larger reads all of it', async () => {
    await using broker = await startTestBroker({ topics: { [topic]: 1 } })
    await using client = openClient({ brokers: [broker.address] })
    const count = async (): Promise<number> =>
      (await Array.fromAsync(client.reader({ topics: [topic] }))).length
    assert.equal(await count(), 0)
    await broker.store.addPartitions(topic, 3)
    await using other = openClient({ brokers: [broker.address] })
    await other.producer().send({ topic, partition: 2, value: 'in a new one' })
    assert.equal(await count(), 1)
  })

  it('of a partition that does not exist says so', async () => {
    await using broker = await startTestBroker({ topics: { [topic]: 1 } })
    await using client = openClient({ brokers: [broker.address] })
    const reader = client.reader({ partitions: [{ topic, partition: 7 }] })
    await assert.rejects(reader.ready(), (error) => isFailure(error, 'MR_PARTITION_UNKNOWN'))
  })
})

describe('a group', () => {
  it('survives a member whose subscription cannot be read', async () => {
    await using broker = await scriptedBroker({
      topics: { [topic]: { partitions: 2 } },
      on: {
        joinGroup: ({ protocols, protocolType }) => ({
          generationId: 1,
          protocolType,
          protocolName: protocols[0]?.name ?? '',
          leader: 'me',
          memberId: 'me',
          members: [
            { memberId: 'broken', metadata: Buffer.from([0, 3, 0, 0, 0]) },
            { memberId: 'me', metadata: protocols[0]?.metadata ?? Buffer.alloc(0) },
          ],
        }),
        syncGroup: ({ assignments }) => ({
          assignment:
            assignments.find(({ memberId }) => memberId === 'me')?.assignment ?? Buffer.alloc(0),
        }),
      },
    })
    await using client = openClient({ brokers: [broker.address] })
    const errors: unknown[] = []
    const member = client.joinGroup({
      groupId: 'g',
      topics: [topic],
      onError: (error, isFatal) => errors.push([error.name, isFatal]),
    })
    await member.ready()
    assert.equal(member.owned.length, 2)
    assert.deepEqual(errors, [['CodecError', false]])
  })

  it('is refused with the broker’s reason when it may not be joined', async () => {
    await using broker = await scriptedBroker({
      topics: { [topic]: { partitions: 1 } },
      on: { joinGroup: () => ({ errorCode: 30 }) },
    })
    await using client = openClient({ brokers: [broker.address] })
    const fatal: MillraceError[] = []
    const member = client.joinGroup({
      groupId: 'g',
      topics: [topic],
      onError: (error, isFatal) => isFatal && fatal.push(error),
    })
    await assert.rejects(member.ready(), /GROUP_AUTHORIZATION_FAILED/)
    assert.equal(fatal.length, 1)
  })

  it('tells every change of its state as an event, in order', async () => {
    const told: string[] = []
    using stop = new DisposableStack()
    for (const name of [
      'groupJoining',
      'groupJoined',
      'groupAssigned',
      'groupRevoking',
      'groupRevoked',
      'groupLost',
      'groupLeft',
      'offsetsCommitted',
    ] as const)
      stop.defer(events[name].subscribe(() => told.push(events[name].name)))
    let code = 0
    await using broker = await scriptedBroker({
      topics: { [topic]: { partitions: 1 } },
      on: {
        fetch: serving([log]),
        syncGroup: () => assigned(0),
        heartbeat() {
          const errorCode = code
          code = 0
          return { errorCode }
        },
      },
    })
    await using client = openClient({ brokers: [broker.address] })
    const member = client.joinGroup({ groupId: 'g', topics: [topic], heartbeatIntervalMs: 10 })
    await member.ready()
    const [partition] = member.owned
    assert.ok(partition)
    await member.commit([{ partition, offset: 1 }])
    code = 25
    await until('joined again', () => told.filter((name) => name === 'group.assigned').length === 2)
    await member.close()
    assert.deepEqual(told, [
      'group.joining',
      'group.joined',
      'group.assigned',
      'offsets.committed',
      'group.lost',
      'group.joining',
      'group.joined',
      'group.assigned',
      'group.revoking',
      'group.revoked',
      'group.left',
    ])
  })
})
