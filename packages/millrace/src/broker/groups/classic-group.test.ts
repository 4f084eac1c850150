import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { manualClock, type ManualClock } from '../../kit/index.ts'
import { errorCodes } from '../../protocol/index.ts'
import { ClassicGroup, type SavedGroup } from './classic-group.ts'
import type { JoinAnswer, SyncAnswer } from './group-answers.ts'
import type { JoinRequest } from './group-requests.ts'

interface Harness {
  readonly clock: ManualClock
  readonly group: ClassicGroup
  readonly saves: SavedGroup[]
  /** Makes the next writes fail. */
  failSaves: boolean
  join(request?: Partial<JoinRequest>): Waiting<JoinAnswer>
  sync(
    member: JoinAnswer,
    assignments?: Record<string, string>,
    more?: { protocolName?: string; instanceId?: string },
  ): Waiting<SyncAnswer>
  heartbeat(member: JoinAnswer): number
}

interface Waiting<T> {
  /** The answer, if it was given. */
  readonly answer: T | undefined
  /** The answer that must be there. */
  now(): T
}

function harness(options: { delayMs?: number; maxSize?: number; graceMs?: number } = {}): Harness {
  const clock = manualClock()
  const saves: SavedGroup[] = []
  let ids = 0
  const group = new ClassicGroup('g', {
    clock,
    initialRebalanceDelayMs: options.delayMs ?? 0,
    maxSize: options.maxSize ?? 100,
    absentGraceMs: options.graceMs ?? 0,
    newMemberId: (prefix) => `${prefix}-${++ids}`,
    save: async (one) => {
      if (made.failSaves) throw new Error('disk')
      saves.push(one.saved())
    },
    onChange: () => undefined,
  })
  const made: Harness = {
    clock,
    group,
    saves,
    failSaves: false,
    join: (request = {}) =>
      waiting((reply) =>
        group.join(
          {
            memberId: '',
            instanceId: null,
            clientId: 'c',
            clientHost: '/127.0.0.1',
            peerId: 1,
            sessionTimeoutMs: 10_000,
            rebalanceTimeoutMs: 60_000,
            protocolType: 'consumer',
            protocols: [{ name: 'range', metadata: Buffer.from('topics') }],
            needsKnownId: false,
            canSkipAssignment: false,
            ...request,
          },
          reply,
        ),
      ),
    sync: (member, assignments = {}, more = {}) =>
      waiting((reply) =>
        group.sync(
          {
            memberId: member.memberId,
            instanceId: more.instanceId ?? null,
            generationId: member.generationId,
            protocolType: null,
            protocolName: more.protocolName ?? null,
            assignments: Object.entries(assignments).map(([memberId, text]) => ({
              memberId,
              assignment: Buffer.from(text),
            })),
          },
          reply,
        ),
      ),
    heartbeat: ({ memberId, generationId }) =>
      group.heartbeat({ memberId, generationId, instanceId: null }),
  }
  return made
}

function waiting<T>(start: (reply: (answer: T) => void) => void): Waiting<T> {
  let answer: T | undefined
  start((given) => {
    assert.equal(answer, undefined, 'answered once')
    answer = given
  })
  return {
    get answer() {
      return answer
    },
    now() {
      assert.ok(answer !== undefined, 'an answer is there')
      return answer
    },
  }
}

const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

/** Two members, the first of which leads, in a stable generation. */
async function stableGroup(h: Harness): Promise<{ leader: JoinAnswer; follower: JoinAnswer }> {
  const first = h.join().now()
  h.sync(first, { [first.memberId]: 'all' })
  await settled()
  const second = h.join()
  const leader = h.join({ memberId: first.memberId }).now()
  const follower = second.now()
  h.sync(leader, { [leader.memberId]: 'half', [follower.memberId]: 'other half' })
  h.sync(follower)
  await settled()
  assert.equal(h.group.state, 'Stable')
  return { leader, follower }
}

function protocols(...names: string[]): { name: string; metadata: Buffer }[] {
  return names.map((name) => ({ name, metadata: Buffer.from(name) }))
}

function staticJoin(instanceId: string, more: Partial<JoinRequest> = {}): Partial<JoinRequest> {
  return { instanceId, needsKnownId: true, canSkipAssignment: true, ...more }
}

describe('classic group', () => {
  it('makes the first member leader and gives it the list of members', async () => {
    const h = harness()
    const joined = h.join().now()
    assert.equal(joined.errorCode, errorCodes.NONE)
    assert.equal(joined.generationId, 1)
    assert.equal(joined.leader, joined.memberId)
    assert.equal(joined.protocolName, 'range')
    assert.deepEqual(
      joined.members.map(({ memberId, metadata }) => [memberId, metadata.toString()]),
      [[joined.memberId, 'topics']],
    )
    const synced = h.sync(joined, { [joined.memberId]: 'everything' })
    assert.equal(synced.answer, undefined, 'waits until it is written')
    await settled()
    assert.equal(synced.now().assignment.toString(), 'everything')
    assert.equal(h.saves.at(-1)?.members[0]?.assignment.toString(), 'everything')
  })

  it('sends a newcomer away with an id, and waits for it at the next rebalance', async () => {
    const h = harness()
    const { leader } = await stableGroup(h)
    const refused = h.join({ needsKnownId: true }).now()
    assert.equal(refused.errorCode, errorCodes.MEMBER_ID_REQUIRED)
    assert.notEqual(refused.memberId, '')
    assert.equal(h.group.state, 'Stable', 'an id alone rebalances nothing')

    const again = h.join({ memberId: leader.memberId })
    assert.equal(again.answer, undefined)
    h.join({ memberId: refused.memberId, needsKnownId: true })
    h.join({ memberId: [...h.group.members.keys()][1] ?? '' })
    assert.equal(again.now().members.length, 3)
  })

  it('does not wait for ever for an id that never came back', async () => {
    const h = harness()
    const { leader, follower } = await stableGroup(h)
    h.join({ needsKnownId: true })
    const first = h.join({ memberId: leader.memberId })
    h.join({ memberId: follower.memberId })
    assert.equal(first.answer, undefined)
    h.clock.advance(10_000)
    assert.equal(first.now().members.length, 2)
  })

  it('does not wait longer than for a member for an id whose connection has gone', async () => {
    const h = harness({ graceMs: 5000 })
    const { leader, follower } = await stableGroup(h)
    h.join({ needsKnownId: true, peerId: 7, sessionTimeoutMs: 45_000 })
    h.clock.advance(9000)
    h.heartbeat(leader)
    h.heartbeat(follower)
    h.group.peerGone(7)
    const first = h.join({ memberId: leader.memberId })
    h.join({ memberId: follower.memberId })
    h.clock.advance(4999)
    assert.equal(first.answer, undefined, 'it may come again on another connection')
    h.clock.advance(1)
    assert.equal(first.now().members.length, 2)
  })

  it('holds followers until the leader has assigned', async () => {
    const h = harness()
    const first = h.join().now()
    h.sync(first, { [first.memberId]: 'all' })
    await settled()
    const second = h.join()
    const leader = h.join({ memberId: first.memberId }).now()
    const follower = second.now()
    assert.equal(follower.leader, leader.memberId)
    assert.deepEqual(follower.members, [], 'the list is for the leader alone')
    const waitingSync = h.sync(follower)
    await settled()
    assert.equal(waitingSync.answer, undefined)
    h.sync(leader, { [follower.memberId]: 'mine' })
    await settled()
    assert.equal(waitingSync.now().assignment.toString(), 'mine')
  })

  it('answers a rejoin without news with the present generation', async () => {
    const h = harness()
    const { leader, follower } = await stableGroup(h)
    const again = h.join({ memberId: follower.memberId }).now()
    assert.equal(again.generationId, leader.generationId)
    assert.equal(h.group.state, 'Stable')
    assert.deepEqual(again.members, [])
  })

  it('rebalances when the leader rejoins or a member has news', async () => {
    const h = harness()
    const { leader, follower } = await stableGroup(h)
    h.join({ memberId: leader.memberId })
    assert.equal(h.group.state, 'PreparingRebalance')
    assert.equal(h.heartbeat(follower), errorCodes.REBALANCE_IN_PROGRESS)
    h.join({ memberId: follower.memberId })
    assert.equal(h.group.state, 'CompletingRebalance')
    assert.equal(h.group.generation, leader.generationId + 1)

    const other = harness()
    const stable = await stableGroup(other)
    const news = [{ name: 'range', metadata: Buffer.from('more topics') }]
    other.join({ memberId: stable.follower.memberId, protocols: news })
    assert.equal(other.group.state, 'PreparingRebalance')
  })

  it('drops a member that does not rejoin in time, and goes on without it', async () => {
    const h = harness()
    const { leader, follower } = await stableGroup(h)
    const again = h.join({ memberId: leader.memberId, sessionTimeoutMs: 100_000 })
    for (let second = 0; second < 59; second++) {
      h.clock.advance(1000)
      assert.equal(h.heartbeat(follower), errorCodes.REBALANCE_IN_PROGRESS)
    }
    assert.equal(again.answer, undefined)
    h.clock.advance(1000)
    assert.equal(again.now().members.length, 1)
    assert.equal(h.heartbeat(follower), errorCodes.UNKNOWN_MEMBER_ID)
  })

  it('ends a session without heartbeats, and not one with them', async () => {
    const h = harness()
    const { leader, follower } = await stableGroup(h)
    for (let round = 0; round < 3; round++) {
      h.clock.advance(9_000)
      h.heartbeat(leader)
      if (round === 0) assert.equal(h.heartbeat(follower), errorCodes.NONE)
    }
    assert.equal(h.group.members.has(follower.memberId), false)
    assert.equal(h.group.state, 'PreparingRebalance')
    assert.equal(h.heartbeat(leader), errorCodes.REBALANCE_IN_PROGRESS)
  })

  it('takes a commit as a sign of life', async () => {
    const h = harness()
    const { follower } = await stableGroup(h)
    const { memberId, generationId } = follower
    for (let round = 0; round < 5; round++) {
      h.clock.advance(9_000)
      const fault = h.group.commitFault({ memberId, generationId, instanceId: null })
      if (h.group.state === 'Stable') assert.equal(fault, errorCodes.NONE)
    }
    assert.equal(h.group.members.has(memberId), true)
  })

  it('becomes empty when the last member leaves, under a new generation', async () => {
    const h = harness()
    const { leader, follower } = await stableGroup(h)
    const gone = (memberId: string): number => h.group.leave({ memberId, instanceId: null })
    assert.equal(gone(leader.memberId), errorCodes.NONE)
    assert.equal(gone(leader.memberId), errorCodes.UNKNOWN_MEMBER_ID)
    assert.equal(gone(follower.memberId), errorCodes.NONE)
    await settled()
    assert.equal(h.group.state, 'Empty')
    assert.equal(h.group.generation, leader.generationId + 1)
    assert.equal(h.saves.at(-1)?.members.length, 0)
    assert.equal(h.clock.waiting, 0, 'no timer is left behind')
  })

  it('refuses what does not fit: generation, protocol, member, size', async () => {
    const h = harness({ maxSize: 2 })
    const { leader } = await stableGroup(h)
    assert.equal(
      h.heartbeat({ ...leader, generationId: leader.generationId - 1 }),
      errorCodes.ILLEGAL_GENERATION,
    )
    assert.equal(h.heartbeat({ ...leader, memberId: 'x' }), errorCodes.UNKNOWN_MEMBER_ID)
    assert.equal(
      h.sync(leader, {}, { protocolName: 'sticky' }).now().errorCode,
      errorCodes.INCONSISTENT_GROUP_PROTOCOL,
    )
    assert.equal(h.join().now().errorCode, errorCodes.GROUP_MAX_SIZE_REACHED)
    assert.equal(h.join({ memberId: 'x' }).now().errorCode, errorCodes.GROUP_MAX_SIZE_REACHED)
    const roomy = harness()
    await stableGroup(roomy)
    const join = (request: Partial<JoinRequest>): number => roomy.join(request).now().errorCode
    assert.equal(join({ memberId: 'x' }), errorCodes.UNKNOWN_MEMBER_ID)
    assert.equal(join({ protocolType: 'connect' }), errorCodes.INCONSISTENT_GROUP_PROTOCOL)
    assert.equal(join({ protocols: [] }), errorCodes.INCONSISTENT_GROUP_PROTOCOL)
    assert.equal(
      join({ protocols: [{ name: 'unheard', metadata: Buffer.alloc(0) }] }),
      errorCodes.INCONSISTENT_GROUP_PROTOCOL,
    )
  })

  it('chooses the protocol that all know and most prefer', () => {
    const h = harness({ delayMs: 3000 })
    const a = h.join({ protocols: protocols('range', 'sticky') })
    h.join({ protocols: protocols('sticky', 'range') })
    h.join({ protocols: protocols('only-c', 'sticky', 'range') })
    h.clock.advance(6000)
    assert.equal(a.now().protocolName, 'sticky')
    assert.deepEqual(
      a.now().members.map(({ metadata }) => metadata.toString()),
      ['sticky', 'sticky', 'sticky'],
    )
  })

  it('waits for the initial delay again while members keep coming', () => {
    const h = harness({ delayMs: 3000 })
    const first = h.join()
    h.clock.advance(2000)
    h.join()
    h.clock.advance(1000)
    assert.equal(first.answer, undefined)
    h.clock.advance(3000)
    assert.equal(first.now().members.length, 2)
    assert.equal(first.now().generationId, 1)
  })

  it('throws out those who never ask for their assignment', async () => {
    const h = harness()
    const { leader, follower } = await stableGroup(h)
    h.join({ memberId: leader.memberId, sessionTimeoutMs: 100_000 })
    h.join({ memberId: follower.memberId, sessionTimeoutMs: 100_000 })
    const generationId = h.group.generation
    const synced = h.sync({ ...follower, generationId })
    h.clock.advance(60_000)
    assert.equal(synced.now().errorCode, errorCodes.REBALANCE_IN_PROGRESS)
    assert.equal(h.group.members.has(leader.memberId), false)
    assert.equal(h.group.state, 'PreparingRebalance')
  })

  it('gives followers no void assignment when somebody leaves while it is written', async () => {
    const h = harness()
    const first = h.join().now()
    const synced = h.sync(first, { [first.memberId]: 'all' })
    const second = h.join()
    await settled()
    assert.equal(synced.now().errorCode, errorCodes.REBALANCE_IN_PROGRESS)
    h.join({ memberId: first.memberId })
    assert.equal(second.now().generationId, 2)
  })

  it('starts over when the assignment could not be written', async () => {
    const h = harness()
    const joined = h.join().now()
    h.failSaves = true
    const synced = h.sync(joined, { [joined.memberId]: 'all' })
    await settled()
    assert.equal(synced.now().errorCode, errorCodes.COORDINATOR_NOT_AVAILABLE)
    assert.equal(h.group.state, 'PreparingRebalance')
    h.failSaves = false
    const again = h.join({ memberId: joined.memberId }).now()
    h.sync(again, { [joined.memberId]: 'all' })
    await settled()
    assert.equal(h.group.state, 'Stable')
  })

  it('lets a commit without member in while nobody is there, and no longer', async () => {
    const h = harness()
    const anonymous = { memberId: '', instanceId: null, generationId: -1 }
    assert.equal(h.group.commitFault(anonymous), errorCodes.NONE)
    const { leader, follower } = await stableGroup(h)
    assert.equal(h.group.commitFault(anonymous), errorCodes.UNKNOWN_MEMBER_ID)
    const claim = { memberId: leader.memberId, instanceId: null, generationId: leader.generationId }
    assert.equal(h.group.commitFault(claim), errorCodes.NONE)
    assert.equal(h.group.commitFault({ ...claim, generationId: 99 }), errorCodes.ILLEGAL_GENERATION)
    h.join({ memberId: leader.memberId })
    assert.equal(h.group.commitFault(claim), errorCodes.NONE, 'before it gives partitions back')
    h.join({ memberId: follower.memberId })
    const next = { ...claim, generationId: h.group.generation }
    assert.equal(h.group.commitFault(next), errorCodes.REBALANCE_IN_PROGRESS)
  })
})

describe('classic group: static members', () => {
  it('gives a returning one its assignment back without a rebalance, and fences its former self', async () => {
    const h = harness()
    const first = h.join(staticJoin('blue')).now()
    h.sync(first, { [first.memberId]: 'all' }, { instanceId: 'blue' })
    await settled()
    const back = h.join(staticJoin('blue'))
    await settled()
    const answer = back.now()
    assert.equal(answer.errorCode, errorCodes.NONE)
    assert.notEqual(answer.memberId, first.memberId)
    assert.equal(answer.generationId, first.generationId)
    assert.equal(answer.skipAssignment, true)
    assert.equal(answer.leader, answer.memberId)
    assert.equal(h.group.state, 'Stable')
    assert.equal(h.saves.at(-1)?.members[0]?.memberId, answer.memberId)
    assert.equal(h.sync(answer, {}, { instanceId: 'blue' }).now().assignment.toString(), 'all')
    assert.equal(h.group.heartbeat({ ...first, instanceId: 'blue' }), errorCodes.FENCED_INSTANCE_ID)
  })

  it('does not tell a returning leader below v9 that it leads', async () => {
    const h = harness()
    const first = h.join(staticJoin('blue')).now()
    h.sync(first, { [first.memberId]: 'all' }, { instanceId: 'blue' })
    await settled()
    const back = h.join(staticJoin('blue', { canSkipAssignment: false }))
    await settled()
    assert.equal(back.now().leader, first.memberId)
    assert.deepEqual(back.now().members, [])
    assert.equal(back.now().skipAssignment, false)
  })

  it('rebalances when the returning one would change the protocol', async () => {
    const h = harness()
    const first = h.join(staticJoin('blue')).now()
    h.sync(first, { [first.memberId]: 'all' }, { instanceId: 'blue' })
    await settled()
    const back = h.join(staticJoin('blue', { protocols: protocols('sticky', 'range') })).now()
    assert.equal(back.protocolName, 'sticky')
    assert.equal(back.generationId, first.generationId + 1)
  })

  it('keeps one that is away until its session is over', async () => {
    const h = harness()
    const blue = h.join(staticJoin('blue', { sessionTimeoutMs: 200_000 })).now()
    h.sync(blue, { [blue.memberId]: 'all' }, { instanceId: 'blue' })
    await settled()
    const green = h.join(staticJoin('green', { sessionTimeoutMs: 200_000 }))
    h.clock.advance(60_000)
    const answer = green.now()
    assert.equal(answer.members.length, 2, 'blue is away, not gone')
    assert.equal(answer.leader, answer.memberId, 'who is there leads')
    h.sync(answer, { [answer.memberId]: 'all' }, { instanceId: 'green' })
    await settled()
    h.clock.advance(140_000)
    assert.equal(h.group.members.has(blue.memberId), false)
  })

  it('leaves by instance id alone, which dynamic members cannot', async () => {
    const h = harness()
    h.join(staticJoin('blue'))
    assert.equal(h.group.leave({ memberId: '', instanceId: 'green' }), errorCodes.UNKNOWN_MEMBER_ID)
    assert.equal(
      h.group.leave({ memberId: 'x', instanceId: 'blue' }),
      errorCodes.FENCED_INSTANCE_ID,
    )
    assert.equal(h.group.leave({ memberId: '', instanceId: 'blue' }), errorCodes.NONE)
    await settled()
    assert.equal(h.group.state, 'Empty')
  })
})

describe('classic group: after a restart', () => {
  it('goes on where it was, with sessions that start anew', async () => {
    const before = harness()
    const { leader, follower } = await stableGroup(before)
    const after = harness()
    after.group.restore(before.group.saved())
    assert.equal(after.group.state, 'Stable')
    assert.equal(after.heartbeat(leader), errorCodes.NONE)
    assert.equal(after.sync(follower).now().assignment.toString(), 'other half')
    after.clock.advance(10_000)
    assert.equal(after.group.members.size, 0, 'nobody came back')
  })
})

describe('classic group: members whose connection is gone', () => {
  /** A stable group whose follower speaks on connection 2. */
  async function withFollowerOn2(graceMs: number): Promise<{
    h: Harness
    leader: JoinAnswer
    follower: JoinAnswer
  }> {
    const h = harness({ graceMs })
    const { leader, follower } = await stableGroup(h)
    h.group.seen(follower.memberId, 2)
    return { h, leader, follower }
  }

  it('are waited for no longer than the grace, by a rebalance that somebody else began', async () => {
    const { h, leader, follower } = await withFollowerOn2(5000)
    h.group.peerGone(2)
    assert.equal(h.group.state, 'Stable', 'a lost connection alone changes nothing')
    const again = h.join({ memberId: leader.memberId })
    h.clock.advance(4999)
    assert.equal(again.answer, undefined)
    h.clock.advance(1)
    assert.equal(again.now().members.length, 1)
    assert.equal(h.heartbeat(follower), errorCodes.UNKNOWN_MEMBER_ID)
  })

  it('are waited for again once they were heard of', async () => {
    const { h, leader, follower } = await withFollowerOn2(5000)
    h.group.peerGone(2)
    const again = h.join({ memberId: leader.memberId })
    h.clock.advance(3000)
    assert.equal(h.heartbeat(follower), errorCodes.REBALANCE_IN_PROGRESS)
    h.group.seen(follower.memberId, 3)
    h.clock.advance(5000)
    assert.equal(again.answer, undefined)
    h.join({ memberId: follower.memberId })
    assert.equal(again.now().members.length, 2)
  })

  it('have the whole grace from the moment it went', async () => {
    const { h, leader, follower } = await withFollowerOn2(5000)
    const again = h.join({ memberId: leader.memberId })
    h.clock.advance(3000)
    h.group.peerGone(2)
    h.clock.advance(4999)
    assert.equal(again.answer, undefined)
    h.group.seen(follower.memberId, 4)
    h.clock.advance(1)
    assert.equal(again.answer, undefined, 'it came back in time')
    h.group.peerGone(4)
    h.clock.advance(5000)
    assert.equal(again.now().members.length, 1)
  })

  it('are not waited for less because others went before them', async () => {
    const { h, leader, follower } = await withFollowerOn2(5000)
    h.group.peerGone(2)
    const again = h.join({ memberId: leader.memberId })
    h.clock.advance(4000)
    h.group.seen(follower.memberId, 4)
    h.group.peerGone(4)
    h.clock.advance(4999)
    assert.equal(again.answer, undefined)
    h.clock.advance(1)
    assert.equal(again.now().members.length, 1)
  })

  it('are not counted as joined when they went while they waited', async () => {
    const { h, leader, follower } = await withFollowerOn2(5000)
    h.join({ memberId: follower.memberId, peerId: 2, protocols: protocols('range') })
    h.group.peerGone(2)
    const again = h.join({ memberId: leader.memberId })
    h.clock.advance(5000)
    assert.equal(again.now().members.length, 1)
  })

  it('are waited for as long as Kafka would when they are static, or the grace is 0', async () => {
    const { h, leader } = await withFollowerOn2(0)
    h.group.peerGone(2)
    const again = h.join({ memberId: leader.memberId })
    h.clock.advance(9999)
    assert.equal(again.answer, undefined)

    const fixed = harness({ graceMs: 5000 })
    const blue = fixed.join(staticJoin('blue')).now()
    fixed.sync(blue, { [blue.memberId]: 'all' }, { instanceId: 'blue' })
    await settled()
    fixed.group.peerGone(1)
    const green = fixed.join(staticJoin('green', { peerId: 2 }))
    fixed.clock.advance(9000)
    assert.equal(green.answer, undefined)
  })

  it('of an earlier process are given the grace to come back', async () => {
    const before = harness()
    const { leader } = await stableGroup(before)
    const after = harness({ graceMs: 5000 })
    after.group.restore(before.group.saved())
    const newcomer = after.join({ peerId: 9, clientId: 'new' })
    after.group.seen(leader.memberId, 8)
    after.clock.advance(5000)
    assert.equal(newcomer.answer, undefined, 'the leader is back, and may rejoin')
    after.join({ memberId: leader.memberId, peerId: 8 })
    assert.equal(newcomer.now().generationId, leader.generationId + 1)
    assert.equal(after.group.members.size, 2, 'the follower is not')
  })
})
