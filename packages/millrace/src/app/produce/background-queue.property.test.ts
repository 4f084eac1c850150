import assert from 'node:assert/strict'
import { describe, it } from 'node:test'

import * as fc from 'fast-check'

import { deferred, manualClock, type Deferred } from '../../kit/index.ts'
import type { EncodedMessage, Sent } from '../ports.ts'
import { BackgroundQueue } from './background-queue.ts'

/** What may happen to the queue: a message (of which some are validated first), time, answers, a drain. */
const step = fc.oneof(
  fc.record({ kind: fc.constant('add' as const), isAsync: fc.boolean(), isValid: fc.boolean() }),
  fc.record({ kind: fc.constant('validated' as const) }),
  fc.record({ kind: fc.constant('time' as const), ms: fc.integer({ min: 1, max: 700 }) }),
  fc.record({ kind: fc.constant('answer' as const), isGood: fc.boolean() }),
)

const acknowledged: Sent = { topic: 't', partition: 0, offset: 0, timestamp: 0 }

describe('background delivery, over anything that may happen', () => {
  it('sends in the order of the calls, and gives each message one verdict', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
        const clock = manualClock()
        const sent: string[] = []
        const told: string[] = []
        const acknowledgements: { readonly value: string; readonly answer: Deferred<Sent> }[] = []
        const validating: (() => void)[] = []
        const lane = () => ({
          send({ value }: EncodedMessage): Promise<Sent> {
            sent.push(String(value))
            const answer = deferred<Sent>()
            acknowledgements.push({ value: String(value), answer })
            return answer.promise
          },
        })
        const onUndelivered = ({ value }: EncodedMessage): void => void told.push(String(value))
        const rules = { threshold: 4, intervalMs: 1000, queueLimit: 20, onUndelivered }
        const queue = new BackgroundQueue(rules, clock)
        const wanted: string[] = []
        const refusedByBroker: string[] = []
        let count = 0
        const answer = (isGood: boolean): void => {
          const next = acknowledgements.shift()
          if (next === undefined) return
          if (isGood) next.answer.resolve(acknowledged)
          else {
            refusedByBroker.push(next.value)
            next.answer.reject(new Error('no'))
          }
        }
        for (const one of steps) {
          switch (one.kind) {
            case 'add': {
              const value = String(count++)
              const message = { topic: 't', value }
              const later = deferred<EncodedMessage>()
              const isKept = one.isValid || !one.isAsync
              if (one.isAsync)
                validating.push(() =>
                  one.isValid ? later.resolve(message) : later.reject(new Error('does not fit')),
                )
              try {
                queue.add('t', one.isAsync ? later.promise : message, lane)
                if (isKept) wanted.push(value)
              } catch {
                assert.ok(queue.size >= 20, 'only a full queue refuses')
              }
              break
            }
            case 'validated':
              validating.shift()?.()
              break
            case 'time':
              await clock.advanceAsync(one.ms)
              break
            case 'answer':
              answer(one.isGood)
          }
          assert.ok(queue.size <= 20)
        }
        for (const settle of validating) settle()
        const drained = queue.drain()
        for (let turn = 0; turn < 50 && queue.size > 0; turn++) {
          await clock.advanceAsync(0)
          while (acknowledgements.length > 0) answer(true)
        }
        await drained
        assert.deepEqual(sent, wanted)
        assert.deepEqual(told, refusedByBroker)
        assert.equal(queue.size, 0)
      }),
      { numRuns: 150 },
    )
  })
})
