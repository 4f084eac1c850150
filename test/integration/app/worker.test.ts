import assert from 'node:assert/strict'
import { describe, it } from 'node:test'

import { defineApp, defineConsumer, defineTopic } from '../../../packages/millrace/src/app/index.ts'
import { startTestApp } from '../../../packages/millrace/src/testing/index.ts'

const users = defineTopic('users', { partitions: 2 })

describe('a worker on the embedded broker', () => {
  it('handles what was sent, commits it, and sends what failed to the dead letter topic', async () => {
    const seen: unknown[] = []
    const consumer = defineConsumer({
      topic: users,
      group: 'accounts',
      backoff: '10ms',
      deadLetter: true,
      each({ value, partition, offset }) {
        seen.push(value)
        if (value === 'bad') throw new Error(`no such customer ${partition}@${offset}`)
      },
    })
    await using app = await startTestApp({
      clientId: 'shop',
      app: defineApp({ consumers: [consumer] }),
    })
    await app.send(users, { key: 'a', value: 'good' })
    await app.send(users, { key: 'a', value: 'bad' })
    await app.send(users, { key: 'a', value: 'behind' })
    await app.settled()
    assert.deepEqual(seen, ['good', 'bad', 'bad', 'bad', 'bad', 'behind'])
    const letters = await app.messages('users-dlt')
    assert.equal(letters.length, 1)
    assert.equal(letters[0]?.headers['millrace-source-topic'], 'users')
  })
})
