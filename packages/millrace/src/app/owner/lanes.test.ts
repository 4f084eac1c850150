import assert from 'node:assert/strict'
import { describe, it } from 'node:test'

import { deferred } from '../../kit/index.ts'
import { driveConsumer } from '../../testing/drive-consumer.ts'
import { Consumer, defineConsumer, defineTopic, json, text, type Context } from '../index.ts'

const users = defineTopic('users', { key: text() })
const keyed = (...keys: readonly (string | null)[]): { key: string | null; value: number }[] =>
  keys.map((key, value) => ({ key, value }))

/** A handler that runs until it is told to go on. */
function held(): {
  readonly each: (message: { readonly offset: number }) => Promise<void>
  readonly started: number[]
  readonly finish: (offset: number) => void
} {
  const started: number[] = []
  const open = new Map<number, ReturnType<typeof deferred<void>>>()
  return {
    started,
    each({ offset }) {
      started.push(offset)
      const one = deferred()
      open.set(offset, one)
      return one.promise
    },
    finish: (offset) => open.get(offset)?.resolve(),
  }
}

describe('lanes', () => {
  it('run messages of different keys at once, those of one key in order', async () => {
    const { each, started, finish } = held()
    const consumer = defineConsumer({ topic: users, concurrency: 3, each })
    await using drive = driveConsumer(consumer)
    void drive.deliver(...keyed('a', 'a', 'b', 'c', 'd'))
    await drive.clock.advanceAsync(0)
    assert.deepEqual(started, [0, 2, 3])
    assert.deepEqual(drive.owner().report().lanes, { busy: 3, size: 3 })
    assert.equal(drive.owner().report().jobs.length, 3)
    finish(2)
    await drive.clock.advanceAsync(0)
    assert.deepEqual(started, [0, 2, 3, 4])
    finish(0)
    await drive.clock.advanceAsync(0)
    assert.deepEqual(started, [0, 2, 3, 4, 1])
    for (const offset of [1, 3, 4]) finish(offset)
    await drive.settle()
    assert.equal(drive.state().kind, 'waiting')
    await drive.advance('5s')
    assert.equal(drive.committed(), 5)
  })

  it('let other keys flow while one is in back-off, and commit nothing beyond it', async () => {
    const seen: number[] = []
    const consumer = defineConsumer({
      topic: users,
      concurrency: 2,
      backoff: '10s',
      each({ offset }, { attempt }) {
        seen.push(offset)
        if (offset === 0 && attempt < 3) throw new Error('not yet')
      },
    })
    await using drive = driveConsumer(consumer)
    await drive.deliver(...keyed('bad', 'a', 'bad', 'b', 'c', 'd'))
    assert.deepEqual(seen, [0, 1, 3, 4, 5])
    assert.deepEqual(drive.state(), {
      kind: 'paused',
      reason: 'backoff',
      untilMs: drive.clock.now() + 10_000,
    })
    await drive.advance('9s')
    assert.equal(drive.committed(), 0)
    await drive.advance('11s')
    assert.deepEqual(seen.slice(5), [0, 0, 2])
    await drive.advance('5s')
    assert.equal(drive.committed(), 6)
  })

  it('remember what is finished above the position, so that it is not repeated after a crash', async () => {
    const seen: number[] = []
    let isBroken = true
    const consumer = defineConsumer({
      topic: users,
      concurrency: 4,
      backoff: '1h',
      each({ offset }) {
        seen.push(offset)
        if (offset === 2 && isBroken) throw new Error('broken')
      },
    })
    await using drive = driveConsumer(consumer)
    await drive.deliver(...keyed('a', 'b', 'c', 'd', 'c', 'e', 'f'))
    await drive.advance('5s')
    assert.equal(drive.committed(), 2)
    assert.match(drive.committedMetadata() ?? '', /^\|millrace:/)
    seen.length = 0
    isBroken = false
    drive.crash()
    await drive.settle()
    await drive.deliver(...keyed('g'))
    assert.deepEqual(seen, [2, 4, 7], 'only what was not finished')
    await drive.advance('5s')
    assert.equal(drive.committed(), 8)
    assert.equal(drive.committedMetadata(), '')
  })

  it('keep that memory over a tenure that never came so far', async () => {
    let isBroken = true
    const seen: number[] = []
    const consumer = defineConsumer({
      topic: users,
      concurrency: 2,
      maxMessages: 1,
      backoff: '1h',
      each({ offset }) {
        seen.push(offset)
        if (offset === 0 && isBroken) throw new Error('broken')
      },
    })
    await using drive = driveConsumer(consumer)
    await drive.deliver(...keyed('a', 'b', 'c', 'd'))
    await drive.advance('5s')
    drive.crash()
    // The commit of a tenure that has received nothing yet.
    await drive.revoke()
    seen.length = 0
    isBroken = false
    drive.owner()
    await drive.settle()
    assert.deepEqual(seen, [0])
  })

  it('stop at the window between the first unfinished message and the newest', async () => {
    const seen: number[] = []
    const consumer = defineConsumer({
      topic: users,
      concurrency: 2,
      window: 5,
      backoff: '10s',
      each({ offset }, { attempt }) {
        seen.push(offset)
        if (offset === 0 && attempt === 1) throw new Error('first')
      },
    })
    await using drive = driveConsumer(consumer)
    await drive.deliver(...keyed(...Array.from({ length: 12 }, (_, index) => `k${index}`)))
    assert.deepEqual(seen, [0, 1, 2, 3, 4])
    await drive.advance('10s')
    assert.deepEqual(seen.slice(5), [0, 5, 6, 7, 8, 9, 10, 11])
  })

  it('have no order without a key, with orderBy null, or where it returns null', async () => {
    for (const orderBy of [undefined, null, (): null => null]) {
      const { each, started } = held()
      const keys = orderBy === undefined ? [null, null, null] : ['a', 'a', 'a']
      const consumer = defineConsumer({
        topic: users,
        concurrency: 3,
        each,
        ...(orderBy === undefined ? {} : { orderBy }),
      })
      await using drive = driveConsumer(consumer)
      void drive.deliver(...keyed(...keys))
      await drive.clock.advanceAsync(0)
      assert.deepEqual(started, [0, 1, 2])
    }
  })

  it('order by what the consumer says, with values that are decoded ahead as well', async () => {
    for (const decode of ['lazy', 'ahead'] as const) {
      const orders = defineTopic('orders', { value: json<{ readonly customer: string }>(), decode })
      const { each, started, finish } = held()
      const consumer = defineConsumer({
        topic: orders,
        concurrency: 4,
        orderBy: ({ value }) => value.customer,
        each,
      })
      await using drive = driveConsumer(consumer)
      void drive.deliver(...['x', 'y', 'x'].map((customer) => ({ value: { customer } })))
      await drive.clock.advanceAsync(0)
      assert.deepEqual(started, [0, 1])
      finish(0)
      await drive.clock.advanceAsync(0)
      assert.deepEqual(started, [0, 1, 2])
    }
  })

  it('are waited for one and all when the partition goes; those left behind are named one by one', async () => {
    const { each, started, finish } = held()
    const contexts: Context[] = []
    const consumer = defineConsumer({
      topic: users,
      concurrency: 3,
      each(message, context) {
        contexts.push(context)
        return each(message)
      },
    })
    await using drive = driveConsumer(consumer)
    void drive.deliver(...keyed('a', 'b', 'c', 'd'))
    await drive.clock.advanceAsync(0)
    let isRevoked = false
    const revoked = drive.revoke().then(() => (isRevoked = true))
    await drive.clock.advanceAsync(0)
    finish(0)
    finish(2)
    await drive.clock.advanceAsync(29_000)
    assert.equal(isRevoked, false)
    assert.equal(contexts[1]?.stopping, true)
    assert.equal(contexts[1]?.signal.aborted, false)
    await drive.clock.advanceAsync(1000)
    assert.equal(contexts[1]?.signal.aborted, true)
    assert.match(drive.owner().describeJobs().join(), /^users users\/0:1 for 30 s$/)
    await drive.clock.advanceAsync(1000)
    await revoked
    assert.deepEqual(started, [0, 1, 2], 'nothing new was started')
    assert.equal(drive.committed(), 1)
    assert.equal(contexts[1]?.owned, false)
    assert.equal(contexts[1]?.mark({ offset: 1 }), false)
  })

  it('abort at once on revocation when the consumer is long-running', async () => {
    const signals: AbortSignal[] = []
    const consumer = defineConsumer({
      topic: users,
      concurrency: 2,
      longRunning: true,
      each: (_message, { signal }) => {
        signals.push(signal)
        return new Promise((_resolve, reject) =>
          signal.addEventListener('abort', () => reject(signal.reason as Error)),
        )
      },
    })
    await using drive = driveConsumer(consumer)
    void drive.deliver(...keyed('a', 'b'))
    await drive.clock.advanceAsync(0)
    await drive.revoke()
    assert.deepEqual(
      signals.map(({ aborted }) => aborted),
      [true, true],
    )
    assert.deepEqual(drive.failures, [])
    assert.deepEqual(drive.marked, [])
  })

  it('give each call of a class its own message, and all of them one instance', async () => {
    const seen: string[] = []
    let instances = 0
    const { each, finish } = held()
    class UsersConsumer extends Consumer<typeof users> {
      readonly #own = ++instances
      async consume(): Promise<void> {
        const before = this.message.offset
        await each(this.message)
        seen.push(`${this.#own}: ${before} ${this.message.offset} ${String(this.message.value)}`)
      }
    }
    const consumer = defineConsumer({ topic: users, concurrency: 3, use: UsersConsumer })
    await using drive = driveConsumer(consumer)
    void drive.deliver(...keyed('a', 'b', 'c'))
    await drive.clock.advanceAsync(0)
    for (const offset of [2, 0, 1]) finish(offset)
    await drive.settle()
    assert.deepEqual(seen, ['1: 2 2 2', '1: 0 0 0', '1: 1 1 1'])
  })

  it('hold whole keys in a batch, and only the failing key comes again alone', async () => {
    const seen: number[][] = []
    const consumer = defineConsumer({
      topic: users,
      concurrency: 2,
      maxMessages: 10,
      retries: 1,
      backoff: '1s',
      deadLetter: true,
      batch(messages) {
        seen.push(Array.from(messages, ({ offset }) => offset))
        if ([...messages].some(({ key }) => key === 'bad')) throw new Error('bad')
      },
    })
    await using drive = driveConsumer(consumer)
    await drive.deliver(...keyed('a', 'bad', 'a', 'b'))
    await drive.advance('1s')
    assert.deepEqual(seen.slice(0, 2), [
      [0, 1, 2, 3],
      [0, 1, 2, 3],
    ])
    assert.deepEqual(
      seen
        .slice(2)
        .flat()
        .toSorted((left, right) => left - right),
      [0, 1, 2, 3],
      'one by one',
    )
    assert.ok(seen.slice(2).every(({ length }) => length === 1))
    assert.equal(drive.deadLetters.length, 1)
    assert.deepEqual(
      drive.marked.toSorted((left, right) => left - right),
      [0, 1, 2, 3],
    )
  })

  it('send a dead letter in the lane of its key, and hold that key alone while none can be written', async () => {
    const seen: number[] = []
    const consumer = defineConsumer({
      topic: users,
      concurrency: 2,
      retries: 0,
      backoff: '10s',
      deadLetter: true,
      each({ key, offset }) {
        seen.push(offset)
        if (key === 'bad' && offset === 0) throw new Error('bad')
      },
    })
    await using drive = driveConsumer(consumer)
    drive.failSends(() => new Error('no broker'))
    await drive.deliver(...keyed('bad', 'bad', 'a', 'b'))
    assert.deepEqual(seen, [0, 2, 3])
    drive.failSends(undefined)
    await drive.advance('10s')
    assert.deepEqual(seen, [0, 2, 3, 1], 'the handler did not see it again')
    assert.equal(drive.deadLetters.length, 1)
    assert.deepEqual(drive.marked, [2, 3, 0, 1])
  })

  it('drop everything in hand at a seek, once what runs is done', async () => {
    const { each, started, finish } = held()
    const consumer = defineConsumer({
      topic: users,
      concurrency: 2,
      async each(message, { seek }) {
        const isFirst = started.length === 0
        await each(message)
        if (isFirst) seek(1)
      },
    })
    await using drive = driveConsumer(consumer)
    void drive.deliver(...keyed('a', 'b', 'c'))
    await drive.clock.advanceAsync(0)
    assert.deepEqual(started, [0, 1])
    finish(0)
    await drive.clock.advanceAsync(0)
    assert.deepEqual(started, [0, 1], 'the other lane is still busy')
    finish(1)
    await drive.clock.advanceAsync(0)
    assert.deepEqual(started, [0, 1, 1, 2])
  })

  it('mark each message alone where offsets are manual', async () => {
    const consumer = defineConsumer({
      topic: users,
      concurrency: 3,
      offsets: 'manual',
      commit: { interval: '1s' },
      each(message, { mark, attempt }) {
        if (message.offset === 1) return
        mark(message)
        if (message.offset === 2 && attempt === 1)
          assert.throws(() => mark(message, { rewind: true }))
      },
    })
    await using drive = driveConsumer(consumer)
    await drive.deliver(...keyed('a', 'b', 'c', 'd'))
    await drive.advance('1s')
    assert.equal(drive.committed(), 1)
    assert.deepEqual(drive.marked, [0, 2, 3])
    drive.crash()
    await drive.settle()
    assert.deepEqual(drive.marked.slice(3), [2, 3], 'marked before, not handed over again')
  })

  it('time out, each by its own age', async () => {
    const consumer = defineConsumer({
      topic: users,
      concurrency: 2,
      timeout: '1s',
      backoff: '1h',
      each: ({ key }, { signal }) =>
        key === 'b'
          ? undefined
          : new Promise((_resolve, reject) =>
              signal.addEventListener('abort', () => reject(signal.reason as Error)),
            ),
    })
    await using drive = driveConsumer(consumer)
    void drive.deliver(...keyed('a', 'b'))
    await drive.clock.advanceAsync(500)
    void drive.deliver({ key: 'c', value: 2 })
    await drive.clock.advanceAsync(500)
    assert.deepEqual(
      drive.failures.map(({ offset }) => offset),
      [0],
    )
    await drive.clock.advanceAsync(500)
    assert.deepEqual(
      drive.failures.map(({ offset }) => offset),
      [0, 2],
    )
  })

  it('wait for a turn among all partitions of the process, and take what becomes free', async () => {
    let running = 0
    let most = 0
    const consumer = defineConsumer({
      topic: users,
      concurrency: 8,
      async each() {
        most = Math.max(most, ++running)
        await new Promise((resolve) => setImmediate(resolve))
        running--
      },
    })
    await using drive = driveConsumer(consumer, { slots: 3 })
    const keys = keyed(...Array.from({ length: 30 }, (_, index) => `k${index}`))
    await drive.deliver(...keys, ...keys.map((one) => ({ ...one, partition: 1 })))
    assert.equal(most, 3)
    assert.equal(drive.marked.length, 60)
  })

  it('wait for a delay in the order of the log, never early, none late', async () => {
    const seen: string[] = []
    const consumer = defineConsumer({
      topic: users,
      concurrency: 3,
      delay: '10s',
      each: ({ offset }) => void seen.push(`${offset} at ${drive.clock.monotonicMs() / 1000}`),
    })
    await using drive = driveConsumer(consumer)
    for (let second = 0; second < 3; second++) {
      await drive.deliver({ key: `k${second}`, value: second })
      await drive.advance('1s')
    }
    await drive.advance('30s')
    assert.deepEqual(seen, ['0 at 10', '1 at 11', '2 at 12'])
  })

  it('take from a throttle together', async () => {
    const seen: number[] = []
    const consumer = defineConsumer({
      topic: users,
      concurrency: 4,
      throttle: { limit: 3, per: '1m' },
      each: ({ offset }) => void seen.push(offset),
    })
    await using drive = driveConsumer(consumer)
    await drive.deliver(...keyed('a', 'b', 'c', 'd', 'e'))
    assert.deepEqual(seen, [0, 1, 2])
    assert.equal(drive.state().kind, 'paused')
    await drive.advance('1m')
    assert.deepEqual(seen, [0, 1, 2, 3, 4])
  })
})
