import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { Account } from './deliveries.ts'

describe('the failures that a connection may look at', () => {
  it('are the last 128', () => {
    const account = new Account()
    for (let at = 0; at < 200; at++)
      account.keep({ topic: 't', key: Buffer.from(String(at)), reason: 'r', atMs: at })
    assert.equal(account.failures.length, 128)
    assert.equal(account.failures[0]?.key?.toString(), '72')
  })

  it('keep a copy of a key alone, not the packet that it came in', () => {
    const account = new Account()
    const packet = Buffer.alloc(100_000, 'x')
    account.keep({ topic: 't', key: packet.subarray(10, 13), reason: 'r', atMs: 0 })
    const key = account.failures[0]?.key
    assert.equal(key?.toString(), 'xxx')
    assert.notEqual(key?.buffer, packet.buffer)
  })

  it('are fewer where their keys are large', () => {
    const account = new Account()
    for (let at = 0; at < 10; at++)
      account.keep({ topic: 't', key: Buffer.alloc(400_000), reason: 'r', atMs: at })
    assert.deepEqual(
      account.failures.map(({ atMs }) => atMs),
      [8, 9],
    )
  })
})
