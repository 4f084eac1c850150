import assert from 'node:assert/strict'
import { describe, it } from 'node:test'

import type { EncodedMessage, Sent } from '../ports.ts'
import { MessageBuffer } from './message-buffer.ts'

interface Rig {
  readonly sent: string[]
  readonly buffer: MessageBuffer
}

const rig = (fails: (value: string) => boolean = () => false): Rig => {
  const sent: string[] = []
  const port = {
    send: ({ topic, value }: EncodedMessage): Promise<Sent> => {
      if (fails(String(value))) return Promise.reject(new Error('no'))
      sent.push(String(value))
      return Promise.resolve({ topic, partition: 0, offset: sent.length, timestamp: 0 })
    },
  }
  const buffer = new MessageBuffer(
    port,
    (topic, { value }) =>
      value === 'invalid'
        ? Promise.reject(new Error('invalid'))
        : { topic: typeof topic === 'string' ? topic : topic.name, value: String(value) },
    { limit: 3 },
  )
  return { sent, buffer }
}

describe('a buffer of messages', () => {
  it('delivers each message once, also when delivered twice at a time', async () => {
    const { sent, buffer } = rig()
    buffer.add('t', { value: '1' })
    const deliveries = [buffer.deliver(), buffer.deliver()]
    buffer.add('t', { value: '2' })
    await Promise.all(deliveries)
    await buffer.deliver()
    assert.deepEqual(sent, ['1', '2'])
    assert.equal(buffer.size, 0)
  })

  it('keeps what could not be sent in front of what came later', async () => {
    let isAway = true
    const { sent, buffer } = rig((value) => isAway && value === '1')
    buffer.add('t', { value: '1' })
    buffer.add('t', { value: '2' })
    const delivery = buffer.deliver()
    buffer.add('t', { value: '3' })
    await assert.rejects(delivery, { code: 'MR_PRODUCER_UNDELIVERED' })
    isAway = false
    await buffer.deliver()
    assert.deepEqual(sent, ['2', '1', '3'])
  })

  it('sends nothing of a delivery in which a message is invalid, and keeps it all', async () => {
    const { sent, buffer } = rig()
    buffer.add('t', { value: '1' })
    buffer.add('t', { value: 'invalid' })
    await assert.rejects(buffer.deliver(), /invalid/)
    assert.deepEqual(sent, [])
    assert.equal(buffer.size, 2)
  })

  it('holds no more than its limit, and takes more when it was delivered', async () => {
    const { sent, buffer } = rig()
    for (const value of ['1', '2', '3']) buffer.add('t', { value })
    assert.throws(() => buffer.add('t', { value: '4' }), { code: 'MR_PRODUCER_QUEUE_FULL' })
    await buffer.deliver()
    buffer.add('t', { value: '4' })
    await buffer.deliver()
    assert.deepEqual(sent, ['1', '2', '3', '4'])
  })
})
