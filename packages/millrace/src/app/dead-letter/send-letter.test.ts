import assert from 'node:assert/strict'
import { describe, it } from 'node:test'

import { failure } from '../../errors/index.ts'
import type { EncodedMessage, Sent } from '../ports.ts'
import { sendLetter } from './send-letter.ts'

const letter: EncodedMessage = {
  topic: 'users-dlt',
  partition: 5,
  key: 'k',
  value: 'v',
  headers: [
    ['own', '1'],
    ['millrace-error-stack', 'x'],
  ],
}
const sent: Sent = { topic: 'users-dlt', partition: 0, offset: 0, timestamp: 0 }

describe('sending a dead letter', () => {
  it('goes by the key when the topic has fewer partitions than the source', async () => {
    const tried: EncodedMessage[] = []
    await sendLetter(letter, (message) => {
      tried.push(message)
      if (message.partition === undefined) return Promise.resolve(sent)
      const at = { topic: 'users-dlt', partition: 5, partitions: 2 }
      return Promise.reject(failure('MR_PARTITION_UNKNOWN', at))
    })
    assert.equal(tried.length, 2)
    assert.equal(tried[1]?.value, 'v')
  })

  it('drops the texts of the error before it gives up, but never the message', async () => {
    const tried: EncodedMessage[] = []
    const tooLarge = failure('MR_PRODUCER_MESSAGE_TOO_LARGE', { topic: 't', bytes: 9, limit: 8 })
    await assert.rejects(
      sendLetter(letter, (message) => {
        tried.push(message)
        return Promise.reject(tooLarge)
      }),
      { code: 'MR_PRODUCER_MESSAGE_TOO_LARGE' },
    )
    assert.deepEqual(
      tried.map(({ headers }) => headers?.length),
      [2, 1],
    )
    assert.ok(tried.every(({ key, value }) => key === 'k' && value === 'v'))
  })

  it('passes other errors on', async () => {
    const away = new Error('away')
    await assert.rejects(
      sendLetter(letter, () => Promise.reject(away)),
      away,
    )
  })
})
