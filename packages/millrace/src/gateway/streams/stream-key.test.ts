import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { parseStreamKey } from './stream-key.ts'

const parse = (text: string): unknown => parseStreamKey(Buffer.from(text))

describe('stream keys', () => {
  it('name a topic or one partition of it', () => {
    assert.deepEqual(parse('orders'), { text: 'orders', topic: 'orders', partition: undefined })
    assert.deepEqual(parse('orders@3'), { text: 'orders@3', topic: 'orders', partition: 3 })
  })

  it('are refused with the text of producing when Kafka would refuse the topic', () => {
    for (const text of ['', '.', '..', 'a b', 'a:b', 'ä', '@1', 'a\r\nb', 'x'.repeat(250)])
      assert.throws(() => parse(text), /^ReplyError: ERR Local: Invalid argument or configuration$/)
  })

  it('are refused with a word about the form for a bad partition', () => {
    for (const text of ['a@', 'a@x', 'a@-1', 'a@1@2', 'a@99999999999'])
      assert.throws(() => parse(text), /topic or topic@partition$/, text)
  })
})
