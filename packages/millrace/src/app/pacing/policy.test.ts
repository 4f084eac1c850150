import assert from 'node:assert/strict'
import { describe, it } from 'node:test'

import fc from 'fast-check'

import { isExpired, Throttle } from './policy.ts'

describe('a throttle', () => {
  it('frees when the oldest of its window has left it', () => {
    const throttle = new Throttle(2, 1000)
    throttle.admit(0)
    throttle.admit(400)
    assert.equal(throttle.freeAtMs(500), 1000)
    assert.equal(throttle.freeAtMs(1000), 0)
    throttle.admit(1000)
    assert.equal(throttle.freeAtMs(1000), 1400)
  })

  it('lets no more than its limit through in any span of its length', () => {
    const arrivals = fc.array(fc.nat(300), { maxLength: 200 })
    const rules = fc.record({
      limit: fc.integer({ min: 1, max: 9 }),
      perMs: fc.integer({ min: 1, max: 1000 }),
    })
    fc.assert(
      fc.property(arrivals, rules, (gaps, { limit, perMs }) => {
        const throttle = new Throttle(limit, perMs)
        const admitted: number[] = []
        let now = 0
        for (const gap of gaps) {
          now += gap
          now = Math.max(now, throttle.freeAtMs(now))
          assert.equal(throttle.freeAtMs(now), 0, 'the time it named is early enough')
          throttle.admit(now)
          admitted.push(now)
        }
        for (const [index, at] of admitted.entries())
          assert.ok((admitted[index + limit] ?? Infinity) >= at + perMs)
      }),
    )
  })
})

describe('expiry', () => {
  it('takes the last moment for early enough', () => {
    assert.equal(isExpired(1000, 500, 1500), false)
    assert.equal(isExpired(1000, 500, 1501), true)
  })
})
