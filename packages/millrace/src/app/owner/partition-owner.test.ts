import assert from 'node:assert/strict'
import { describe, it } from 'node:test'

import { driveConsumer } from '../../testing/drive-consumer.ts'
import { defineConsumer } from '../consumer/define-consumer.ts'
import { defineTopic } from '../topic/define-topic.ts'

const users = defineTopic('users')

describe('a partition’s owner', () => {
  it('handles messages in order and marks each after its handler returned', async () => {
    const seen: unknown[] = []
    const consumer = defineConsumer({
      topic: users,
      async each({ value, offset }) {
        await Promise.resolve()
        seen.push([offset, value])
      },
    })
    await using drive = driveConsumer(consumer)
    await drive.deliver({ value: 'a' }, { value: 'b' }, { value: 'c' })
    assert.deepEqual(seen, [
      [0, 'a'],
      [1, 'b'],
      [2, 'c'],
    ])
    assert.deepEqual(drive.marked, [0, 1, 2])
    assert.equal(drive.committed(), undefined)
    await drive.advance('5s')
    assert.equal(drive.committed(), 3)
  })

  it('brings the same offset again after the back-off, marks nothing meanwhile, and goes on', async () => {
    const attempts: number[] = []
    const consumer = defineConsumer({
      topic: users,
      backoff: '10s',
      each({ value }, { attempt }) {
        if (value !== 'bad') return
        attempts.push(attempt)
        if (attempt < 3) throw new Error('no such customer')
      },
    })
    await using drive = driveConsumer(consumer)
    await drive.deliver({ value: 'good' }, { value: 'bad' }, { value: 'behind' })
    assert.deepEqual(drive.marked, [0])
    assert.equal(drive.state().kind, 'paused')
    await drive.advance('9s')
    assert.deepEqual(attempts, [1])
    await drive.advance('1s')
    assert.deepEqual(attempts, [1, 2])
    await drive.advance('10s')
    assert.deepEqual(attempts, [1, 2, 3])
    assert.deepEqual(drive.marked, [0, 1, 2])
  })
})
