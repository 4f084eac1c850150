import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { gatewaySettings, type PropertyValues } from '../settings.ts'
import { producerOptions, queueBounds } from './producer-options.ts'

const settings = (producer: PropertyValues): ReturnType<typeof gatewaySettings> =>
  gatewaySettings({ producer, bufferBytesPerConnection: '1MiB' })

describe('the producer section', () => {
  it('sets by each name that a property has', () => {
    const options = producerOptions(
      settings({
        'compression.type': 'lz4',
        'queue.buffering.max.ms': '7',
        'message.timeout.ms': 9000,
        'request.required.acks': 1,
        'max.in.flight': 2,
        partitioner: 'consistent_random',
      }),
    )
    assert.equal(options.compression, 'lz4')
    assert.equal(options.lingerMs, 7)
    assert.equal(options.deliveryTimeoutMs, 9000)
    assert.equal(options.acks, 1)
    assert.equal(options.maxInFlight, 2)
    assert.equal(options.partitioner, 'consistent_random')
  })

  it('never lets the broker make topics, and looks for a missing one but briefly', () => {
    const options = producerOptions(settings({}))
    assert.equal(options.mayCreateTopics, false)
    assert.equal(options.unknownTopicMs, 0)
  })

  it('is refused with all its faults', () => {
    const wrong = { partitioner: 'best', acks: 7, 'batch.size': 'large' }
    assert.throws(() => producerOptions(settings(wrong)), {
      code: 'MR_CONFIG_INVALID',
      message: /(?=[^]*best)(?=[^]*large)(?=[^]*acks: 7)/,
    })
  })

  it('bounds the queue of a connection by messages and kilobytes', () => {
    assert.deepEqual(queueBounds(settings({})), { messages: Infinity, bytes: 1024 * 1024 })
    assert.deepEqual(
      queueBounds(
        settings({ 'queue.buffering.max.messages': '100', 'queue.buffering.max.kbytes': 10 }),
      ),
      { messages: 100, bytes: 10_240 },
    )
    const off = settings({ 'queue.buffering.max.messages': 0 })
    assert.equal(queueBounds(off).messages, Infinity)
  })
})
