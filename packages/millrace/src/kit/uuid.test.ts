import assert from 'node:assert/strict'
import { describe, it } from 'node:test'

import { uuidSource, uuidV7 } from './uuid.ts'

const form = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/

function timeOf(id: string): number {
  return parseInt(id.replaceAll('-', '').slice(0, 12), 16)
}

describe('a UUID of version 7', () => {
  it('has the form and the time of RFC 9562', () => {
    const next = uuidSource({ now: () => 1_645_557_742_000 })
    const id = next()
    assert.match(id, form)
    // The example of RFC 9562, A.6, has this time.
    assert.equal(id.slice(0, 13), '017f22e2-79b0')
    assert.match(uuidV7(), form)
  })

  it('rises within a millisecond, over more than its counter holds, and when the clock goes back', () => {
    let nowMs = 1_700_000_000_000
    const next = uuidSource({ now: () => nowMs })
    let last = next()
    for (let round = 0; round < 10_000; round++) {
      if (round === 6000) nowMs -= 5000
      const id = next()
      assert.ok(id > last, `${id} after ${last}`)
      assert.match(id, form)
      last = id
    }
    assert.ok(timeOf(last) - 1_700_000_000_000 < 5, 'the time stays near the clock')
    nowMs += 60_000
    assert.equal(timeOf(next()), nowMs)
  })

  it('is never the same twice, from several sources at one moment', () => {
    const sources = Array.from({ length: 4 }, () => uuidSource({ now: () => 1 }))
    const ids = new Set(sources.flatMap((next) => Array.from({ length: 2000 }, () => next())))
    assert.equal(ids.size, 8000)
  })
})
