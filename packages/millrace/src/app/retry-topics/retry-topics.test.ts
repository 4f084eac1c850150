import assert from 'node:assert/strict'
import { describe, it } from 'node:test'

import { isFailure } from '../../errors/index.ts'
import { driveConsumer } from '../../testing/drive-consumer.ts'
import { defineConsumer, defineTopic, type ConsumerDefinition } from '../index.ts'

const users = defineTopic<string>('users')

function faultsOf(consumer: ConsumerDefinition): readonly string[] {
  try {
    driveConsumer(consumer)
    return []
  } catch (error) {
    if (!isFailure(error, 'MR_CONFIG_INVALID')) throw error
    return error.context['faults'] as readonly string[]
  }
}

describe('retry topics', () => {
  it('let the partition go on, and try again after each delay, never early', async () => {
    const seen: string[] = []
    const consumer = defineConsumer({
      topic: users,
      group: 'mail',
      retryTopics: ['30s', '5m'],
      deadLetter: true,
      each(message) {
        const { topic, partition, value } = message
        seen.push(
          `${value} ${topic}/${partition} after ${message.header('millrace-attempts') ?? '0'}`,
        )
        if (value === 'bad') throw new TypeError('no such customer')
      },
    })
    await using drive = driveConsumer(consumer)
    await drive.deliver(
      { partition: 1, key: 'k', value: 'bad', headers: { own: 'x' } },
      { partition: 1, key: 'k', value: 'good' },
    )
    assert.deepEqual(seen, ['bad users/1 after 0', 'good users/1 after 0'])
    assert.deepEqual(drive.markedIn(1), [0, 1])
    assert.deepEqual(
      drive.retried.map(({ topic, partition }) => `${topic}/${partition}`),
      ['users-retry-mail-30s/1'],
    )
    assert.partialDeepStrictEqual(drive.state(1, 'users-retry-mail-30s'), {
      kind: 'paused',
      reason: 'delay',
    })

    await drive.advance(29_999)
    assert.equal(seen.length, 2)
    await drive.advance(1)
    assert.equal(seen[2], 'bad users/1 after 1')
    await drive.advance(299_999)
    assert.equal(seen.length, 3)
    await drive.advance(1)
    assert.equal(seen[3], 'bad users/1 after 2')

    const letter = drive.deadLetters[0]
    assert.equal(letter?.topic, 'users-dlt')
    assert.equal(letter?.partition, 1)
    assert.equal(String(letter?.value), '"bad"')
    assert.partialDeepStrictEqual(letter?.headers, {
      own: 'x',
      'millrace-id': 'users/1/0',
      'millrace-source-topic': 'users',
      'millrace-source-partition': '1',
      'millrace-source-offset': '0',
      'millrace-attempts': '3',
      'millrace-error-class': 'TypeError',
    })
    assert.equal(letter?.headers['millrace-retry-at'], undefined)
    assert.equal(drive.deadLetters.length, 1)
  })

  it('come after the retries in place', async () => {
    const attempts: number[] = []
    const consumer = defineConsumer({
      topic: users,
      retries: 1,
      backoff: '1s',
      retryTopics: ['1m'],
      exhausted: 'skip',
      each(_message, { attempt }) {
        attempts.push(attempt)
        throw new Error('no')
      },
    })
    await using drive = driveConsumer(consumer)
    await drive.deliver({ value: 'a' })
    assert.equal(drive.retried.length, 0)
    await drive.advance('1s')
    assert.equal(drive.retried.length, 1)
    await drive.advance('2m')
    assert.deepEqual(attempts, [1, 2, 1, 2], 'the same at each stop')
    assert.deepEqual(drive.markedIn(0, 'users-retry-users-1m'), [0], 'skipped at last')
  })

  it('take nothing that will fail again anyway', async () => {
    const consumer = defineConsumer({
      topic: users,
      retryTopics: ['1m'],
      deadLetter: true,
      nonRetryable: [RangeError],
      each({ value }) {
        if (value === 'range') throw new RangeError('out of it')
      },
    })
    await using drive = driveConsumer(consumer)
    await drive.deliver({ value: 'range' }, { raw: { value: Buffer.from('no JSON') } })
    assert.equal(drive.retried.length, 0)
    assert.deepEqual(
      drive.deadLetters.map(({ headers }) => headers['millrace-reason']),
      ['error', 'undecodable'],
    )
  })

  it('come before the question whether the dead letter topic takes the error', async () => {
    let calls = 0
    const consumer = defineConsumer({
      topic: users,
      backoff: '1s',
      retryTopics: ['1m'],
      deadLetter: { when: (error) => error instanceof RangeError },
      each({ value }) {
        if (value !== 'bad') return
        calls++
        throw new TypeError('no')
      },
    })
    await using drive = driveConsumer(consumer)
    await drive.deliver({ value: 'bad' }, { value: 'good' })
    assert.deepEqual(drive.markedIn(0), [0, 1], 'the partition goes on')
    await drive.advance('2m')
    assert.ok(calls > 5, 'at the last stop it is tried for ever')
    assert.equal(drive.deadLetters.length, 0)
    assert.deepEqual(drive.markedIn(0, 'users-retry-users-1m'), [])
  })

  it('take of a batch what fails alone, and leave the rest', async () => {
    const handled: string[] = []
    const consumer = defineConsumer({
      topic: users,
      retryTopics: ['1m'],
      deadLetter: { when: (error) => error instanceof RangeError },
      batch(messages) {
        if (messages.values.includes('bad')) throw new TypeError('no')
        handled.push(...messages.values)
      },
    })
    await using drive = driveConsumer(consumer)
    await drive.deliver({ value: 'a' }, { value: 'bad' }, { value: 'b' })
    assert.deepEqual(handled, ['a', 'b'])
    assert.deepEqual(
      drive.retried.map(({ value }) => String(value)),
      ['"bad"'],
    )
  })

  it('keep a message in hand until its copy is acknowledged', async () => {
    let calls = 0
    const consumer = defineConsumer({
      topic: users,
      retryTopics: ['1m'],
      deadLetter: true,
      backoff: '1s',
      each() {
        calls++
        throw new Error('no')
      },
    })
    await using drive = driveConsumer(consumer)
    drive.failSends(() => new Error('away'))
    await drive.deliver({ value: 'a' })
    assert.deepEqual(drive.marked, [])
    drive.failSends(undefined)
    await drive.advance('5s')
    assert.equal(calls, 1, 'the writing is tried again, not the handler')
    assert.equal(drive.retried.length, 1)
    assert.deepEqual(drive.markedIn(0), [0])
  })

  it('count the age of a message from its first timestamp', async () => {
    let calls = 0
    const consumer = defineConsumer({
      topic: users,
      retryTopics: ['50m', '51m'],
      deadLetter: true,
      expireAfter: '1h',
      each() {
        calls++
        throw new Error('no')
      },
    })
    await using drive = driveConsumer(consumer)
    await drive.deliver({ value: 'a' })
    await drive.advance('50m')
    assert.equal(calls, 2)
    await drive.advance('3h')
    assert.equal(calls, 2, 'an hour old by then')
    assert.equal(drive.deadLetters.length, 0)
  })

  it('are the same however a delay is written, and each has one', () => {
    const each = (): void => undefined
    const of = (retryTopics: readonly (string | number)[], more: object = {}): readonly string[] =>
      faultsOf(defineConsumer({ topic: users, deadLetter: true, retryTopics, each, ...more }))
    assert.deepEqual(of(['30s', '5m', 3_600_000]), [])
    assert.match(of(['60s', '1m'])[0] ?? '', /retryTopics\[1\]: 1m is there twice/)
    assert.match(of(['soon'])[0] ?? '', /retryTopics\[0\]: soon is not a duration/)
    assert.match(of([])[0] ?? '', /there is no delay/)
    assert.match(
      of(['1m'], { deadLetter: undefined })[0] ?? '',
      /retries: after 0 retries the message has nowhere to go/,
    )
    const own = defineTopic('users-retry-users-1m')
    assert.match(
      faultsOf(
        defineConsumer({ topic: [users, own], deadLetter: true, retryTopics: ['1m'], each }),
      )[0] ?? '',
      /users-retry-users-1m is consumed here already/,
    )
  })
})
