import assert from 'node:assert/strict'
import { describe, it } from 'node:test'

import { isFailure } from '../../errors/index.ts'
import { manualClock } from '../../kit/index.ts'
import { events } from '../../telemetry/index.ts'
import { driveConsumer } from '../../testing/drive-consumer.ts'
import { defineConsumer, defineTopic } from '../index.ts'

const users = defineTopic<{ readonly id: number; readonly kind: string }>('users')

/** `by` of each filtered message, while the body runs. */
async function filtered(body: () => Promise<void>): Promise<readonly string[]> {
  const seen: string[] = []
  const unsubscribe = events.consumerFiltered.subscribe(({ offset, by }) =>
    seen.push(`${offset} ${by}`),
  )
  await body()
  unsubscribe()
  return seen
}

describe('a filter', () => {
  it('finishes what it does not let through, and the position moves', async () => {
    const handled: number[] = []
    const consumer = defineConsumer({
      topic: users,
      filter: ({ value }) => value.kind === 'vip',
      each: ({ value }) => void handled.push(value.id),
    })
    const seen = await filtered(async () => {
      await using drive = driveConsumer(consumer)
      await drive.deliver(
        { value: { id: 1, kind: 'vip' } },
        { value: { id: 2, kind: 'other' } },
        { value: { id: 3, kind: 'vip' } },
      )
      assert.deepEqual(drive.marked, [0, 1, 2])
      await drive.deliver({ value: { id: 4, kind: 'other' } }, { value: { id: 5, kind: 'other' } })
      await drive.advance('5s')
      assert.equal(drive.committed(), 5)
    })
    assert.deepEqual(handled, [1, 3])
    assert.deepEqual(seen, ['1 filter', '3 filter', '4 filter'])
  })

  it('sees bytes and headers before anything is decoded', async () => {
    const handled: unknown[] = []
    const consumer = defineConsumer({
      topic: users,
      filterRaw: (key, headers) =>
        key?.toString() === 'mine' && headers.some(([name]) => name === 'kind'),
      each: ({ value }) => void handled.push(value.id),
    })
    await using drive = driveConsumer(consumer)
    await drive.deliver(
      { raw: { key: Buffer.from('mine'), value: Buffer.from('no JSON') } },
      { raw: { value: Buffer.from('no JSON either') }, headers: { kind: 'a' } },
      { key: 'mine', value: { id: 1, kind: 'a' }, headers: { kind: 'a' } },
    )
    assert.deepEqual(handled, [1])
    assert.deepEqual(drive.failures, [])
    assert.deepEqual(drive.marked, [0, 1, 2])
  })

  it('that throws is a failed attempt, and is asked again', async () => {
    let isBroken = true
    const handled: number[] = []
    const consumer = defineConsumer({
      topic: users,
      backoff: '1s',
      filter(_message, { attempt, consumer: name, group }) {
        assert.deepEqual([name, group], ['users', 'users'])
        if (isBroken) throw new Error(`attempt ${attempt}`)
        return true
      },
      each: ({ value }) => void handled.push(value.id),
    })
    await using drive = driveConsumer(consumer)
    await drive.deliver({ value: { id: 1, kind: 'a' } })
    await drive.advance('1s')
    assert.deepEqual(
      drive.failures.map(({ error }) => (error as Error).message),
      ['attempt 1', 'attempt 2'],
    )
    assert.deepEqual(drive.marked, [])
    isBroken = false
    await drive.advance('1s')
    assert.deepEqual(handled, [1])
    assert.deepEqual(drive.marked, [0])
  })

  it('that cannot decode its message gives it up as the handler would', async () => {
    const consumer = defineConsumer({
      topic: users,
      deadLetter: true,
      filter: ({ value }) => value.id > 0,
      each: () => undefined,
    })
    await using drive = driveConsumer(consumer)
    await drive.deliver({ raw: { value: Buffer.from('no JSON') } })
    assert.equal(drive.deadLetters[0]?.headers['millrace-reason'], 'undecodable')
    assert.deepEqual(drive.marked, [0])
  })

  it('that is asynchronous is told so, and its rejection is nobody else’s trouble', async () => {
    const consumer = defineConsumer({
      topic: users,
      filter: (() => Promise.reject(new Error('no'))) as never,
      each: () => undefined,
    })
    await using drive = driveConsumer(consumer)
    await drive.deliver({ value: { id: 1, kind: 'a' } })
    assert.ok(isFailure(drive.failures[0]?.error, 'MR_APP_FILTER_ASYNC'))
  })

  it('takes messages out of a batch', async () => {
    const batches: number[][] = []
    const consumer = defineConsumer({
      topic: users,
      filter: ({ value }) => value.id % 2 === 1,
      batch: (messages) => void batches.push(messages.values.map(({ id }) => id)),
    })
    await using drive = driveConsumer(consumer)
    await drive.deliver(...[1, 2, 3, 4].map((id) => ({ value: { id, kind: 'a' } })))
    assert.deepEqual(batches, [[1, 3]])
    assert.deepEqual(
      drive.marked.toSorted((left, right) => left - right),
      [0, 1, 2, 3],
    )
  })
})

describe('a copy that was redriven for one group', () => {
  it('is handled there and finished unseen elsewhere', async () => {
    const run = async (group: string, copyIn = 'users'): Promise<number> => {
      let calls = 0
      const consumer = defineConsumer({ topic: users, group, each: () => void calls++ })
      await using drive = driveConsumer(consumer)
      await drive.deliver({
        value: { id: 1, kind: 'a' },
        headers: { 'millrace-only-group': 'mail', 'millrace-copy-in': copyIn },
      })
      assert.deepEqual(drive.marked, [0])
      return calls
    }
    assert.equal(await run('mail'), 1)
    assert.equal(await run('billing', 'orders'), 1, 'its headers were sent on with another message')
    const seen = await filtered(async () => assert.equal(await run('billing'), 0))
    assert.deepEqual(seen, ['0 only-group'])
  })
})

describe('a delay', () => {
  it('handles no message before its time, and pauses the partition until then', async () => {
    const clock = manualClock()
    const handled: (readonly [number, number])[] = []
    const consumer = defineConsumer({
      topic: users,
      delay: '10m',
      each: ({ offset }) => void handled.push([offset, clock.now()]),
    })
    await using drive = driveConsumer(consumer, { clock })
    const start = clock.now()
    await drive.deliver(
      { value: { id: 1, kind: 'a' } },
      { value: { id: 2, kind: 'a' }, timestamp: start + 60_000 },
    )
    assert.partialDeepStrictEqual(drive.state(), { kind: 'paused', reason: 'delay' })
    await drive.advance(599_999)
    assert.deepEqual(handled, [])
    await drive.advance('30m')
    assert.deepEqual(handled, [
      [0, start + 600_000],
      [1, start + 660_000],
    ])
  })
})

describe('a throttle', () => {
  const times = async (
    scope: 'partition' | 'worker',
    partitions: readonly number[],
  ): Promise<readonly number[]> => {
    const clock = manualClock()
    const start = clock.now()
    const handled: number[] = []
    const consumer = defineConsumer({
      topic: users,
      throttle: { limit: 2, per: '1m', scope },
      each: () => void handled.push(clock.now() - start),
    })
    await using drive = driveConsumer(consumer, { clock })
    await drive.deliver(
      ...partitions.map((partition) => ({ partition, value: { id: 1, kind: 'a' } })),
    )
    await drive.advance('10m')
    return handled
  }

  it('lets so many through in a time, of each partition', async () => {
    assert.deepEqual(
      await times('partition', [0, 0, 0, 0, 0, 1]),
      [0, 0, 0, 60_000, 60_000, 120_000],
    )
  })

  it('or of all that the worker has', async () => {
    assert.deepEqual(await times('worker', [0, 0, 0, 1, 1]), [0, 0, 60_000, 60_000, 120_000])
  })

  it('does not count retries, and says once that it holds', async () => {
    const told: number[] = []
    const unsubscribe = events.consumerThrottled.subscribe(({ offset }) => told.push(offset))
    const attempts: string[] = []
    const consumer = defineConsumer({
      topic: users,
      throttle: { limit: 2, per: '1m' },
      backoff: '1s',
      each({ offset }, { attempt }) {
        attempts.push(`${offset}.${attempt}`)
        if (offset === 0 && attempt < 4) throw new Error('again')
      },
    })
    await using drive = driveConsumer(consumer)
    await drive.deliver(...[1, 2, 3].map((id) => ({ value: { id, kind: 'a' } })))
    await drive.advance('59s')
    assert.deepEqual(attempts, ['0.1', '0.2', '0.3', '0.4', '1.1'])
    assert.partialDeepStrictEqual(drive.state(), { kind: 'paused', reason: 'throttle' })
    await drive.advance('1s')
    assert.equal(attempts.at(-1), '2.1')
    unsubscribe()
    assert.deepEqual(told, [2])
  })
})

describe('expiry', () => {
  it('skips what is too old, also before a later attempt', async () => {
    const skipped: number[] = []
    const unsubscribe = events.consumerSkipped.subscribe(({ offset, reason }) => {
      if (reason === 'expired') skipped.push(offset)
    })
    let calls = 0
    const consumer = defineConsumer({
      topic: users,
      expireAfter: '1h',
      backoff: '25m',
      each() {
        calls++
        throw new Error('no')
      },
    })
    await using drive = driveConsumer(consumer)
    await drive.deliver(
      { value: { id: 1, kind: 'a' }, timestamp: drive.clock.now() - 3_600_001 },
      { value: { id: 2, kind: 'a' } },
    )
    assert.deepEqual(drive.marked, [0])
    await drive.advance('2h')
    unsubscribe()
    assert.equal(calls, 3, 'at 0, 25 and 50 minutes')
    assert.deepEqual(skipped, [0, 1])
    assert.deepEqual(drive.marked, [0, 1])
  })

  it('or gives it up, with its own reason', async () => {
    const consumer = defineConsumer({
      topic: users,
      expireAfter: '1h',
      expired: 'deadLetter',
      deadLetter: true,
      each: () => assert.fail('too old'),
    })
    await using drive = driveConsumer(consumer)
    await drive.deliver({ value: { id: 1, kind: 'a' }, timestamp: drive.clock.now() - 4_000_000 })
    const { headers } = drive.deadLetters[0] ?? assert.fail('no letter')
    assert.equal(headers['millrace-reason'], 'expired')
    assert.equal(headers['millrace-error-code'], 'MR_APP_MESSAGE_EXPIRED')
    assert.deepEqual(drive.marked, [0])
  })
})

describe('pacing options', () => {
  it('are refused where they make no sense, all at once', () => {
    const wrong = defineConsumer({
      topic: users,
      delay: '2h',
      expireAfter: '1h',
      expired: 'deadLetter',
      throttle: { limit: 0, per: 'often' },
      each: () => undefined,
    })
    assert.throws(
      () => driveConsumer(wrong),
      (error) => {
        const faults = (error as { context: { faults: string[] } }).context.faults
        assert.deepEqual(
          faults.map((fault) => fault.split(':')[0]),
          [
            'consumers.users.throttle.limit',
            'consumers.users.throttle.per',
            'consumers.users.expireAfter',
            'consumers.users.expired',
          ],
        )
        return true
      },
    )
  })
})
