import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { BufferPool } from './buffer-pool.ts'

describe('buffer pool', () => {
  it('gives a buffer out again only after it came back, and keeps few', () => {
    const pool = new BufferPool()
    const first = pool.take(100_000)
    assert.equal(first.length, 131_072)
    assert.notEqual(pool.take(100_000), first)
    pool.give(first)
    assert.equal(pool.take(131_072), first)
    assert.equal(pool.take(1000).length, 1000, 'small ones are not worth it')
    const many = Array.from({ length: 20 }, () => pool.take(4 * 1024 * 1024))
    for (const buffer of many) pool.give(buffer)
    const again = new Set(many.map(() => pool.take(4 * 1024 * 1024)))
    assert.equal(many.filter((buffer) => again.has(buffer)).length, 8)
  })

  it('takes the whole back by any part of it, once', () => {
    const pool = new BufferPool()
    const whole = pool.take(100_000)
    pool.give(whole.subarray(10, 20))
    pool.give(whole)
    const again = pool.take(100_000)
    assert.equal(again.buffer, whole.buffer)
    assert.equal(again.length, 131_072)
    assert.notEqual(pool.take(100_000).buffer, whole.buffer)
  })

  it('does not take what it never gave', () => {
    const pool = new BufferPool()
    pool.give(Buffer.alloc(131_072))
    const other = new BufferPool().take(100_000)
    pool.give(other)
    assert.notEqual(pool.take(100_000).buffer, other.buffer)
  })
})
