import assert from 'node:assert/strict'
import { describe, it } from 'node:test'

import fc from 'fast-check'

import { events } from '../../telemetry/index.ts'
import { driveConsumer } from '../../testing/index.ts'
import {
  deadLetter,
  defineConsumer,
  defineTopic,
  errorTracker,
  failed,
  retry,
  skip,
  type Logger,
} from '../index.ts'
import { installLog } from '../log/install-log.ts'
import { trackErrors } from './track-errors.ts'

const orders = defineTopic('orders')

/** What a handler does with one attempt of a message. */
const step = fc.constantFrom<Step[]>('throw', 'retry', 'reject later', 'ok', 'skip', 'letter')
type Step = 'throw' | 'retry' | 'reject later' | 'ok' | 'skip' | 'letter'

interface Seen {
  readonly lines: { readonly level: string; readonly error: unknown }[]
  readonly published: unknown[]
  readonly tracked: unknown[]
}

/** Log, monitor and tracker, each with what they were told. */
function listen(): Seen & Disposable {
  const seen: Seen = { lines: [], published: [], tracked: [] }
  const at =
    (level: string) =>
    (fields: object): void =>
      void seen.lines.push({ level, error: 'err' in fields ? fields.err : undefined })
  const logger: Logger = {
    debug: at('debug'),
    info: at('info'),
    warn: at('warn'),
    error: at('error'),
  }
  const all = { has: () => true } as unknown as ReadonlySet<string>
  const rules = { groupIds: all, clientId: 'x', isDevelopment: true, level: 'debug' }
  const tracker = errorTracker({ captureException: (error) => seen.tracked.push(error) })
  const ends = [
    installLog(logger, rules),
    events.error.subscribe(({ error }) => {
      seen.published.push(error instanceof Error ? (error.cause ?? error) : error)
    }),
    trackErrors([tracker]),
  ]
  return { ...seen, [Symbol.dispose]: () => ends.forEach((end) => end()) }
}

async function play(
  plans: readonly (readonly Step[])[],
  mode: 'each' | 'batch',
): Promise<{ readonly thrown: readonly unknown[]; readonly seen: Seen }> {
  using seen = listen()
  const thrown: unknown[] = []
  const attempts = new Map<number, number>()
  const fault = (offset: number): Error => {
    const error = new Error(`fault ${thrown.length} at ${offset}`)
    thrown.push(error)
    return error
  }
  const next = (offset: number): Step => {
    const attempt = attempts.get(offset) ?? 0
    attempts.set(offset, attempt + 1)
    return plans[offset]?.[attempt] ?? 'ok'
  }
  const settings = { topic: orders, deadLetter: true, retries: 3, backoff: '1s' } as const
  const consumer =
    mode === 'each'
      ? defineConsumer({
          ...settings,
          async each({ offset }) {
            switch (next(offset)) {
              case 'throw':
                throw fault(offset)
              case 'reject later':
                await Promise.resolve()
                throw fault(offset)
              case 'retry':
                return retry()
              case 'skip':
                return skip('as the test says')
              case 'letter':
                return deadLetter('as the test says')
              case 'ok':
                return undefined
            }
          },
        })
      : defineConsumer({
          ...settings,
          batch(messages) {
            const failures = [...messages]
              .filter(({ offset }) => ['throw', 'reject later'].includes(next(offset)))
              .map((message) => ({ message, error: fault(message.offset) }))
            return failures.length === 0 ? undefined : failed(failures)
          },
        })
  await using drive = driveConsumer(consumer)
  for (const _ of plans) await drive.deliver({ value: 1 })
  for (let round = 0; round < 4 * plans.length; round++) await drive.advance('2s')
  assert.equal(new Set(drive.marked).size, plans.length, 'each came to its end')
  return { thrown, seen }
}

describe('an error', () => {
  for (const mode of ['each', 'batch'] as const)
    it(`of a handler is told once by log, monitor and tracker (${mode})`, async () => {
      const property = fc.asyncProperty(
        fc.array(fc.array(step, { maxLength: 5 }), { minLength: 1, maxLength: 6 }),
        async (plans) => {
          const { thrown, seen } = await play(plans, mode)
          const told = seen.lines.filter(
            ({ level, error }) => level === 'error' && error !== undefined,
          )
          assert.deepEqual(
            told.map(({ error }) => error),
            thrown,
          )
          assert.deepEqual(seen.published, thrown)
          assert.deepEqual(seen.tracked, thrown)
        },
      )
      await fc.assert(property, { numRuns: 60 })
    })
})
