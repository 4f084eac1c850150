import assert from 'node:assert/strict'
import { describe, it } from 'node:test'

import * as fc from 'fast-check'

import { failure } from '../../errors/index.ts'
import { backoffRules } from './options.ts'
import { judge, type RetryRules } from './policy.ts'

const steady = { firstMs: 1000, maxMs: 30_000, factor: 2, jitter: 0 }

const rules = (changes: Partial<RetryRules> = {}): RetryRules => ({
  retries: Infinity,
  backoff: steady,
  exhausted: 'block',
  hasDeadLetter: false,
  nonRetryable: [],
  critical: [],
  deadLetterTakes: undefined,
  ...changes,
})

const thrown = (attempts: number, error: unknown = new Error('no')) =>
  ({ kind: 'thrown', error, attempts }) as const

const isTeapot = (error: unknown): boolean => (error as Error).message === 'teapot'

const faultOf = (written: Parameters<typeof backoffRules>[0]): string => {
  const read = backoffRules(written)
  return typeof read === 'string' ? read : ''
}

describe('retry policy', () => {
  it('waits 1, 2, 4, 8, 16, 30, 30 seconds and never ends without a dead letter topic', () => {
    const waits = [1, 2, 3, 4, 5, 6, 7].map((attempts) => judge(rules(), thrown(attempts)))
    assert.deepEqual(
      waits,
      [1, 2, 4, 8, 16, 30, 30].map((seconds) => ({ kind: 'retry', delayMs: seconds * 1000 })),
    )
    assert.equal(judge(rules(), thrown(1_000_000)).kind, 'retry')
  })

  it('sends to the dead letter topic after the first attempt and three retries', () => {
    const withDeadLetter = rules({ hasDeadLetter: true, retries: 3 })
    assert.equal(judge(withDeadLetter, thrown(3)).kind, 'retry')
    assert.deepEqual(judge(withDeadLetter, thrown(4)), {
      kind: 'deadLetter',
      reason: 'error',
      isExhausted: true,
    })
  })

  it('does what was declared for exhausted retries', () => {
    for (const exhausted of ['block', 'skip', 'stop'] as const)
      assert.deepEqual(judge(rules({ retries: 0, exhausted }), thrown(1)), {
        kind: exhausted,
        isExhausted: true,
      })
  })

  it('never repeats what cannot be decoded', () => {
    const undecodable = failure('MR_APP_UNDECODABLE', {
      topic: 'users',
      partition: 0,
      offset: 42,
      part: 'value',
      reason: 'not JSON',
    })
    assert.deepEqual(judge(rules(), thrown(1, undecodable)), { kind: 'block' })
    assert.deepEqual(judge(rules({ hasDeadLetter: true }), thrown(1, undecodable)), {
      kind: 'deadLetter',
      reason: 'undecodable',
    })
  })

  it('tells what could not be read from what could not be sent', () => {
    const unsent = failure('MR_APP_SCHEMA_MISMATCH', { where: 'orders', issues: ['no id'] })
    assert.deepEqual(judge(rules({ hasDeadLetter: true }), thrown(1, unsent)), {
      kind: 'deadLetter',
      reason: 'error',
    })
  })

  it('knows errors by class, by code and by function', () => {
    class Bounced extends Error {}
    const denied = Object.assign(new Error('denied'), { code: 'EACCES' })
    const nonRetryable = [Bounced, 'EACCES', isTeapot]
    for (const error of [new Bounced(), denied, new Error('teapot')])
      assert.equal(judge(rules({ nonRetryable }), thrown(1, error)).kind, 'block')
    assert.equal(judge(rules({ nonRetryable }), thrown(1, new Error('other'))).kind, 'retry')
    assert.equal(judge(rules({ critical: ['EACCES'] }), thrown(1, denied)).kind, 'stop')
  })

  it('never dead-letters a critical error', () => {
    const critical = rules({ critical: [TypeError], hasDeadLetter: true, retries: 0 })
    assert.deepEqual(judge(critical, thrown(9, new TypeError('x'))), { kind: 'stop' })
  })

  it('keeps retrying what the dead letter topic does not take', () => {
    const picky = rules({ hasDeadLetter: true, retries: 1, deadLetterTakes: () => false })
    assert.equal(judge(picky, thrown(50)).kind, 'retry')
  })

  it('waits as long as the handler asked', () => {
    const asked = { kind: 'retry', error: undefined, attempts: 3, afterMs: 60_000 } as const
    assert.deepEqual(judge(rules(), asked), { kind: 'retry', delayMs: 60_000 })
  })

  it('waits within the rules, whatever they are', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 60 }),
        fc.integer({ min: 0, max: 10_000 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        fc.double({ min: 0, max: 0.999, noNaN: true }),
        (attempts, firstMs, jitter, random) => {
          const backoff = { firstMs, maxMs: 30_000, factor: 2, jitter }
          const verdict = judge(rules({ backoff }), thrown(attempts), () => random)
          assert.ok(verdict.kind === 'retry' && verdict.delayMs >= 0)
          assert.ok(verdict.delayMs <= 30_000 * (1 + jitter))
        },
      ),
    )
  })

  it('names what is wrong with a back-off', () => {
    assert.deepEqual(backoffRules('10s'), { firstMs: 10_000, maxMs: 10_000, factor: 1, jitter: 0 })
    assert.match(faultOf('soon'), /soon is not a duration/)
    assert.match(faultOf({ first: '2m', max: '1m' }), /longer than max/)
    assert.deepEqual(backoffRules({ first: '1m' }), {
      firstMs: 60_000,
      maxMs: 60_000,
      factor: 2,
      jitter: 0.1,
    })
  })
})
