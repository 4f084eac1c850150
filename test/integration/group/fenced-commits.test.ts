import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import {
  openClient,
  type GroupOptions,
  type OwnedPartition,
} from '../../../packages/millrace/src/client/index.ts'
import { isFailure, type MillraceError } from '../../../packages/millrace/src/errors/index.ts'
import {
  disconnect,
  scriptedBroker,
  type Script,
  type ScriptedBroker,
} from '../../../packages/millrace/src/testing/index.ts'
import { assigned, batchOf, serving, topic, until } from './support/scripting.ts'

const logs = [0, 1].map(() => ({ batches: [batchOf(0, 5)] }))

async function group(on: Script, more: Partial<GroupOptions> = {}) {
  const broker = await scriptedBroker({
    topics: { [topic]: { partitions: 2 } },
    on: { fetch: serving(logs), syncGroup: () => assigned(0, 1), ...on },
  })
  const client = openClient({ brokers: [broker.address] })
  const heard: string[] = []
  const errors: (readonly [MillraceError, boolean])[] = []
  const hear =
    (what: string) =>
    (list: readonly OwnedPartition[]): void =>
      void heard.push(`${what} ${list.map(({ partition }) => partition).join(',')}`)
  const member = client.joinGroup({
    groupId: 'g',
    topics: [topic],
    heartbeatIntervalMs: 10,
    onAssigned: hear('assigned'),
    onRevoked: hear('revoked'),
    onLost: hear('lost'),
    onError: (error, isFatal) => errors.push([error, isFatal]),
    ...more,
  })
  await member.ready()
  return {
    broker,
    member,
    heard,
    errors,
    async [Symbol.asyncDispose]() {
      await client.close()
      await broker.close()
    },
  }
}

/** An OffsetCommit answer with a code for each partition asked. */
function commitAnswer(codeOf: (partition: number) => number): NonNullable<Script['offsetCommit']> {
  return ({ topics }) => ({
    topics: topics.map(({ name, partitions }) => ({
      name,
      partitions: partitions.map(({ partitionIndex }) => ({
        partitionIndex,
        errorCode: codeOf(partitionIndex),
      })),
    })),
  })
}

const committed = (broker: ScriptedBroker): string[] =>
  broker
    .asked('offsetCommit')
    .flatMap(({ body }) =>
      body.topics.flatMap(({ partitions }) =>
        partitions.map(
          (one) =>
            `${one.partitionIndex}@${one.committedOffset} in ${body.generationIdOrMemberEpoch}`,
        ),
      ),
    )

describe('a commit', () => {
  it('that is refused for its generation is fenced and never repeated for a lost partition', async () => {
    await using one = await group({
      offsetCommit: commitAnswer(() => 22),
      syncGroup: (_, { count }) => (count === 1 ? assigned(0, 1) : assigned(1)),
    })
    const [first, second] = one.member.owned
    assert.ok(first && second)
    assert.deepEqual(await one.member.commit([{ partition: first, offset: 3 }]), ['fenced'])
    await until('the new assignment', () => one.heard.includes('assigned 1'))
    assert.deepEqual(one.heard, ['assigned 0,1', 'lost 0,1', 'assigned 1'])
    assert.equal(first.isOwned, false)
    assert.equal(second.isOwned, false, 'a new tenure, a new object')
    assert.deepEqual(await one.member.commit([{ partition: first, offset: 4 }]), ['fenced'])
    await one.broker.until('heartbeats go on', () => one.broker.asked('heartbeat').length > 4)
    assert.deepEqual(committed(one.broker), ['0@3 in 1'])
  })

  it('waits for a rebalance and goes out in the new generation of a tenure that lives', async () => {
    let isRebalancing = false
    const gate = Promise.withResolvers<undefined>()
    await using one = await group({
      heartbeat: () => ({ errorCode: isRebalancing ? 27 : 0 }),
      joinGroup: (_, { count }) => (count === 1 ? undefined : gate.promise),
      syncGroup() {
        isRebalancing = false
        return assigned(0, 1)
      },
    })
    isRebalancing = true
    await one.broker.received('joinGroup', 2)
    const [first] = one.member.owned
    assert.ok(first)
    const commit = one.member.commit([{ partition: first, offset: 3 }])
    assert.equal(one.broker.asked('offsetCommit').length, 0, 'nothing behind a waiting join')
    gate.resolve(undefined)
    assert.deepEqual(await commit, ['committed'])
    assert.deepEqual(committed(one.broker), ['0@3 in 2'])
  })

  it('in answer to which the group rebalances is sent again after it', async () => {
    let isRebalancing = true
    await using one = await group({
      offsetCommit: (request, call) => commitAnswer(() => (isRebalancing ? 27 : 0))(request, call),
      syncGroup(_, { count }) {
        if (count > 1) isRebalancing = false
        return assigned(0, 1)
      },
    })
    const [first] = one.member.owned
    assert.ok(first)
    assert.deepEqual(await one.member.commit([{ partition: first, offset: 2 }]), ['committed'])
    assert.deepEqual(committed(one.broker), ['0@2 in 1', '0@2 in 2'])
    assert.deepEqual(one.heard, ['assigned 0,1'], 'kept over the rebalance')
  })

  it('is one at a time, and the next carries the newest position', async () => {
    const gate = Promise.withResolvers<undefined>()
    await using one = await group({
      offsetCommit: (_, { count }) => (count === 1 ? gate.promise : undefined),
    })
    const [first, second] = one.member.owned
    assert.ok(first && second)
    const commits = [
      one.member.commit([{ partition: first, offset: 1 }]),
      one.member.commit([{ partition: first, offset: 2 }]),
      one.member.commit([
        { partition: first, offset: 3 },
        { partition: second, offset: 1 },
      ]),
    ]
    await one.broker.received('offsetCommit')
    gate.resolve(undefined)
    assert.deepEqual(await Promise.all(commits), [
      ['committed'],
      ['committed'],
      ['committed', 'committed'],
    ])
    assert.deepEqual(committed(one.broker), ['0@1 in 1', '0@3 in 1', '1@1 in 1'])
  })

  it('without an answer, or to a coordinator that has moved, is sent again with the same content', async () => {
    await using one = await group({
      offsetCommit(request, call) {
        if (call.count === 1) return disconnect
        return commitAnswer(() => [0, 0, 16, 14, 0][call.count] ?? 0)(request, call)
      },
    })
    const [first] = one.member.owned
    assert.ok(first)
    const entry = { partition: first, offset: 5, metadata: 'note' }
    assert.deepEqual(await one.member.commit([entry]), ['committed'])
    assert.deepEqual(
      committed(one.broker),
      Array.from({ length: 4 }, () => '0@5 in 1'),
    )
    const texts = one.broker
      .asked('offsetCommit')
      .map(({ body }) => body.topics[0]?.partitions[0]?.committedMetadata)
    assert.deepEqual(new Set(texts), new Set(['note']))
    assert.deepEqual(one.heard, ['assigned 0,1'])
    assert.ok(one.broker.asked('findCoordinator').length > 1)
  })

  it('with metadata that is too large is the caller’s error', async () => {
    await using one = await group({ offsetCommit: commitAnswer(() => 12) })
    const [first] = one.member.owned
    assert.ok(first)
    await assert.rejects(
      one.member.commit([{ partition: first, offset: 5, metadata: 'x' }]),
      (error) => isFailure(error, 'MR_KAFKA_ERROR') && error.context['errorCode'] === 12,
    )
    assert.equal(one.member.state, 'steady')
  })

  it('that nobody answers in time rejects, its outcome unknown', async () => {
    await using one = await group({ offsetCommit: commitAnswer(() => 14) })
    const [first] = one.member.owned
    assert.ok(first)
    await assert.rejects(
      one.member.commit([{ partition: first, offset: 5 }], { timeoutMs: 30 }),
      (error) => isFailure(error, 'MR_CLIENT_TIMEOUT'),
    )
  })
})

describe('a static member whose instance id is taken', () => {
  const fenced: readonly (readonly [string, Script])[] = [
    ['heartbeat', { heartbeat: () => ({ errorCode: 82 }) }],
    ['commit', { offsetCommit: commitAnswer(() => 82) }],
    [
      'join',
      {
        heartbeat: () => ({ errorCode: 27 }),
        joinGroup: (_, { count }) => (count > 1 ? { errorCode: 82 } : undefined),
      },
    ],
    [
      'sync',
      {
        heartbeat: () => ({ errorCode: 27 }),
        syncGroup: (_, { count }) => (count > 1 ? { errorCode: 82 } : assigned(0, 1)),
      },
    ],
  ]
  for (const [where, script] of fenced) {
    it(`ends at once when it is told so by ${where}, and does not join again`, async () => {
      await using one = await group(script, { instanceId: 'pod-1' })
      const [first] = one.member.owned
      if (where === 'commit' && first)
        assert.deepEqual(await one.member.commit([{ partition: first, offset: 1 }]), ['fenced'])
      await until('the member has failed', () => one.member.state === 'failed')
      const joins = one.broker.asked('joinGroup').length
      assert.deepEqual(one.heard, ['assigned 0,1', 'lost 0,1'])
      const [[error, isFatal] = []] = one.errors
      assert.equal(isFatal, true)
      assert.match(String(error?.message), /FENCED_INSTANCE_ID/)
      assert.equal(first?.isOwned, false)
      await one.member.close()
      assert.equal(one.broker.asked('joinGroup').length, joins)
      assert.equal(one.broker.asked('leaveGroup').length, 0)
    })
  }

  it('tells its instance id in every request that has room for it, and does not leave', async () => {
    await using one = await group({}, { instanceId: 'pod-1' })
    const [first] = one.member.owned
    assert.ok(first)
    await one.member.commit([{ partition: first, offset: 1 }])
    await one.broker.received('heartbeat')
    await one.member.close()
    assert.deepEqual(one.heard, ['assigned 0,1', 'revoked 0,1'])
    assert.equal(one.broker.asked('leaveGroup').length, 0)
    for (const api of ['joinGroup', 'syncGroup', 'heartbeat', 'offsetCommit'] as const)
      assert.equal(one.broker.asked(api)[0]?.body.groupInstanceId, 'pod-1', api)
  })
})
