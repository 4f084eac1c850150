import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { failure } from '../../errors/index.ts'
import { brokerText, textOf } from './error-text.ts'

describe('the words of an error', () => {
  it('are those of librdkafka 2 for every code it knows', () => {
    for (let code = 1; code <= 97; code++)
      assert.match(brokerText(code), /^Broker: (?!Unknown error)/, String(code))
    assert.equal(brokerText(4), 'Broker: Invalid message size')
    assert.equal(brokerText(33), 'Broker: Unsupported SASL mechanism')
    assert.equal(
      brokerText(97),
      'Broker: Request principal deserialization failed during forwarding',
    )
  })

  it('name a code that nobody knows by its number', () => {
    assert.equal(brokerText(999), 'Broker: Unknown error 999')
  })

  it('tell a closed producer from a broker that is away', () => {
    assert.equal(textOf(failure('MR_PRODUCER_CLOSED', { topic: 't' })), 'Local: Purged in queue')
    assert.equal(textOf(new Error('socket hang up')), 'Local: Broker transport failure')
  })
})
