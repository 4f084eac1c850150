import assert from 'node:assert/strict'
import { describe, it, type TestContext } from 'node:test'
import { manualClock, type ManualClock } from '../../kit/index.ts'
import { isFailure } from '../../errors/index.ts'
import { encodeBatch, errorCodes, offsetCommitKey, readBatchHeader } from '../../protocol/index.ts'
import { memoryFileSystem, openLogStore, type LogStore } from '../../storage/index.ts'
import { brokerSettings } from '../options.ts'
import { offsetsTopic, Topics } from '../topics/topics.ts'
import { GroupCoordinator } from './group-coordinator.ts'

const dayMs = 86_400_000

interface Bench {
  readonly clock: ManualClock
  readonly store: LogStore
  readonly topics: Topics
  readonly groups: GroupCoordinator
  /** From here on nothing is written until `letTurnsEnd`. */
  holdTurns(): void
  letTurnsEnd(): void
  /** Another coordinator that reads what this one wrote. */
  reread(): Promise<GroupCoordinator>
}

async function bench(t: TestContext): Promise<Bench> {
  const clock = manualClock()
  const settings = brokerSettings({ offsetsRetentionMs: '7d' })
  let held: (() => void)[] | undefined
  const store = await openLogStore({
    folder: '/memory',
    fs: memoryFileSystem(),
    clock,
    reserveBytes: 0,
    endOfTurn: (callback) => {
      if (held === undefined) setImmediate(callback)
      else held.push(callback)
    },
  })
  const topics = new Topics(store, settings)
  for (const name of ['orders', 'other']) await store.createTopic({ name, partitions: 2 })
  const made: GroupCoordinator[] = []
  const make = (): GroupCoordinator => {
    const groups = new GroupCoordinator({ store, topics, clock, settings })
    made.push(groups)
    return groups
  }
  t.after(async () => {
    for (const groups of made) groups.stop()
    await store.close()
  })
  return {
    clock,
    store,
    topics,
    groups: make(),
    holdTurns() {
      held = []
    },
    letTurnsEnd() {
      const callbacks = held ?? []
      held = undefined
      for (const callback of callbacks) callback()
    },
    async reread() {
      const groups = make()
      await groups.load()
      return groups
    },
  }
}

/** Whatever can go on without a write has done so. */
async function settled(): Promise<void> {
  for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve))
}

const at = (offset: number, partition = 0) => ({
  topic: 'orders',
  partition,
  offset,
  leaderEpoch: 0,
  metadata: `at ${offset}`,
})

describe('group coordinator', () => {
  it('finds the last commit of each partition again', async (t) => {
    const b = await bench(t)
    for (let offset = 0; offset < 20; offset++)
      await b.groups.commit('g', [at(offset), at(offset * 2, 1)], -1)
    const again = await b.reread()
    const offsets = again.find('g')?.offsets
    assert.equal(offsets?.get('orders', 0)?.offset, 19)
    assert.equal(offsets?.get('orders', 1)?.offset, 38)
    assert.equal(offsets?.get('orders', 1)?.metadata, 'at 38')
  })

  it('forgets groups whose offsets have expired, also for the next start', async (t) => {
    const b = await bench(t)
    await b.groups.commit('old', [at(1)], -1)
    b.clock.advance(4 * dayMs)
    await b.groups.commit('young', [at(1)], -1)
    b.clock.advance(3 * dayMs)
    await b.groups.tidy()
    assert.deepEqual([...b.groups.all.keys()], ['young'])
    const again = await b.reread()
    assert.deepEqual([...again.all.keys()], ['young'])
  })

  it('keeps its log as long as its groups are many, not its commits', async (t) => {
    const b = await bench(t)
    await b.groups.commit('quiet', [at(7)], -1)
    for (let round = 0; round < 25; round++) {
      const commits = Array.from({ length: 1000 }, (_, index) => at(round * 1000 + index))
      await b.groups.commit('busy', commits, -1)
    }
    const log = b.store.partition(offsetsTopic, 0)
    const endBefore = log?.logEndOffset ?? 0
    await b.groups.tidy()
    assert.equal(log?.logStartOffset, endBefore)
    const again = await b.reread()
    assert.equal(again.find('quiet')?.offsets.get('orders', 0)?.offset, 7)
    assert.equal(again.find('busy')?.offsets.get('orders', 0)?.offset, 24_999)
  })

  it('refuses what no group could answer', async (t) => {
    const b = await bench(t)
    const claim = { memberId: 'm', instanceId: null, generationId: 1 }
    assert.equal(b.groups.heartbeat('', claim), errorCodes.INVALID_GROUP_ID)
    assert.equal(b.groups.heartbeat('none', claim), errorCodes.UNKNOWN_MEMBER_ID)
    assert.equal(b.groups.leave('none', claim), errorCodes.UNKNOWN_MEMBER_ID)
    assert.equal(b.groups.commitFault('none', claim, { codeOfUnknown: 22 }), 22)
    assert.equal(await b.groups.delete('none'), errorCodes.GROUP_ID_NOT_FOUND)
    const join = {
      memberId: '',
      instanceId: null,
      clientId: 'c',
      clientHost: '',
      peerId: 1,
      sessionTimeoutMs: 1999,
      rebalanceTimeoutMs: 1000,
      protocolType: 'consumer',
      protocols: [{ name: 'range', metadata: Buffer.alloc(0) }],
      needsKnownId: false,
      canSkipAssignment: false,
    }
    const code = async (change: Partial<typeof join>): Promise<number> =>
      (await b.groups.join('g', { ...join, ...change })).errorCode
    assert.equal(await code({}), errorCodes.INVALID_SESSION_TIMEOUT)
    assert.equal(await code({ sessionTimeoutMs: 2_000_000 }), errorCodes.INVALID_SESSION_TIMEOUT)
    assert.equal(
      await code({ sessionTimeoutMs: 2000, memberId: 'gone' }),
      errorCodes.UNKNOWN_MEMBER_ID,
    )
    assert.equal(await code({ sessionTimeoutMs: 2000 }), errorCodes.NONE)
    assert.equal(await b.groups.delete('g'), errorCodes.NON_EMPTY_GROUP)
  })

  it('keeps a commit that is being written while its log is written anew', async (t) => {
    const b = await bench(t)
    await b.groups.commit('g', [at(1)], -1)
    const many = Array.from({ length: 25_000 }, (_, index) => at(index))
    await b.groups.commit('busy', many, -1)
    b.holdTurns()
    const commit = b.groups.commit('g', [at(2)], -1)
    const tidied = b.groups.tidy()
    await settled()
    b.letTurnsEnd()
    await Promise.all([commit, tidied])
    assert.equal(b.groups.find('g')?.offsets.get('orders', 0)?.offset, 2)
    const again = await b.reread()
    assert.equal(again.find('g')?.offsets.get('orders', 0)?.offset, 2)
  })
})

describe('positions in a topic that was deleted', () => {
  const topicsOf = (groups: GroupCoordinator, id: string): readonly string[] =>
    groups.find(id)?.offsets.topics ?? []

  async function deleteOrders({ topics }: Bench): Promise<void> {
    const orders = topics.named('orders')
    assert.ok(orders)
    await topics.delete(orders)
  }

  it('are forgotten', async (t) => {
    const b = await bench(t)
    await b.groups.commit('g', [at(5), { ...at(6), topic: 'other' }], -1)
    await deleteOrders(b)
    assert.deepEqual(topicsOf(b.groups, 'g'), ['other'])
    assert.deepEqual(topicsOf(await b.reread(), 'g'), ['other'])
  })

  it('are forgotten in all groups before the name can be used again', async (t) => {
    const b = await bench(t)
    for (const id of ['one', 'two', 'three']) await b.groups.commit(id, [at(5)], -1)
    b.holdTurns()
    const deleted = deleteOrders(b)
    await settled()
    assert.equal(b.topics.named('orders'), undefined)
    for (const id of ['one', 'two', 'three']) assert.deepEqual(topicsOf(b.groups, id), [])
    b.letTurnsEnd()
    await deleted
    for (const id of ['one', 'two', 'three']) assert.deepEqual(topicsOf(await b.reread(), id), [])
  })

  it('are forgotten by the next start when the broker died before it had written so', async (t) => {
    const b = await bench(t)
    await b.groups.commit('g', [at(5), { ...at(6), topic: 'other' }], -1)
    await b.store.deleteTopic('orders')
    assert.deepEqual(topicsOf(await b.reread(), 'g'), ['other'])
    await b.store.createTopic({ name: 'orders', partitions: 1 })
    assert.deepEqual(topicsOf(await b.reread(), 'g'), ['other'])
  })

  it('are not brought back by a commit that was on its way', async (t) => {
    const b = await bench(t)
    await b.groups.commit('g', [at(1)], -1)
    b.holdTurns()
    const commit = b.groups.commit('g', [at(5), { ...at(6), topic: 'other' }], -1)
    const deleted = deleteOrders(b)
    await settled()
    await b.store.createTopic({ name: 'orders', partitions: 1 })
    b.letTurnsEnd()
    await Promise.all([commit, deleted])
    assert.deepEqual(topicsOf(b.groups, 'g'), ['other'])
    assert.deepEqual(topicsOf(await b.reread(), 'g'), ['other'])
  })
})

describe('__consumer_offsets', () => {
  it('passes over records of kinds it does not know', async (t) => {
    const b = await bench(t)
    await b.groups.commit('g', [at(5)], -1)
    const log = b.store.partition(offsetsTopic, 0)
    const newerGroup = Buffer.from('000300016d', 'hex')
    const batch = encodeBatch({}, [
      { offset: 0, timestamp: 1, key: newerGroup, value: Buffer.from('anything') },
      { offset: 1, timestamp: 1, key: null, value: null },
    ])
    log?.append(batch, readBatchHeader(batch))
    await b.store.written()
    const again = await b.reread()
    assert.equal(again.find('g')?.offsets.get('orders', 0)?.offset, 5)
    assert.equal(again.all.size, 1)
  })

  it('that cannot be read stops the start, and says where', async (t) => {
    const b = await bench(t)
    await b.groups.commit('g', [at(5)], -1)
    const key = offsetCommitKey.encode(1, { group: 'g', topic: 'orders', partition: 0 })
    const batch = encodeBatch({}, [
      { offset: 0, timestamp: 1, key, value: Buffer.from([0, 3, 0, 0]) },
    ])
    b.store.partition(offsetsTopic, 0)?.append(batch, readBatchHeader(batch))
    await b.store.written()
    await assert.rejects(
      b.reread(),
      (error) => isFailure(error, 'MR_BROKER_GROUPS_UNREADABLE') && error.context['offset'] === 1,
    )
  })
})
