import assert from 'node:assert/strict'
import { describe, it } from 'node:test'

import { z } from 'zod'

import { defineTopic } from '../topic/define-topic.ts'
import { decodeHeaders } from './headers.ts'
import { newRow, type RowRules } from './new-row.ts'
import type { NewRow } from './store.ts'

const orders = defineTopic('orders', { value: z.object({ id: z.number() }), tombstones: true })
const rules: RowRules = {
  outbox: 'outbox',
  topics: new Map([['orders', orders]]),
  maxMessageBytes: 1000,
  now: () => 5000,
}
const made = (message: object, own = rules): NewRow =>
  newRow('orders', message as never, own) as NewRow

describe('a new row', () => {
  it('holds the bytes as they will be sent, with an id among the headers', () => {
    const row = made({ key: 'k', value: { id: 1 }, headers: { type: 'paid' } })
    assert.equal(row.value?.toString(), '{"id":1}')
    assert.deepEqual(decodeHeaders(row.headers), [
      ['type', Buffer.from('paid')],
      ['millrace-id', Buffer.from(row.id)],
    ])
    assert.equal(row.timestampMs, 5000)
    assert.equal(made({ key: 'k', value: null }).value, null)
  })

  it('keeps an id that the message has already', () => {
    const id = '018bcfe5-6800-7000-8000-000000000001'
    const row = made({ value: { id: 1 }, headers: { 'millrace-id': id } })
    assert.equal(row.id, id)
    assert.equal(decodeHeaders(row.headers).length, 1)
    const own = made({ value: { id: 1 }, headers: { 'millrace-id': 'order-1' } })
    assert.match(own.id, /^[\da-f-]{36}$/, 'the column holds UUIDs alone')
    assert.deepEqual(decodeHeaders(own.headers), [['millrace-id', Buffer.from('order-1')]])
  })

  it('puts a key into the same shard always, and keyless ones anywhere', () => {
    const shards = (key: string | undefined): Set<number> =>
      new Set(Array.from({ length: 100 }, () => made({ key, value: { id: 1 } }).shard))
    assert.equal(shards('a').size, 1)
    assert.ok(shards(undefined).size > 4)
    const all = new Set(Array.from({ length: 100 }, (_, n) => [...shards(`k${n}`)][0]))
    assert.equal(all.size, 8)
  })

  it('must fit its topic', () => {
    assert.throws(() => made({ value: { id: 1 }, headers: { big: 'x'.repeat(900) } }), {
      code: 'MR_OUTBOX_TOO_LARGE',
    })
    const small = defineTopic('orders', { config: { 'max.message.bytes': 120 } })
    const own = { ...rules, topics: new Map([['orders', small]]) }
    assert.throws(() => made({ value: 'x'.repeat(200) }, own), { code: 'MR_OUTBOX_TOO_LARGE' })
  })

  it('is refused for a topic that nobody declared, which is named', () => {
    assert.throws(
      () => newRow('order', { value: { id: 1 } }, rules),
      /order, which .* did you mean orders\?/,
    )
    assert.throws(() => newRow(defineTopic('mails'), { value: 1 }, rules), {
      code: 'MR_OUTBOX_TOPIC_UNDECLARED',
    })
    const any = { ...rules, topics: undefined }
    assert.equal((newRow(defineTopic('mails'), { value: 1 }, any) as NewRow).topic, 'mails')
    assert.throws(() => newRow('mails', { value: 1 }, any), { code: 'MR_OUTBOX_TOPIC_UNDECLARED' })
  })
})
