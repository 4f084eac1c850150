import assert from 'node:assert/strict'
import { describe, it } from 'node:test'

import * as fc from 'fast-check'

import { driveConsumer, type Drive } from '../../testing/drive-consumer.ts'
import { defineConsumer, defineTopic, failed, retry, skip, text, type Message } from '../index.ts'
import { splitMetadata } from '../../client/index.ts'

const events = defineTopic('events', { key: text() })
const partitions = [0, 1]

/** What happens next: messages come, time passes, a partition goes or the process dies. */
const step = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      kind: fc.constant('deliver' as const),
      partition: fc.nat(1),
      keys: fc.array(fc.constantFrom('a', 'b', 'c', 'd', null), { minLength: 1, maxLength: 6 }),
    }),
  },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('advance' as const), ms: fc.nat(4000) }) },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('revoke' as const), partition: fc.nat(1) }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('lose' as const), partition: fc.nat(1) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('crash' as const) }) },
)
type Step = typeof step extends fc.Arbitrary<infer S> ? S : never

/** What the n-th handler call does. */
const behaviour = fc.constantFrom(
  'return',
  'return',
  'throw',
  'retry',
  'skip',
  'wait',
  'long',
  'some',
)

interface Case {
  readonly form: 'each' | 'batch'
  readonly steps: readonly Step[]
  readonly behaviours: readonly string[]
  readonly hasDeadLetter: boolean
  readonly lanes: number
  readonly window: number
}

describe('invariants of lanes, over random handlers, failures, rebalances and crashes', () => {
  for (const form of ['each', 'batch'] as const) {
    it(`hold in the form ${form}`, async () => {
      const any = fc.record<Case>({
        form: fc.constant(form),
        steps: fc.array(step, { maxLength: 25 }),
        behaviours: fc.array(behaviour, { minLength: 1, maxLength: 20 }),
        hasDeadLetter: fc.boolean(),
        lanes: fc.integer({ min: 2, max: 5 }),
        window: fc.constantFrom(5, 10, 10_000),
      })
      await fc.assert(fc.asyncProperty(any, run), { numRuns: 80 })
    })
  }
})

const turns = async (count: number): Promise<void> => {
  for (let turn = 0; turn < count; turn++) await new Promise((resolve) => setImmediate(resolve))
}

class Log {
  readonly done = new Set<number>()
  /** Of the tenure at hand. */
  running = new Set<number>()
  readonly keyAt = new Map<number, string | null>()

  before(key: string | null, offset: number): number[] {
    if (key === null) return []
    return [...this.keyAt].flatMap(([at, own]) => (own === key && at < offset ? [at] : []))
  }
}

async function run({ form, steps, behaviours, hasDeadLetter, lanes, window }: Case): Promise<void> {
  const logs = partitions.map(() => new Log())
  let calls = 0
  let running = new Map<number, number>()

  // Thrown in a handler they would be failed attempts.
  const violations: unknown[] = []
  const look = (messages: readonly Message<typeof events>[], log: Log, busy: number): void => {
    assert.ok(busy <= lanes, 'no more handlers than lanes')
    const inJob = new Set(messages.map(({ offset }) => offset))
    for (const { key, offset, partition } of messages) {
      assert.ok(!log.running.has(offset), `one attempt at a time at ${partition}/${offset}`)
      assertNotCommitted(drive, partition, offset)
      for (const before of log.before(key, offset))
        assert.ok(
          log.done.has(before) || inJob.has(before),
          `${partition}/${offset} of key ${key} began before ${before} was finished`,
        )
    }
  }
  const handle = async (messages: readonly Message<typeof events>[]): Promise<unknown> => {
    const { partition } = messages[0]!
    const log = logs[partition]!
    const tenure = log.running
    const counts = running
    counts.set(partition, (counts.get(partition) ?? 0) + 1)
    try {
      look(messages, log, counts.get(partition)!)
    } catch (error) {
      violations.push(error)
    }
    for (const { offset } of messages) tenure.add(offset)
    const finish = (some = messages): void => {
      for (const { offset } of some) log.done.add(offset)
    }
    try {
      switch (behaviours[calls++ % behaviours.length] ?? 'return') {
        case 'throw':
          throw new Error('random')
        case 'retry':
          return retry()
        case 'wait':
          await Promise.resolve()
          break
        case 'long':
          await turns(3)
          break
        case 'skip':
          finish()
          return skip('random')
        case 'some': {
          const bad = messages.filter(({ offset }) => offset % 2 === 1)
          if (form === 'each' && bad.length > 0) throw new Error('odd')
          finish(messages.filter(({ offset }) => offset % 2 === 0))
          return bad.length === 0
            ? undefined
            : failed(bad.map((message) => ({ message, error: new Error('odd') })))
        }
        default:
          break
      }
      finish()
      return undefined
    } finally {
      for (const { offset } of messages) tenure.delete(offset)
      counts.set(partition, (counts.get(partition) ?? 1) - 1)
    }
  }
  const settings = {
    topic: events,
    backoff: '1s',
    commit: { interval: '2s' },
    maxMessages: 4,
    concurrency: lanes,
    window,
    deadLetter: hasDeadLetter ? ({ storm: false } as const) : false,
    retries: hasDeadLetter ? 1 : Infinity,
  }
  const consumer =
    form === 'each'
      ? defineConsumer({ ...settings, each: (message) => handle([message]) })
      : defineConsumer({ ...settings, batch: (messages) => handle([...messages]) })
  await using drive = driveConsumer(consumer)

  const push = drive.deadLetters.push.bind(drive.deadLetters)
  drive.deadLetters.push = (...letters) => {
    for (const { headers } of letters)
      logs[Number(headers['millrace-source-partition'])]!.done.add(
        Number(headers['millrace-source-offset']),
      )
    return push(...letters)
  }
  const check = (): void => {
    if (violations.length > 0) throw violations[0]
    for (const [partition, { done }] of logs.entries()) {
      const committed = drive.committed(partition) ?? 0
      for (let offset = 0; offset < committed; offset++)
        assert.ok(done.has(offset), `committed ${committed} past unfinished ${offset}`)
      for (const offset of committedAhead(drive, partition))
        assert.ok(done.has(offset), `committed ${offset} as finished, which it was not`)
    }
  }

  for (const one of steps) {
    if (one.kind === 'deliver') {
      const { partition, keys } = one
      const log = logs[partition]!
      for (const key of keys) log.keyAt.set(log.keyAt.size, key)
      await drive.deliver(...keys.map((key) => ({ partition, key, value: 1 })))
    } else if (one.kind === 'advance') await drive.advance(one.ms)
    else if (one.kind === 'revoke') await drive.revoke(one.partition)
    else {
      // What runs on in the old tenure is somebody else's affair.
      for (const log of logs) log.running = new Set()
      running = new Map()
      if (one.kind === 'lose') await drive.lose(one.partition)
      else drive.crash()
      await drive.settle()
    }
    check()
  }
  const mayEnd = behaviours.some((what) => !['throw', 'retry', 'some'].includes(what))
  if (!mayEnd && !hasDeadLetter) return
  for (const [partition, { keyAt }] of logs.entries()) if (keyAt.size > 0) drive.owner(partition)
  // What a handler of an earlier tenure has done counts for nothing, so the commit says when it is over.
  const isLeft = (): boolean =>
    logs.some(({ keyAt }, partition) => (drive.committed(partition) ?? 0) < keyAt.size)
  for (let rounds = 0; rounds < 400 && isLeft(); rounds++) await drive.advance('31s')
  check()
  for (const [partition, { done, keyAt }] of logs.entries()) {
    assert.equal(done.size, keyAt.size, 'nothing is skipped, nothing is forgotten')
    assert.equal(drive.committed(partition) ?? 0, keyAt.size)
  }
}

function committedAhead(drive: Drive, partition: number): number[] {
  const { runs } = splitMetadata(
    drive.committedMetadata(partition) ?? '',
    drive.committed(partition) ?? -1,
  )
  const offsets: number[] = []
  for (let index = 0; index < runs.length; index += 2)
    for (let offset = runs[index]!; offset < runs[index + 1]!; offset++) offsets.push(offset)
  return offsets
}

function assertNotCommitted(drive: Drive, partition: number, offset: number): void {
  assert.ok(offset >= (drive.committed(partition) ?? 0), `${offset} was committed before`)
  assert.ok(
    !committedAhead(drive, partition).includes(offset),
    `${offset} was committed as finished above a gap, and is handed over again`,
  )
}
