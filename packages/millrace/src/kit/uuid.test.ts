import assert from 'node:assert/strict'
import { describe, it } from 'node:test'

import { uuidV7 } from './index.ts'

describe('uuidV7', () => {
  it('has the form of version 7', () => {
    for (let count = 0; count < 2000; count++)
      assert.match(uuidV7(), /^[\da-f]{8}-[\da-f]{4}-7[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/)
  })
  it('sorts by time and never repeats', () => {
    assert.ok(uuidV7(1_700_000_000_000) < uuidV7(1_700_000_000_001))
    assert.equal(uuidV7(1_700_000_000_000).slice(0, 13), '018bcfe5-6800')
    assert.equal(new Set(Array.from({ length: 5000 }, () => uuidV7(0))).size, 5000)
  })
})
