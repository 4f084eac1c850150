import assert from 'node:assert/strict'
import { describe, it } from 'node:test'

import { messageFormat } from './format-message.ts'

const message = {
  topic: 'orders',
  partition: 3,
  offset: 42,
  timestamp: 1_700_000_000_000,
  key: Buffer.from('k'),
  value: Buffer.from([0xff, 0x00]),
  headers: [
    ['a', Buffer.from('1')],
    ['a', null],
  ] as const,
}

describe('a format', () => {
  it("knows kcat's letters and escapes", () => {
    const format = messageFormat('%t/%p@%o %T %k %K %S %h 100%%\\n')
    assert.equal(format(message).toString(), 'orders/3@42 1700000000000 k 1 2 a=1,a=NULL 100%\n')
  })

  it('gives values byte for byte, and nulls as sizes of -1', () => {
    assert.deepEqual(messageFormat('%s')(message), message.value)
    assert.equal(
      messageFormat('%S%s|%K%k')({ ...message, value: null, key: null }).toString(),
      '-1|-1',
    )
  })

  it('gives one header by its name, the last where it repeats', () => {
    const headers = [
      ['a', Buffer.from('1')],
      ['a', Buffer.from('2')],
    ] as const
    assert.equal(messageFormat('%h{a}%h{b}|%h')({ ...message, headers }).toString(), '2|a=1,a=2')
  })

  it('leaves letters alone that it does not know', () => {
    assert.equal(messageFormat('%x \\q %')(message).toString(), '%x \\q %')
  })
})
