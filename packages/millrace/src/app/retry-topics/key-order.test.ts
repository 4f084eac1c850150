import assert from 'node:assert/strict'
import { describe, it } from 'node:test'

import { driveConsumer } from '../../testing/drive-consumer.ts'
import { defineConsumer, defineTopic } from '../index.ts'

const users = defineTopic<string>('users')
const keyed = { delays: ['30s', '5m'], order: 'key' } as const

/** A consumer that fails on `a1` until it is mended, with what its handler was given. */
function failingOnce() {
  const seen: string[] = []
  let isBroken = true
  const consumer = defineConsumer({
    topic: users,
    group: 'mail',
    retryTopics: keyed,
    deadLetter: true,
    each({ value }) {
      seen.push(value)
      if (value === 'a1' && isBroken) throw new Error('no')
    },
  })
  return { seen, consumer, mend: (): void => void (isBroken = false) }
}

describe("retry topics with order: 'key'", () => {
  it('park what follows in a key behind what failed, and let other keys go on', async () => {
    const at = failingOnce()
    const { seen } = at
    await using drive = driveConsumer(at.consumer)
    await drive.deliver(
      { key: 'a', value: 'a1' },
      { key: 'a', value: 'a2' },
      { key: 'b', value: 'b1' },
      { key: 'a', value: 'a3' },
      { value: 'without a key' },
    )
    assert.deepEqual(seen, ['a1', 'b1', 'without a key'])
    assert.deepEqual(drive.marked, [0, 1, 2, 3, 4])
    at.mend()
    await drive.advance('30s')
    assert.deepEqual(seen.slice(3), ['a1', 'a2', 'a3'])
    await drive.deliver({ key: 'a', value: 'a4' })
    assert.equal(seen.at(-1), 'a4', 'nothing waits any more')
    assert.equal(drive.deadLetters.length, 0)
  })

  it('let them follow into the next retry topic, each with its own tries', async () => {
    const seen: string[] = []
    const fails = new Set(['a1', 'a2'])
    const consumer = defineConsumer({
      topic: users,
      group: 'mail',
      retryTopics: keyed,
      deadLetter: true,
      each(message) {
        seen.push(`${message.value} ${message.header('millrace-retry-tries') ?? '0'}`)
        if (fails.has(message.value)) throw new Error('no')
      },
    })
    await using drive = driveConsumer(consumer)
    await drive.deliver(
      { key: 'a', value: 'a1' },
      { key: 'a', value: 'a2' },
      { key: 'a', value: 'a3' },
    )
    await drive.advance('30s')
    assert.deepEqual(seen, ['a1 0', 'a1 1'])
    await drive.advance('5m')
    // a1 is given up; then a2 has its first try, and its own 30 seconds.
    assert.deepEqual(seen.slice(2), ['a1 2', 'a2 0'])
    assert.equal(drive.deadLetters.length, 1)
    fails.delete('a2')
    await drive.advance('30s')
    assert.deepEqual(seen.slice(4), ['a2 1', 'a3 0'])
    await drive.advance('1h')
    assert.equal(seen.length, 6)
  })

  it('know after a crash what is parked', async () => {
    const at = failingOnce()
    const { seen } = at
    await using drive = driveConsumer(at.consumer)
    await drive.deliver({ key: 'a', value: 'a1' })
    await drive.advance('5s')
    drive.crash()
    await drive.deliver({ key: 'a', value: 'a2' })
    assert.deepEqual(seen, ['a1'])
    drive.crash()
    at.mend()
    await drive.deliver({ key: 'a', value: 'a3' })
    await drive.advance('1m')
    const firsts = seen.slice(1).filter((value, index, all) => all.indexOf(value) === index)
    assert.deepEqual(firsts, ['a1', 'a2', 'a3'])
  })

  it('commit nothing past a message whose end is not recorded', async () => {
    const consumer = defineConsumer({
      topic: users,
      group: 'mail',
      retryTopics: keyed,
      deadLetter: true,
      each({ value }, { attempt }) {
        if (value === 'a1' && attempt === 1 && isBroken) throw new Error('no')
      },
    })
    let isBroken = true
    await using drive = driveConsumer(consumer)
    await drive.deliver({ key: 'a', value: 'a1' })
    isBroken = false
    drive.failSends(() => new Error('away'))
    await drive.advance('40s')
    assert.deepEqual(drive.markedIn(0, 'users-retry-mail-30s'), [0], 'it was handled')
    assert.equal(drive.committed(0, 'users-retry-mail-30s'), 0)
    drive.failSends(undefined)
    await drive.advance('10s')
    assert.equal(drive.committed(0, 'users-retry-mail-30s'), 1)
  })

  it('are refused for batches', () => {
    const wrong = defineConsumer({
      topic: users,
      retryTopics: keyed,
      deadLetter: true,
      batch: () => undefined,
    })
    assert.throws(() => driveConsumer(wrong), /retryTopics\.order: within a batch nobody knows/)
  })
})
