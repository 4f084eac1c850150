import assert from 'node:assert/strict'
import { describe, it } from 'node:test'

import { tailLine } from './tail-line.ts'

const at = { topic: 'router', partition: 20, offset: 2627 }

describe('a line of tail', () => {
  it('shows topic, partition, offset, size and the first 80 bytes', () => {
    const text =
      '{"prival":158,"version":1,"timestamp":"2016-05-04 08:33:23 +0000","hostname":"host","app_name":"heroku"}'
    const value = Buffer.from(text.padEnd(378, ' '))
    assert.equal(
      tailLine({ ...at, value }),
      'router 20 2627 378 {"prival":158,"version":1,"timestamp":"2016-05-04 08:33:23 +0000","hostname":"ho',
    )
  })

  it('never splits a character', () => {
    const value = Buffer.from(`${'x'.repeat(79)}é`)
    assert.equal(tailLine({ ...at, value }), `router 20 2627 81 ${'x'.repeat(79)}`)
  })

  it('keeps one message on one line and a terminal safe', () => {
    const value = Buffer.from('a\nb\u001b[31m')
    assert.equal(tailLine({ ...at, value }), 'router 20 2627 8 a\\nb\\x1b[31m')
  })

  it('says NULL for a tombstone, nothing for an empty value, all of it on request', () => {
    assert.equal(tailLine({ ...at, value: null }), 'router 20 2627 0 NULL')
    assert.equal(tailLine({ ...at, value: Buffer.alloc(0) }), 'router 20 2627 0 ')
    assert.equal(tailLine({ ...at, value: Buffer.alloc(100, 'x') }, 0).length, 19 + 100)
  })
})
