import assert from 'node:assert/strict'
import { describe, it } from 'node:test'

import * as fc from 'fast-check'

import { driveConsumer } from '../../testing/drive-consumer.ts'
import { defineConsumer, defineTopic, retry, skip } from '../index.ts'

const events = defineTopic('events')

/** What happens next: messages come, time passes, a partition goes or the process dies. */
const step = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({ kind: fc.constant('deliver' as const), partition: fc.nat(2) }),
  },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('advance' as const), ms: fc.nat(4000) }) },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('revoke' as const), partition: fc.nat(2) }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('lose' as const), partition: fc.nat(2) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('crash' as const) }) },
)

/** What the n-th handler call does. */
const behaviour = fc.constantFrom('return', 'return', 'return', 'throw', 'retry', 'skip', 'wait')

describe('invariants of the worker, over random handlers, failures, rebalances and crashes', () => {
  for (const form of ['each', 'batch'] as const) {
    it(`hold in the form ${form}`, async () => {
      await fc.assert(
        fc.asyncProperty(
          fc.array(step, { maxLength: 25 }),
          fc.array(behaviour, { minLength: 1, maxLength: 20 }),
          fc.boolean(),
          async (steps, behaviours, hasDeadLetter) => {
            await run(form, steps, behaviours, hasDeadLetter)
          },
        ),
        { numRuns: 60 },
      )
    })
  }
})

type Step = typeof step extends fc.Arbitrary<infer S> ? S : never

async function run(
  form: 'each' | 'batch',
  steps: readonly Step[],
  behaviours: readonly string[],
  hasDeadLetter: boolean,
): Promise<void> {
  let calls = 0
  /** Finished for good: returned, skipped, or a dead letter. By partition. */
  const done = new Map<number, Set<number>>()
  const running = new Map<number, number>()
  const doneIn = (partition: number): Set<number> => {
    const known = done.get(partition) ?? new Set()
    done.set(partition, known)
    return known
  }
  // Thrown in a handler they would be failed attempts.
  const violations: unknown[] = []
  const handle = async (partition: number, offsets: readonly number[]): Promise<unknown> => {
    const inPartition = (running.get(partition) ?? 0) + 1
    running.set(partition, inPartition)
    try {
      assert.equal(inPartition, 1, 'one attempt at a time in a partition')
      const first = offsets[0] ?? 0
      for (let before = 0; before < first; before++)
        assert.ok(
          doneIn(partition).has(before),
          `${partition}/${first} began before ${before} was finished`,
        )
    } catch (error) {
      violations.push(error)
    }
    try {
      switch (behaviours[calls++ % behaviours.length]) {
        case 'throw':
          throw new Error('random')
        case 'retry':
          return retry()
        case 'wait':
          await Promise.resolve()
          break
        case 'skip':
          for (const offset of offsets) doneIn(partition).add(offset)
          return skip('random')
        case 'return':
        case undefined:
          break
      }
      for (const offset of offsets) doneIn(partition).add(offset)
      return undefined
    } finally {
      running.set(partition, 0)
    }
  }
  const settings = {
    topic: events,
    backoff: '1s',
    commit: { interval: '2s' },
    maxMessages: 4,
    deadLetter: hasDeadLetter ? ({ storm: false } as const) : false,
    retries: hasDeadLetter ? 1 : Infinity,
  }
  const consumer =
    form === 'each'
      ? defineConsumer({
          ...settings,
          each: ({ partition, offset }) => handle(partition, [offset]),
        })
      : defineConsumer({
          ...settings,
          batch: (messages) =>
            handle(
              messages.first.partition,
              Array.from(messages, ({ offset }) => offset),
            ),
        })
  await using drive = driveConsumer(consumer)
  let letters = 0
  const check = (): void => {
    if (violations.length > 0) throw violations[0]
    for (const letter of drive.deadLetters.slice(letters)) {
      const at = Number(letter.headers['millrace-source-offset'])
      doneIn(Number(letter.headers['millrace-source-partition'])).add(at)
    }
    letters = drive.deadLetters.length
    for (const partition of [0, 1, 2]) {
      const committed = drive.committed(partition)
      for (let offset = 0; offset < (committed ?? 0); offset++)
        assert.ok(doneIn(partition).has(offset), `committed ${committed} past unfinished ${offset}`)
    }
  }
  // Dead letters finish their message between two handler calls, so the handler must see them too.
  const push = drive.deadLetters.push.bind(drive.deadLetters)
  drive.deadLetters.push = (...all) => {
    const size = push(...all)
    check()
    return size
  }

  for (const one of steps) {
    if (one.kind === 'deliver') await drive.deliver({ value: 1, partition: one.partition })
    else if (one.kind === 'advance') await drive.advance(one.ms)
    else if (one.kind === 'revoke') await drive.revoke(one.partition)
    else if (one.kind === 'lose') await drive.lose(one.partition)
    else {
      drive.crash()
      await drive.settle()
    }
    check()
  }
  const mayEnd = behaviours.some((what) => what !== 'throw' && what !== 'retry') || hasDeadLetter
  if (!mayEnd) return
  const sent = [0, 1, 2].map((partition) => {
    const deliveries = steps.filter(
      (one) => one.kind === 'deliver' && one.partition === partition,
    ).length
    // What was taken away is given to somebody at last.
    if (deliveries > 0) drive.owner(partition)
    return deliveries
  })
  const isLeft = (): boolean => sent.some((count, partition) => doneIn(partition).size < count)
  for (let rounds = 0; rounds < 200 && isLeft(); rounds++) await drive.advance('31s')
  check()
  for (const [partition, count] of sent.entries())
    assert.equal(doneIn(partition).size, count, 'nothing is skipped, nothing is forgotten')
}
