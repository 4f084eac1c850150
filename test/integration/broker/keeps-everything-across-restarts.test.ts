import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, it } from 'node:test'
import { isFailure } from '../../../packages/millrace/src/errors/index.ts'
import { apis } from '../../../packages/millrace/src/protocol/index.ts'
import { startTestBroker } from '../../../packages/millrace/src/testing/index.ts'
import { batchOf, produceTo } from './batches.ts'
import { connectRaw, type RawClient } from './raw-client.ts'

const joining = {
  groupId: 'g',
  sessionTimeoutMs: 10_000,
  rebalanceTimeoutMs: 10_000,
  protocolType: 'consumer',
  protocols: [{ name: 'range', metadata: Buffer.from('subscription') }],
}

/** Joins a group alone and takes an assignment. */
async function joinAlone(client: RawClient): Promise<{ memberId: string; generationId: number }> {
  const { memberId } = await client.ask(apis.joinGroup, 5, joining)
  const joined = await client.ask(apis.joinGroup, 5, { ...joining, memberId })
  assert.equal(joined.errorCode, 0)
  const synced = await client.ask(apis.syncGroup, 3, {
    groupId: 'g',
    generationId: joined.generationId,
    memberId,
    assignments: [{ memberId, assignment: Buffer.from('assigned') }],
  })
  assert.equal(synced.errorCode, 0)
  return { memberId, generationId: joined.generationId }
}

async function committed(client: RawClient, groupId: string): Promise<readonly unknown[]> {
  const answer = await client.ask(apis.offsetFetch, 5, { groupId, topics: null })
  return answer.topics.flatMap(({ name, partitions }) =>
    partitions.map((one) => [name, one.partitionIndex, one.committedOffset, one.metadata]),
  )
}

describe('after a restart', () => {
  let folder = ''
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'millrace-broker-'))
  })
  afterEach(() => rm(folder, { recursive: true, force: true }))

  it('the group goes on in its generation, and its offsets are there', async () => {
    let member
    {
      await using broker = await startTestBroker({ folder, topics: { orders: 2 } })
      await using client = await connectRaw(broker.port)
      member = await joinAlone(client)
      const commit = await client.ask(apis.offsetCommit, 7, {
        groupId: 'g',
        generationIdOrMemberEpoch: member.generationId,
        memberId: member.memberId,
        topics: [
          {
            name: 'orders',
            partitions: [
              { partitionIndex: 1, committedOffset: 42, committedMetadata: 'note' },
              { partitionIndex: 9, committedOffset: 1 },
              { partitionIndex: 0, committedOffset: 1, committedMetadata: 'x'.repeat(5000) },
            ],
          },
        ],
      })
      assert.deepEqual(
        commit.topics[0]?.partitions.map(({ errorCode }) => errorCode),
        [0, 3, 12],
      )
    }
    await using broker = await startTestBroker({ folder })
    await using client = await connectRaw(broker.port)
    assert.deepEqual(await committed(client, 'g'), [['orders', 1, 42, 'note']])
    const heartbeat = await client.ask(apis.heartbeat, 3, { groupId: 'g', ...member })
    assert.equal(heartbeat.errorCode, 0)
    const synced = await client.ask(apis.syncGroup, 3, { groupId: 'g', ...member })
    assert.equal(synced.assignment.toString(), 'assigned')
  })

  it('what was deleted stays deleted: offsets, groups, topics', async () => {
    {
      await using broker = await startTestBroker({ folder, topics: { orders: 1, gone: 1 } })
      await using client = await connectRaw(broker.port)
      for (const groupId of ['kept', 'dropped']) {
        await client.ask(apis.offsetCommit, 7, {
          groupId,
          topics: ['orders', 'gone'].map((name) => ({
            name,
            partitions: [{ partitionIndex: 0, committedOffset: 7 }],
          })),
        })
      }
      const deleted = await client.ask(apis.deleteGroups, 1, { groupsNames: ['dropped', 'none'] })
      assert.deepEqual(
        deleted.results.map(({ errorCode }) => errorCode),
        [0, 69],
      )
      await client.ask(apis.deleteTopics, 3, { topicNames: ['gone'] })
    }
    await using broker = await startTestBroker({ folder })
    await using client = await connectRaw(broker.port)
    assert.deepEqual(await committed(client, 'kept'), [['orders', 0, 7, '']])
    const { groups } = await client.ask(apis.listGroups, 4, {})
    assert.deepEqual(
      groups.map(({ groupId, groupState }) => [groupId, groupState]),
      [['kept', 'Empty']],
    )
    assert.equal(broker.store.topic('gone'), undefined)
  })

  it('a repeated batch is recognised, and no producer id is given twice', async () => {
    const ids = new Set<number>()
    let batch
    {
      await using broker = await startTestBroker({ folder, topics: { orders: 1 } })
      await using client = await connectRaw(broker.port)
      const { producerId } = await client.ask(apis.initProducerId, 1, { transactionalId: null })
      ids.add(producerId)
      ids.add((await client.ask(apis.initProducerId, 1, { transactionalId: null })).producerId)
      batch = batchOf(['a', 'b'], { producerId, sequence: 0 })
      await client.ask(apis.produce, 8, produceTo('orders', 0, Buffer.from(batch)))
    }
    await using broker = await startTestBroker({ folder })
    await using client = await connectRaw(broker.port)
    const again = await client.ask(apis.produce, 8, produceTo('orders', 0, batch))
    assert.equal(again.responses[0]?.partitionResponses[0]?.errorCode, 0)
    assert.equal(again.responses[0]?.partitionResponses[0]?.baseOffset, 0)
    assert.equal(broker.store.partition('orders', 0)?.highWatermark, 2)
    for (let index = 0; index < 3; index++)
      ids.add((await client.ask(apis.initProducerId, 4, { transactionalId: null })).producerId)
    assert.equal(ids.size, 5)
  })

  it('the cluster id and topic ids are the same', async () => {
    const read = async (): Promise<readonly [string, string | undefined]> => {
      await using broker = await startTestBroker({ folder })
      await using client = await connectRaw(broker.port)
      const answer = await client.ask(apis.metadata, 12, { topics: [{ name: 'orders' }] })
      return [answer.clusterId ?? '', answer.topics[0]?.topicId]
    }
    assert.deepEqual(await read(), await read())
  })

  it('a second broker on the folder is refused, and told who has it', async () => {
    await using broker = await startTestBroker({ folder })
    await assert.rejects(
      startTestBroker({ folder }),
      (error) =>
        isFailure(error, 'MR_STORAGE_LOCKED') &&
        error.message.includes(String(process.pid)) &&
        error.message.includes(String(broker.port)),
    )
  })
})
