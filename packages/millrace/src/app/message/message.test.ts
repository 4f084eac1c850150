import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { SourceMessage } from '../ports.ts'
import { defineTopic } from '../topic/define-topic.ts'
import { DeliveredMessage } from './message.ts'

describe('a message', () => {
  it('can be taken apart, its methods too', () => {
    const source: SourceMessage = {
      topic: 'orders',
      partition: 0,
      offset: 4,
      timestamp: 1,
      timestampType: 'create',
      key: null,
      value: Buffer.from('1'),
      headers: [
        ['origin', Buffer.from('web')],
        ['origin', Buffer.from('shop')],
      ],
      receivedAt: 2,
    }
    const { value, header, headers } = new DeliveredMessage(source, defineTopic('orders'))
    assert.equal(value, 1)
    assert.equal(header('origin'), 'shop')
    assert.equal(header('missing'), undefined)
    assert.equal(headers.length, 2)
  })
})
