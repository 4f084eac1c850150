import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { messageSize } from './message-size.ts'

describe('the size of a message', () => {
  it('is what librdkafka holds against message.max.bytes', () => {
    // Where librdkafka 2.0.2 begins to refuse values, for these keys and headers.
    const text = (length: number): string => 'x'.repeat(length)
    assert.equal(messageSize(null, Buffer.alloc(999_964), []), 1_000_000)
    assert.equal(messageSize(Buffer.alloc(0), null, []), 36)
    assert.equal(messageSize(Buffer.alloc(100), null, []), 136)
    assert.equal(messageSize(null, null, [['a', '']]), 39)
    assert.equal(messageSize(null, null, [['a', null]]), 39)
    assert.equal(messageSize(null, null, [[text(100), '']]), 139)
    assert.equal(messageSize(null, null, [['a', Buffer.alloc(100)]]), 140)
    const two = [
      [text(10), text(10)],
      [text(10), text(10)],
    ] as const
    assert.equal(messageSize(null, null, two), 80)
  })
})
