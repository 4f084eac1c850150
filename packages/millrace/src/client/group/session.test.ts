import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { partitionKey, type TopicPartition } from './assignors/index.ts'
import { GroupSession, type SessionRules } from './session.ts'
import type { JoinAnswer, SessionAction, SessionEvent } from './session-messages.ts'

const p = (partition: number): TopicPartition => ({ topic: 'orders', partition })

/** A session with what it last asked, so that a test reads as a conversation. */
function talk(rules: Partial<SessionRules> = {}) {
  const session = new GroupSession({
    groupId: 'g',
    isStatic: false,
    isEager: false,
    sessionTimeoutMs: 45_000,
    heartbeatIntervalMs: 3000,
    rebalanceTimeoutMs: 60_000,
    backoffMs: (attempt) => attempt * 100,
    ...rules,
  })
  const request: Record<string, number> = {}
  const give = (event: SessionEvent): string[] => {
    const actions = session.take(event)
    for (const action of actions) if ('request' in action) request[action.act] = action.request
    return actions.map(show)
  }
  const joined = (more: Partial<JoinAnswer> = {}): string[] =>
    give({
      on: 'joined',
      request: request['join'] ?? 0,
      answer: {
        errorCode: 0,
        memberId: 'me',
        generation: 1,
        protocol: 'cooperative-sticky',
        leader: 'other',
        skipsAssignment: false,
        members: [],
        ...more,
      },
    })
  const synced = (partitions: readonly TopicPartition[], errorCode = 0): string[] =>
    give({ on: 'synced', request: request['sync'] ?? 0, errorCode, partitions })
  const beaten = (errorCode: number): string[] => {
    give({ on: 'timer', timer: 'heartbeat' })
    return give({ on: 'heartbeat-answered', request: request['heartbeat'] ?? 0, errorCode })
  }
  const steady = (partitions: readonly TopicPartition[], generation = 1): void => {
    give({ on: 'start' })
    joined({ generation })
    synced(partitions)
    assert.equal(session.phase, 'steady')
  }
  return { session, request, give, joined, synced, beaten, steady }
}

function names(list: readonly TopicPartition[]): string {
  return list.map((one) => one.partition).join(',')
}

function show(action: SessionAction): string {
  switch (action.act) {
    case 'join':
      return `join ${action.memberId || '-'} owning [${names(action.owned)}]`
    case 'sync':
      return `sync ${action.generation}`
    case 'heartbeat':
      return `heartbeat ${action.generation}`
    case 'take':
      return `take ${action.generation} +[${names(action.added)}] =[${names(action.kept)}]`
    case 'revoke':
      return `revoke [${names(action.partitions)}]`
    case 'lose':
      return `lose [${names(action.partitions)}] ${action.cause}`
    case 'start-timer':
      return `${action.timer} in ${action.delayMs}`
    case 'stop-timer':
      return `no ${action.timer}`
    case 'leave':
      return `leave ${action.memberId}`
    case 'fail':
      return `fail ${action.error.message}`
    case 'assign':
    case 'hang-up':
    case 'look-up':
    case 'closed':
      return action.act
  }
}

const quiet = (actions: readonly string[]): string[] =>
  actions.filter((action) => !/^(no )?(heartbeat|session|backoff)( in|$)/.test(action))

describe('group session', () => {
  it('joins again with the member id that the coordinator gave', () => {
    const { give, joined } = talk()
    assert.deepEqual(quiet(give({ on: 'start' })), ['join - owning []'])
    assert.deepEqual(quiet(joined({ errorCode: 79, memberId: 'me' })), ['join me owning []'])
    assert.deepEqual(quiet(joined()), ['sync 1'])
  })

  it('lets the leader assign before it syncs, but not one that may skip it', () => {
    const { give, joined, request } = talk()
    give({ on: 'start' })
    assert.deepEqual(quiet(joined({ leader: 'me' })), ['assign'])
    const assigned = { on: 'assigned', assignments: new Map() } as const
    assert.deepEqual(quiet(give({ ...assigned, request: request['assign'] ?? 0 })), ['sync 1'])
    const returned = talk()
    returned.give({ on: 'start' })
    assert.deepEqual(quiet(returned.joined({ leader: 'me', skipsAssignment: true })), ['sync 1'])
    assert.equal(returned.session.isLeader, true)
  })

  it('keeps partitions over a cooperative rebalance and frees the others before it joins again', () => {
    const { steady, beaten, joined, synced, give } = talk()
    steady([p(0), p(1), p(2)])
    assert.deepEqual(quiet(beaten(27)), ['join me owning [0,1,2]'])
    joined({ generation: 2 })
    assert.deepEqual(quiet(synced([p(0), p(3)])), ['take 2 +[3] =[0]', 'revoke [1,2]'])
    assert.deepEqual(quiet(give({ on: 'revoked' })), ['join me owning [0,3]'])
    joined({ generation: 3 })
    assert.deepEqual(quiet(synced([p(0), p(3)])), ['take 3 +[] =[0,3]'])
  })

  it('gives everything up before it joins when it is eager', () => {
    const { steady, beaten, give, joined, synced } = talk({ isEager: true })
    steady([p(0), p(1)])
    assert.deepEqual(quiet(beaten(27)), ['revoke [0,1]'])
    assert.deepEqual(quiet(beaten(27)), [], 'once')
    assert.deepEqual(quiet(give({ on: 'revoked' })), ['join me owning []'])
    joined({ generation: 2 })
    assert.deepEqual(quiet(synced([p(0)])), ['take 2 +[0] =[]'])
  })

  it('heartbeats while handlers finish, and by nothing but the timer', () => {
    const { steady, beaten, give } = talk({ isEager: true })
    steady([p(0)])
    beaten(27)
    assert.deepEqual(give({ on: 'timer', timer: 'heartbeat' }), [
      'heartbeat in 3000',
      'heartbeat 1',
    ])
    assert.deepEqual(
      give({ on: 'timer', timer: 'heartbeat' }),
      ['heartbeat in 3000'],
      'one at once',
    )
  })

  it('loses everything on an ended generation and keeps its member id', () => {
    const { steady, beaten } = talk()
    steady([p(0), p(1)])
    assert.deepEqual(quiet(beaten(22)), ['lose [0,1] generation', 'join me owning []'])
  })

  it('loses everything and its member id when the coordinator does not know it', () => {
    const { steady, beaten } = talk()
    steady([p(0)])
    assert.deepEqual(quiet(beaten(25)), ['lose [0] member', 'join - owning []'])
  })

  it('ends when it is fenced, wherever that is said', () => {
    const beat = talk({ isStatic: true })
    beat.steady([p(0)])
    assert.match(quiet(beat.beaten(82)).join(' | '), /^lose \[0\] fenced \| fail .*FENCED_INSTANCE/)
    const join = talk({ isStatic: true })
    join.give({ on: 'start' })
    assert.match(quiet(join.joined({ errorCode: 82 })).join(), /^fail /)
    const sync = talk({ isStatic: true })
    sync.give({ on: 'start' })
    sync.joined()
    assert.match(quiet(sync.synced([], 82)).join(), /^fail /)
    const commit = talk({ isStatic: true })
    commit.steady([p(0)])
    const refused = commit.give({ on: 'commit-refused', generation: 1, errorCode: 82 })
    assert.match(quiet(refused).join(' | '), /^lose \[0\] fenced \| fail /)
    assert.equal(commit.session.phase, 'failed')
  })

  it('believes a refused commit, unless it was of an older generation', () => {
    const { steady, give } = talk()
    steady([p(0)], 5)
    assert.deepEqual(give({ on: 'commit-refused', generation: 4, errorCode: 22 }), [])
    const refused = give({ on: 'commit-refused', generation: 5, errorCode: 22 })
    assert.deepEqual(quiet(refused), ['lose [0] generation', 'join me owning []'])
  })

  it('looks for the coordinator again when it has moved, and stays a member', () => {
    const { steady, beaten, give } = talk()
    steady([p(0)])
    assert.deepEqual(beaten(16), ['look-up', 'heartbeat in 100'])
    assert.deepEqual(give({ on: 'timer', timer: 'heartbeat' }).slice(1), ['heartbeat 1'])
  })

  it('gives up its partitions when the coordinator has been silent for a session', () => {
    const { steady, give, request, session } = talk()
    steady([p(0)])
    give({ on: 'timer', timer: 'heartbeat' })
    give({ on: 'unanswered', request: request['heartbeat'] ?? 0 })
    assert.equal(session.owned.length, 1)
    const fired = quiet(give({ on: 'timer', timer: 'session' }))
    assert.deepEqual(fired, ['lose [0] session', 'join me owning []'])
  })

  it('survives a lost connection at each step of joining', () => {
    const { give, joined, request, synced, session } = talk()
    give({ on: 'start' })
    assert.deepEqual(give({ on: 'unanswered', request: request['join'] ?? 0 }), [
      'look-up',
      'backoff in 100',
    ])
    give({ on: 'timer', timer: 'backoff' })
    joined({ leader: 'me' })
    assert.deepEqual(give({ on: 'unanswered', request: request['assign'] ?? 0 }), [
      'backoff in 200',
    ])
    give({ on: 'timer', timer: 'backoff' })
    joined()
    give({ on: 'unanswered', request: request['sync'] ?? 0 })
    give({ on: 'timer', timer: 'backoff' })
    joined()
    synced([p(0)])
    assert.equal(session.phase, 'steady')
  })

  it('does not restart the clock of a lost coordinator with every try', () => {
    const { steady, beaten, give, request } = talk()
    steady([p(0)])
    beaten(27)
    const first = give({ on: 'unanswered', request: request['join'] ?? 0 })
    assert.ok(first.includes('session in 45000'))
    for (let attempt = 0; attempt < 3; attempt++) {
      const retry = give({ on: 'timer', timer: 'backoff' })
      const again = give({ on: 'unanswered', request: request['join'] ?? 0 })
      assert.ok(![...retry, ...again].some((action) => action.startsWith('session')))
    }
  })

  it('ignores answers to what it no longer asks', () => {
    const { steady, give, request, session } = talk()
    steady([p(0)])
    const old = request['join'] ?? 0
    give({ on: 'joined', request: old, answer: { ...anAnswer, generation: 9 } })
    give({ on: 'synced', request: old, errorCode: 25, partitions: [] })
    assert.equal(session.generation, 1)
    assert.deepEqual(session.owned, [p(0)])
  })

  it('joins again when partitions were added, at once or after the rebalance in hand', () => {
    const { steady, give, joined, synced } = talk()
    steady([p(0)])
    assert.deepEqual(quiet(give({ on: 'partitions-changed' })), ['join me owning [0]'])
    assert.deepEqual(quiet(give({ on: 'partitions-changed' })), [])
    joined({ generation: 2 })
    assert.deepEqual(quiet(synced([p(0)])), ['take 2 +[] =[0]', 'join me owning [0]'])
  })

  it('waits for handlers before it leaves, and a static member does not leave', () => {
    const { steady, give } = talk()
    steady([p(0)])
    assert.deepEqual(quiet(give({ on: 'close' })), ['revoke [0]'])
    assert.deepEqual(quiet(give({ on: 'revoked' })), ['leave me'])
    assert.deepEqual(quiet(give({ on: 'left' })), ['closed'])
    const fixed = talk({ isStatic: true })
    fixed.steady([p(0)])
    fixed.give({ on: 'close' })
    assert.deepEqual(quiet(fixed.give({ on: 'revoked' })), ['closed'])
  })

  it('hangs up on a waiting join when it closes', () => {
    const { steady, beaten, give, session } = talk()
    steady([p(0)])
    beaten(27)
    assert.deepEqual(quiet(give({ on: 'close' })), ['hang-up', 'revoke [0]'])
    assert.equal(session.mayCommit, true)
    assert.deepEqual(quiet(give({ on: 'revoked' })), ['leave me'])
  })

  it('closes from every state', () => {
    const steps: readonly ((one: ReturnType<typeof talk>) => unknown)[] = [
      (one) => one.give({ on: 'start' }),
      (one) => one.joined({ leader: 'me', errorCode: 79 }),
      (one) => one.joined({ leader: 'me' }),
      (one) =>
        one.give({ on: 'assigned', request: one.request['assign'] ?? 0, assignments: new Map() }),
      (one) => one.synced([p(0), p(1)]),
      (one) => one.beaten(27),
      (one) => one.joined({ generation: 2 }),
      (one) => one.synced([p(0)]),
      (one) => one.give({ on: 'revoked' }),
      (one) => one.give({ on: 'unanswered', request: one.request['join'] ?? 0 }),
    ]
    for (let count = 0; count <= steps.length; count++) {
      const one = talk()
      for (const step of steps.slice(0, count)) step(one)
      one.give({ on: 'close' })
      one.give({ on: 'revoked' })
      one.give({ on: 'revoked' })
      one.give({ on: 'left' })
      assert.equal(one.session.phase, 'closed', `after ${count} steps`)
      assert.deepEqual(
        one.session.owned.map((at) => partitionKey(at.topic, at.partition)),
        [],
      )
    }
  })
})

const anAnswer: JoinAnswer = {
  errorCode: 0,
  memberId: 'me',
  generation: 1,
  protocol: 'range',
  leader: 'other',
  skipsAssignment: false,
  members: [],
}
