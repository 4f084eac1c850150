import assert from 'node:assert/strict'
import { describe, it } from 'node:test'

import { z } from 'zod'

import { driveConsumer } from '../../testing/drive-consumer.ts'
import { deadLetter, defineConsumer, defineTopic, retry, skip, stop } from '../index.ts'

const users = defineTopic('users')
const checked = defineTopic('checked', { value: z.object({ id: z.string() }) })

describe('a failing message', () => {
  it('holds its partition and no other', async () => {
    const seen: string[] = []
    const consumer = defineConsumer({
      topic: users,
      backoff: '10s',
      each({ partition, offset, value }) {
        seen.push(`${partition}/${offset}`)
        if (value === 'bad') throw new Error('no')
      },
    })
    await using drive = driveConsumer(consumer)
    await drive.deliver(
      { partition: 0, value: 'bad' },
      { partition: 0, value: 'behind' },
      { partition: 1, value: 'good' },
      { partition: 1, value: 'good' },
    )
    assert.deepEqual(seen, ['0/0', '1/0', '1/1'])
    await drive.advance('25s')
    assert.deepEqual(seen, ['0/0', '1/0', '1/1', '0/0', '0/0'])
    assert.deepEqual(drive.markedIn(0), [])
    assert.equal(drive.committed(0), 0)
    assert.equal(drive.committed(1), 2)
  })

  it('goes to the dead letter topic after four attempts, bytes unchanged, and only then is marked', async () => {
    const attempts: number[] = []
    const consumer = defineConsumer({
      topic: users,
      group: 'mail',
      backoff: '1s',
      deadLetter: true,
      each({ value }, { attempt }) {
        if (value !== 'bad') return
        attempts.push(attempt)
        throw new TypeError('no such customer')
      },
    })
    await using drive = driveConsumer(consumer)
    await drive.deliver({ key: 'k', value: 'bad', headers: { trace: 't' } }, { value: 'next' })
    await drive.advance('2s')
    assert.equal(drive.deadLetters.length, 0)
    await drive.advance('1s')
    assert.deepEqual(attempts, [1, 2, 3, 4])
    const letter = drive.deadLetters[0]
    assert.equal(letter?.topic, 'users-dlt')
    assert.equal(letter?.partition, 0)
    assert.equal(String(letter?.value), '"bad"')
    assert.equal(String(letter?.key), 'k')
    assert.equal(letter?.headers['trace'], 't')
    assert.equal(letter?.headers['millrace-error-class'], 'TypeError')
    assert.equal(letter?.headers['millrace-attempts'], '4')
    assert.deepEqual(drive.marked, [0, 1])
  })

  it('stays unmarked while its dead letter cannot be written, without the handler running again', async () => {
    let calls = 0
    const consumer = defineConsumer({
      topic: users,
      retries: 0,
      backoff: '5s',
      deadLetter: true,
      each() {
        calls++
        throw new Error('no')
      },
    })
    await using drive = driveConsumer(consumer)
    drive.failSends(() => new Error('broker away'))
    await drive.deliver({ value: 1 })
    assert.deepEqual(drive.marked, [])
    await drive.advance('5s')
    drive.failSends(undefined)
    await drive.advance('5s')
    assert.equal(calls, 1)
    assert.equal(drive.deadLetters.length, 1)
    assert.deepEqual(drive.marked, [0])
  })

  it('blocks its partition when it cannot be decoded and nobody takes dead letters', async () => {
    let calls = 0
    const consumer = defineConsumer({
      topic: checked,
      each(message) {
        calls++
        void message.value.id
      },
    })
    await using drive = driveConsumer(consumer)
    await drive.deliver({ raw: { value: Buffer.from('{') } }, { value: { id: 'behind' } })
    const state = drive.state()
    assert.equal(state.kind, 'blocked')
    assert.equal(state.kind === 'blocked' && state.code, 'MR_APP_UNDECODABLE')
    await drive.advance('1h')
    assert.equal(calls, 1)
    assert.deepEqual(drive.marked, [])
    drive.owner().resume()
    await drive.settle()
    assert.equal(calls, 2, 'tried again, since a person said so')
    assert.equal(drive.state().kind, 'blocked')
  })

  it('is a dead letter at once when its value does not fit the schema', async () => {
    const consumer = defineConsumer({
      topic: checked,
      deadLetter: true,
      each: ({ value }) => void value.id,
    })
    await using drive = driveConsumer(consumer)
    await drive.deliver({ raw: { value: Buffer.from('{"id":7}') } })
    assert.equal(drive.deadLetters[0]?.headers['millrace-reason'], 'undecodable')
    assert.equal(drive.deadLetters[0]?.headers['millrace-error-code'], 'MR_APP_SCHEMA_MISMATCH')
    assert.deepEqual(drive.marked, [0])
  })

  it('never puts the body into an error', async () => {
    const consumer = defineConsumer({ topic: users, each: ({ value }) => void value })
    await using drive = driveConsumer(consumer)
    await drive.deliver({ raw: { value: Buffer.from('{"password": hunter2}') } })
    const { error } = drive.failures[0] ?? {}
    assert.ok(error instanceof Error)
    assert.doesNotMatch(`${error.stack}${String(error.cause)}`, /hunter2/)
  })

  it('does what the handler returns', async () => {
    const consumer = defineConsumer({
      topic: users,
      deadLetter: true,
      each({ value }, { attempt }) {
        if (value === 'later' && attempt === 1) return retry({ after: '30s' })
        if (value === 'skip') return skip('too old')
        if (value === 'letter') return deadLetter('the mailbox does not exist')
        return undefined
      },
    })
    await using drive = driveConsumer(consumer)
    await drive.deliver({ value: 'skip' }, { value: 'letter' }, { value: 'later' })
    assert.deepEqual(drive.marked, [0, 1])
    assert.equal(drive.deadLetters[0]?.headers['millrace-reason'], 'handler')
    await drive.advance('29s')
    assert.deepEqual(drive.marked, [0, 1])
    await drive.advance('1s')
    assert.deepEqual(drive.marked, [0, 1, 2])
  })

  it('stops the worker, and is neither marked nor dead-lettered, when it is critical', async () => {
    const consumer = defineConsumer({
      topic: users,
      retries: 0,
      deadLetter: true,
      critical: ['ENOSPC'],
      each({ value }) {
        if (value === 'stop') return stop('the moon is full')
        throw Object.assign(new Error('disk full'), { code: 'ENOSPC' })
      },
    })
    await using drive = driveConsumer(consumer)
    await drive.deliver({ partition: 0, value: 'full' }, { partition: 1, value: 'stop' })
    assert.equal(drive.critical.length, 2)
    assert.deepEqual(drive.marked, [])
    assert.equal(drive.deadLetters.length, 0)
    assert.equal(drive.state(0).kind, 'paused')
  })

  it('counts attempts by offset: progress resets them', async () => {
    const attempts: (readonly [number, number])[] = []
    const consumer = defineConsumer({
      topic: users,
      backoff: '1s',
      each({ offset }, { attempt }) {
        attempts.push([offset, attempt])
        if (attempt < 3) throw new Error('no')
      },
    })
    await using drive = driveConsumer(consumer)
    await drive.deliver({ value: 1 }, { value: 2 })
    await drive.advance('10s')
    assert.deepEqual(attempts, [
      [0, 1],
      [0, 2],
      [0, 3],
      [1, 1],
      [1, 2],
      [1, 3],
    ])
  })

  it('fails with what it sent: the attempt waits for the acknowledgement', async () => {
    const orders = defineTopic('orders')
    const consumer = defineConsumer({
      topic: users,
      backoff: '1s',
      each({ value }, { send }) {
        // Not awaited on purpose.
        void send(orders, { value })
      },
    })
    await using drive = driveConsumer(consumer)
    drive.failSends(() => new Error('broker away'))
    await drive.deliver({ value: 'x' })
    assert.deepEqual(drive.marked, [])
    drive.failSends(undefined)
    await drive.advance('1s')
    assert.deepEqual(drive.marked, [0])
    assert.equal(drive.sent.length, 1)
  })

  it('has a time limit when one is declared', async () => {
    const reasons: unknown[] = []
    const consumer = defineConsumer({
      topic: users,
      timeout: '2s',
      backoff: '1s',
      async each(_message, { signal, attempt }) {
        if (attempt === 2) return
        await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }))
        reasons.push((signal.reason as Error).name)
      },
    })
    await using drive = driveConsumer(consumer)
    const delivered = drive.deliver({ value: 1 })
    await drive.clock.advanceAsync(2000)
    await delivered
    assert.deepEqual(reasons, ['TimeoutError'])
    assert.match(String(drive.failures[0]?.error), /took longer than 2000 ms/)
    await drive.advance('1s')
    assert.deepEqual(drive.marked, [0])
  })

  it('pauses a partition that sends a storm of dead letters', async () => {
    const consumer = defineConsumer({
      topic: users,
      retries: 0,
      deadLetter: { storm: { limit: 2, per: '1m', pause: '5m' } },
      each() {
        throw new Error('bad deploy')
      },
    })
    await using drive = driveConsumer(consumer)
    await drive.deliver(...Array.from({ length: 10 }, (_, value) => ({ value })))
    assert.equal(drive.deadLetters.length, 3)
    assert.equal(drive.state().kind, 'paused')
    await drive.advance('5m')
    assert.equal(drive.deadLetters.length, 6)
  })
})
