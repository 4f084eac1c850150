import assert from 'node:assert/strict'
import { describe, it } from 'node:test'

import { driveConsumer } from '../../testing/drive-consumer.ts'
import { deadLetter, defineConsumer, defineTopic, retry, skip, stop } from '../index.ts'

const users = defineTopic('users')

class Throttled extends Error {}
class Unknown extends Error {}

describe('onError', () => {
  it('decides before the lists: again, skipped, to the dead letter topic, stop', async () => {
    const rulings = new Map<unknown, unknown>([
      ['skip', skip('known to be broken')],
      ['dead', deadLetter('cannot be handled')],
      ['stop', stop('the disk is full')],
    ])
    const consumer = defineConsumer({
      topic: users,
      deadLetter: true,
      nonRetryable: [Unknown],
      each({ value }, { attempt }) {
        if (value === 'again' && attempt === 2) return
        throw new Unknown(String(value))
      },
      onError: (_error, { message }) => rulings.get(message.value) ?? retry({ after: '7s' }),
    })
    await using drive = driveConsumer(consumer)
    await drive.deliver({ value: 'skip' }, { value: 'dead' }, { value: 'again' }, { value: 'stop' })
    assert.deepEqual(drive.marked, [0, 1])
    assert.equal(drive.deadLetters[0]?.headers['millrace-reason'], 'handler')
    assert.equal(drive.deadLetters[0].headers['millrace-error-class'], 'Unknown')
    await drive.advance('6s')
    assert.deepEqual(drive.marked, [0, 1])
    await drive.advance('1s')
    assert.deepEqual(drive.marked, [0, 1, 2], 'although the error is in a list')
    assert.equal(drive.critical.length, 1)
  })

  it('leaves the error to the lists when it says nothing, or fails itself', async () => {
    for (const onError of [
      (): undefined => undefined,
      async (): Promise<void> => {},
      (): never => {
        throw new Error('in onError')
      },
    ]) {
      const consumer = defineConsumer({
        topic: users,
        deadLetter: true,
        nonRetryable: [Unknown],
        each() {
          throw new Unknown('x')
        },
        onError,
      })
      await using drive = driveConsumer(consumer)
      await drive.deliver({ value: 1 })
      assert.equal(drive.deadLetters.length, 1)
      assert.match(String(drive.failures[0]?.error), /x/)
    }
  })

  it('is told the message, the attempt and the errors so far, the last hundred', async () => {
    const told: (readonly [number, number, number])[] = []
    const consumer = defineConsumer({
      topic: users,
      backoff: '1s',
      each(_message, { attempt }) {
        if (attempt <= 103) throw new Throttled(String(attempt))
      },
      async onError(error, { message, attempt, history }) {
        assert.equal(history.at(-1), error)
        await new Promise((resolve) => setImmediate(resolve))
        told.push([message.offset, attempt, history.length])
      },
    })
    await using drive = driveConsumer(consumer)
    await drive.deliver({ value: 1 })
    await drive.advance('200s')
    assert.deepEqual(told.slice(0, 2), [
      [0, 1, 1],
      [0, 2, 2],
    ])
    assert.deepEqual(told.at(-1), [0, 103, 100])
    assert.deepEqual(drive.marked, [0])
  })

  it('is asked about what the handler throws, not about what it returns', async () => {
    const asked: unknown[] = []
    const consumer = defineConsumer({
      topic: users,
      backoff: '1h',
      each: () => retry(),
      onError: (error) => void asked.push(error),
    })
    await using drive = driveConsumer(consumer)
    await drive.deliver({ value: 1 })
    assert.deepEqual(asked, [])
    assert.equal(drive.state().kind, 'paused')
  })

  it('is asked again about each message when a batch named none', async () => {
    const consumer = defineConsumer({
      topic: users,
      backoff: '1s',
      batch(messages) {
        if ([...messages].some(({ value }) => value === 13)) throw new Unknown('thirteen')
      },
      onError: (error) => (error instanceof Unknown ? skip('thirteen is skipped') : undefined),
    })
    await using drive = driveConsumer(consumer)
    await drive.deliver({ value: 1 }, { value: 13 }, { value: 2 })
    assert.deepEqual(drive.marked, [0, 1, 2])
    assert.deepEqual(
      drive.failures.map(({ offset }) => offset),
      [0, 1],
    )
  })
})
