import assert from 'node:assert/strict'
import { describe, it } from 'node:test'

import { failure } from '../../errors/index.ts'
import { events } from '../../telemetry/index.ts'
import type { Logger } from '../ports.ts'
import { installLog } from './install-log.ts'

const groupId = 'shop_log-test'
const clientId = 'log-test'
const place = {
  group: 'accounts',
  groupId,
  consumer: 'UsersConsumer',
  topic: 'users',
  partition: 0,
}
const at = { topic: 'users', partition: 0, offset: 42 }
const job = { ...place, offset: 42, messages: 1, attempt: 3 }
const finished = { ...job, durationMs: 70, result: 'done', timeLagMs: 5, lag: 1 } as const
const member = { clientId, groupId, memberId: 'MEMBER', generation: 3 }
const commit = { ...member, offsets: [{ ...at, offset: 43 }], latencyMs: 1 }
const broker = { clientId, broker: 'HOST:9092', node: 0 }
const refused = failure('MR_APP_STOP_ASKED', { ...at, reason: 'the disk is full' })

interface Heard {
  readonly level: string
  readonly text: string
  readonly fields: object
}

function heard(level: string, isDevelopment: boolean, publish: () => void): readonly Heard[] {
  const lines: Heard[] = []
  const keep =
    (name: string) =>
    (fields: object, text: string): void =>
      void lines.push({ level: name, text, fields })
  const logger: Logger = {
    debug: keep('debug'),
    info: keep('info'),
    warn: keep('warn'),
    error: keep('error'),
  }
  const end = installLog(logger, { groupIds: new Set([groupId]), clientId, isDevelopment, level })
  try {
    publish()
  } finally {
    end()
  }
  return lines
}

const assign = (): void =>
  events.groupAssigned.publish({ ...member, added: [{ topic: 'users', partition: 0 }], kept: [] })

/** At debug, after an assignment. */
function texts(isDevelopment: boolean, publish: () => void): readonly string[] {
  const publishAll = (): void => {
    assign()
    publish()
  }
  const lines = heard('debug', isDevelopment, publishAll)
  return lines.slice(1).map(({ level, text }) => `${level} ${text}`)
}

const prefix = `[${groupId}] {users: 0} `

/** Moment, what happens, the line elsewhere, and its level in development where it differs. */
const rows: readonly (readonly [
  moment: string,
  publish: () => void,
  line: string,
  inDevelopment?: 'info',
])[] = [
  [
    'start',
    () =>
      events.appRunning.publish({
        pid: 7,
        groups: ['accounts'],
        topics: ['users'],
        brokers: ['HOST:9092'],
      }),
    'info Worker 7 running: groups accounts; topics users; brokers HOST:9092',
  ],
  [
    'signal',
    () => events.processSignal.publish({ signal: 'SIGTERM', action: 'stopping' }),
    'info Received SIGTERM, stopping',
  ],
  [
    'stop',
    () => events.appStopped.publish({ pid: 7, durationMs: 12.4, exitCode: 0 }),
    'info Worker 7 stopped after 12 ms',
  ],
  ['joined', assign, `info ${prefix}Joined as MEMBER, generation 3, assigned users/0`],
  [
    'produced',
    () =>
      events.producerAppended.publish({
        ...broker,
        ...at,
        count: 1,
        bytes: 90,
        attempts: 1,
        deliveryMs: 2,
        ackMs: 1,
        bufferedBytes: 90,
        bufferBytes: 1000,
      }),
    'debug Appended 1 message to users/0:42 on HOST:9092 (node 0)',
    'info',
  ],
  [
    'fetching',
    () =>
      events.fetchReceived.publish({
        ...broker,
        partitions: 1,
        messages: 1,
        bytes: 90,
        latencyMs: 3,
      }),
    'debug Fetched 1 message from HOST:9092 in 3 ms',
  ],
  [
    'fetching in vain',
    () =>
      events.fetchReceived.publish({
        ...broker,
        partitions: 1,
        messages: 0,
        bytes: 0,
        latencyMs: 500.3,
      }),
    'debug Fetched none from HOST:9092 in 500 ms',
  ],
  [
    'decoded',
    () => events.messageDecoded.publish({ ...at, durationMs: 0.2 }),
    'debug Decoded users/0:42 in 0 ms',
  ],
  [
    'processed',
    () => events.jobFinished.publish(finished),
    `info ${prefix}UsersConsumer processed 1 message of users/0:42 in 70 ms`,
  ],
  [
    'marked',
    () => events.offsetsMarked.publish({ ...place, offset: 42 }),
    `debug ${prefix}Marked users/0:42`,
    'info',
  ],
  [
    'committed',
    () => events.offsetsCommitted.publish(commit),
    `info ${prefix}Committed users/0:43`,
  ],
  [
    'heartbeat',
    () => events.heartbeat.publish({ ...member, errorCode: 0, latencyMs: 1 }),
    `debug ${prefix}Heartbeat, generation 3`,
  ],
  [
    'failed',
    () => events.consumerFailed.publish({ ...job, error: new TypeError('taken'), nextInMs: 4000 }),
    `error ${prefix}UsersConsumer failed on users/0 at offset 42, attempt 3, next in 4 s -- TypeError: taken`,
  ],
  [
    'failed for good',
    () =>
      events.consumerFailed.publish({ ...job, error: new TypeError('taken'), nextInMs: undefined }),
    `error ${prefix}UsersConsumer failed on users/0 at offset 42, attempt 3 -- TypeError: taken`,
  ],
  [
    'asked for another try',
    () => {
      const error = failure('MR_APP_RETRY_ASKED', { ...at, consumer: 'UsersConsumer' })
      events.consumerFailed.publish({ ...job, error, nextInMs: 30_000 })
    },
    `info ${prefix}UsersConsumer asked to see users/0 at offset 42 again, attempt 3, next in 30 s`,
  ],
  [
    'retried',
    () => events.consumerRetrying.publish({ ...job, attempt: 4 }),
    `info ${prefix}Retrying UsersConsumer on users/0 from offset 42, attempt 4`,
  ],
  [
    'blocked',
    () =>
      events.partitionBlocked.publish({
        ...place,
        offset: 42,
        code: 'CODE',
        error: new Error('x'),
      }),
    `error ${prefix}Blocked users/0 at offset 42: CODE`,
  ],
  [
    'dead letter',
    () => {
      const to = { topic: 'users-dlt', partition: 0, offset: 0 }
      const error = new TypeError('taken')
      const letter = { offset: 42, attempts: 4, reason: 'error', error, to }
      events.deadletterSent.publish({ ...place, ...letter })
    },
    `warn ${prefix}Sent users/0:42 to users-dlt/0 after 4 attempts: TypeError`,
  ],
  [
    'delivery trouble',
    () =>
      events.producerRetried.publish({
        clientId,
        topic: 'users',
        partition: 0,
        count: 1,
        attempt: 2,
        delayMs: 100,
        reason: 'no leader',
      }),
    'warn Delivery to users failed, attempt 2: no leader',
  ],
  [
    'given up',
    () =>
      events.producerFailed.publish({
        clientId,
        topic: 'users',
        partition: 0,
        count: 2,
        error: new Error('too late'),
        isOutcomeKnown: true,
      }),
    'error Gave up 2 messages for users: Error: too late',
  ],
  [
    'broker away',
    () =>
      events.clusterUnreachable.publish({
        clientId,
        cluster: 'main',
        addresses: ['HOST:9092'],
        reason: 'refused',
      }),
    'error Cluster main unreachable: refused',
  ],
  [
    'broker back',
    () => events.clusterReachable.publish({ ...broker, cluster: 'main', unreachableMs: 8000 }),
    'info Cluster main reachable again after 8 s',
  ],
  [
    'forced stop',
    () =>
      events.appForced.publish({
        running: ['UsersConsumer users/0:42 for 61 s'],
        error: refused,
      }),
    'error Forced stop; still running: UsersConsumer users/0:42 for 61 s',
  ],
  [
    'stuck',
    () => events.partitionStuck.publish({ ...place, offset: 42, attempts: 14, forMs: 300_000 }),
    `error ${prefix}Stuck: UsersConsumer has failed on users/0 at offset 42 for 5m, 14 attempts`,
  ],
  [
    'moved aside',
    () =>
      events.retryTopicSent.publish({
        ...place,
        offset: 42,
        attempts: 1,
        error: new TypeError('taken'),
        to: { topic: 'users-retry-accounts-30s', partition: 0, offset: 0 },
        nextTryAtMs: 0,
      }),
    `warn ${prefix}Moved users/0:42 to users-retry-accounts-30s/0 after 1 attempt: TypeError`,
  ],
  [
    'done before',
    () => events.consumerDuplicate.publish({ ...place, offset: 42, id: '7' }),
    `debug ${prefix}Done before: users/0:42 (7)`,
    'info',
  ],
  [
    'outbox',
    () =>
      events.outboxFailed.publish({
        outbox: 'millrace_outbox',
        id: '7',
        topic: 'users',
        error: new Error('too large'),
      }),
    'error Row 7 of millrace_outbox for users was refused for good -- Error: too large',
  ],
  [
    'recurring',
    () =>
      events.recurringRan.publish({
        job: 'reindex',
        reason: 'due',
        dueMs: 0,
        lateMs: 0,
        durationMs: 12,
      }),
    'info Ran reindex in 12 ms (due)',
  ],
  [
    'blocked loop',
    () =>
      events.processLoopDelay.publish({ delayMs: 1500, jobs: ['UsersConsumer'], isGrave: false }),
    'warn The event loop was blocked for 1500 ms; running: UsersConsumer',
  ],
  [
    'blocked loop for half a session',
    () => events.processLoopDelay.publish({ delayMs: 23_000, jobs: [], isGrave: true }),
    'error The event loop was blocked for 23000 ms; running: none',
  ],
]

describe('log lines', () => {
  for (const [moment, publish, line, inDevelopment] of rows) {
    it(`${moment}: ${line}`, () => {
      assert.deepEqual(texts(false, publish), [line])
      const local = inDevelopment === undefined ? line : line.replace(/^\w+/, inDevelopment)
      assert.deepEqual(texts(true, publish), [local])
    })
  }

  it('responded: the data is told at debug alone', () => {
    const publish = (): void => {
      const data = { email: 'ada@example.com' }
      const consumer = 'UsersConsumer'
      const responder = 'UsersResponder'
      events.responderResponded.publish({ responder, consumer, topics: { welcomed: 1 }, data })
    }
    const told = heard('info', true, publish)
    assert.deepEqual(
      told.map(({ text }) => text),
      ['Responded from UsersConsumer: 1 to welcomed'],
    )
    assert.doesNotMatch(JSON.stringify(told), /ada@/)
    assert.match(JSON.stringify(heard('debug', true, publish)), /ada@/)
  })

  it('a position that is committed again is no news', () => {
    const twice = (): void => {
      events.offsetsCommitted.publish(commit)
      events.offsetsCommitted.publish({ ...commit })
    }
    assert.deepEqual(texts(false, twice), [
      `info ${prefix}Committed users/0:43`,
      `debug ${prefix}Committed again users/0:43`,
    ])
    const atInfo = heard('info', false, twice).map(({ text }) => text)
    assert.deepEqual(atInfo, [`[${groupId}] {} Committed users/0:43`])
  })

  it('a position that was found at the start is no news either, until it was elsewhere', () => {
    const commitAt = (offset: number, found: number): void =>
      events.offsetsCommitted.publish({
        ...commit,
        offsets: [{ topic: 'users', partition: 0, offset, found }],
      })
    const lines = texts(false, () => {
      commitAt(42, 42)
      commitAt(43, 42)
      commitAt(43, 42)
      commitAt(43, 50)
      commitAt(50, 50)
    })
    assert.deepEqual(
      lines.map((line) => line.replace(prefix, '')),
      [
        'debug Committed again users/0:42',
        'info Committed users/0:43',
        'debug Committed again users/0:43',
        'info Committed users/0:43',
        'info Committed users/0:50',
      ],
    )
  })

  it('hold for programs what they say to people', () => {
    const lines = heard('info', false, () => {
      assign()
      events.consumerFailed.publish({ ...job, error: refused, nextInMs: 1 })
    })
    assert.deepEqual(lines[1]?.fields, {
      group: groupId,
      assigned: { users: [0] },
      consumer: 'UsersConsumer',
      ...at,
      attempt: 3,
      err: refused,
    })
  })

  it('tell an error once, whatever else tells of it', () => {
    const error = failure('MR_GROUP_CLOSED', { groupId })
    const failed = { clientId, topic: 'users', partition: 0, count: 1, isOutcomeKnown: true }
    const lines = texts(false, () => {
      events.groupFailed.publish({ ...member, error })
      events.error.publish({ type: 'worker', error })
      const late = new Error('too late')
      events.producerFailed.publish({ ...failed, error: late })
      for (let message = 0; message < 3; message++)
        events.error.publish({ type: 'producer', error: late })
      const hook = new Error('hook')
      events.error.publish({ type: 'hook.tick', error: hook })
      events.error.publish({ type: 'worker', error: hook })
      events.error.publish({ type: 'consumer', error: refused })
    })
    assert.deepEqual(
      lines.map((line) => line.replace(prefix, '')),
      [
        `error Left the group for good -- UsageError: ${error.message}`,
        'error Gave up 1 message for users: Error: too late',
        'error hook.tick: Error: hook',
      ],
    )
  })

  it('are silent about a letter that the handler asked for, until it is sent', () => {
    const error = failure('MR_APP_DEAD_LETTER_ASKED', { ...at, reason: 'no mailbox' })
    const publish = (): void =>
      events.consumerFailed.publish({ ...job, error, nextInMs: undefined })
    assert.deepEqual(texts(true, publish), [])
  })

  it('are not even subscribed to below the level', () => {
    const lines = heard('error', false, () => {
      assert.equal(events.jobFinished.isHeard, false)
      assert.equal(events.fetchReceived.isHeard, false)
      events.consumerFailed.publish({ ...job, error: new Error('no'), nextInMs: undefined })
    })
    assert.equal(lines.length, 1)
  })

  it('are silent about other groups, and at the level silent', () => {
    const publish = (): void =>
      events.consumerFailed.publish({ ...job, groupId: 'other', error: 1, nextInMs: 1 })
    assert.deepEqual(heard('debug', true, publish), [])
    const ours = (): void => events.consumerFailed.publish({ ...job, error: 1, nextInMs: 1 })
    assert.deepEqual(heard('silent', true, ours), [])
  })
})
