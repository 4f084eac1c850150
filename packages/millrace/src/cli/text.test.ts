import assert from 'node:assert/strict'
import { describe, it } from 'node:test'

import { columns } from './text.ts'

describe('columns', () => {
  it('align text to the left and numbers to the right', () => {
    assert.equal(
      columns([
        { topic: 'a', messages: 5 },
        { topic: 'orders', messages: 1200 },
      ]),
      'topic   messages\na              5\norders      1200',
    )
    assert.equal(columns([]), '')
  })
})
