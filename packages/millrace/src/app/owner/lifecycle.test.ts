import assert from 'node:assert/strict'
import { describe, it } from 'node:test'

import { deferred } from '../../kit/index.ts'
import { driveConsumer } from '../../testing/drive-consumer.ts'
import { Consumer, defineConsumer, defineTopic, type Context } from '../index.ts'

const users = defineTopic('users')

describe('a partition, from assignment to its end', () => {
  it('runs the hooks of a class with the instance as this, one instance a partition', async () => {
    const calls: string[] = []
    let instances = 0
    class UsersConsumer extends Consumer<typeof users> {
      readonly number = ++instances
      say(what: string): void {
        calls.push(`${this.number} ${what} ${this.topic.name}/${this.partition}`)
      }
      override assigned(): void {
        this.say('assigned')
      }
      override beforePoll(): void {
        this.say('before')
      }
      override afterFetch(): void {
        this.say('fetched')
      }
      consume(): void {
        this.say(`consume ${String(this.message.value)}`)
      }
      override afterPoll(): void {
        this.say('after')
      }
      override beforeStop(): void {
        this.say('stop')
      }
    }
    await using drive = driveConsumer(defineConsumer({ topic: users, use: UsersConsumer }))
    await drive.deliver({ value: 'a' })
    const one = (...all: string[]): string[] => all.map((what) => `1 ${what} users/0`)
    assert.deepEqual(calls, [
      ...one('assigned', 'before', 'fetched', 'consume a', 'after', 'before'),
    ])
    calls.length = 0
    await drive.advance('1s')
    assert.deepEqual(calls, one('after', 'before'), 'also when nothing came')
    await drive.deliver({ value: 'b', partition: 1 })
    assert.equal(instances, 2)
    calls.length = 0
    await drive.stop()
    assert.deepEqual(calls.filter((call) => call.includes('stop')).toSorted(), [
      '1 stop users/0',
      '2 stop users/1',
    ])
  })

  it('goes on when a hook throws, and reports it', async () => {
    const consumer = defineConsumer({
      topic: users,
      each() {},
      hooks: {
        beforePoll() {
          throw new Error('before')
        },
        afterPoll() {
          throw new Error('after')
        },
        afterFetch() {
          throw new Error('fetched')
        },
      },
    })
    await using drive = driveConsumer(consumer)
    await drive.deliver({ value: 1 })
    assert.deepEqual(drive.marked, [0])
  })

  it('is blocked when `assigned` throws', async () => {
    const consumer = defineConsumer({
      topic: users,
      each() {},
      hooks: {
        assigned() {
          throw new Error('no state')
        },
      },
    })
    await using drive = driveConsumer(consumer)
    await drive.deliver({ value: 1 })
    assert.equal(drive.state().kind, 'blocked')
    assert.deepEqual(drive.marked, [])
  })

  it('may begin elsewhere when `assigned` seeks', async () => {
    const seen: number[] = []
    const consumer = defineConsumer({
      topic: users,
      each: ({ offset }) => void seen.push(offset),
      hooks: { assigned: (_assignment, { seek }) => seek(2) },
    })
    await using drive = driveConsumer(consumer)
    await drive.deliver({ value: 0 }, { value: 1 }, { value: 2 })
    assert.deepEqual(seen, [2])
  })

  it('is given back only when the running handler is done and its work committed', async () => {
    const running = deferred()
    const consumer = defineConsumer({
      topic: users,
      each: ({ offset }) => (offset === 1 ? running.promise : undefined),
    })
    await using drive = driveConsumer(consumer)
    void drive.deliver({ value: 0 }, { value: 1 }, { value: 2 })
    await drive.clock.advanceAsync(0)
    assert.equal(drive.state().kind, 'running')
    const revoked = drive.revoke()
    await drive.clock.advanceAsync(1000)
    assert.equal(drive.committed(), undefined)
    running.resolve()
    await revoked
    assert.equal(drive.committed(), 2)
    assert.deepEqual(drive.marked, [0, 1], 'the third was not started')
  })

  it('leaves a handler behind that ignores its aborted signal; what it does later counts for nothing', async () => {
    const running = deferred()
    let late: Context | undefined
    const consumer = defineConsumer({
      topic: users,
      async each(_message, context) {
        late = context
        await running.promise
      },
    })
    await using drive = driveConsumer(consumer)
    void drive.deliver({ value: 0 })
    await drive.clock.advanceAsync(0)
    const revoked = drive.revoke()
    assert.equal(late?.stopping, true)
    await drive.clock.advanceAsync(30_000)
    assert.equal(late?.signal.aborted, true)
    await drive.clock.advanceAsync(1000)
    await revoked
    running.resolve()
    await drive.clock.advanceAsync(0)
    assert.equal(late?.owned, false)
    assert.equal(late?.mark({ offset: 0 }), false)
    assert.equal(await late?.commit(), false)
    assert.deepEqual(drive.marked, [])
    assert.equal(drive.committed(), 0, 'the position it was found at')
  })

  it('does not count an attempt that an ending interrupted', async () => {
    const consumer = defineConsumer({
      topic: users,
      each: (_message, { signal }) =>
        new Promise((_resolve, reject) =>
          signal.addEventListener('abort', () => reject(signal.reason as Error)),
        ),
    })
    await using drive = driveConsumer(consumer)
    void drive.deliver({ value: 0 })
    await drive.clock.advanceAsync(0)
    const revoked = drive.revoke()
    await drive.clock.advanceAsync(30_000)
    await revoked
    assert.deepEqual(drive.failures, [])
  })

  it('commits nothing once it is lost', async () => {
    const owned: boolean[] = []
    const consumer = defineConsumer({
      topic: users,
      each() {},
      hooks: { revoked: (context) => void owned.push(context.owned) },
    })
    await using drive = driveConsumer(consumer)
    await drive.deliver({ value: 0 })
    await drive.lose()
    await drive.advance('1m')
    assert.deepEqual(owned, [false])
    assert.equal(drive.committed(), undefined)
  })

  it('commits on the interval, also when idle, and after so many marks', async () => {
    const consumer = defineConsumer({
      topic: users,
      commit: { interval: '10s', every: 3 },
      each() {},
    })
    await using drive = driveConsumer(consumer)
    await drive.deliver({ value: 0 })
    assert.equal(drive.committed(), undefined)
    await drive.advance('10s')
    assert.equal(drive.committed(), 1)
    await drive.deliver({ value: 1 }, { value: 2 }, { value: 3 })
    assert.equal(drive.committed(), 4)
  })

  it('commits by hand alone what was marked by hand', async () => {
    const consumer = defineConsumer({
      topic: users,
      offsets: 'manual',
      async each(message, { mark, commit }) {
        if (message.offset === 1) {
          assert.equal(mark(message), true)
          assert.equal(await commit(), true)
        }
      },
    })
    await using drive = driveConsumer(consumer)
    await drive.deliver({ value: 0 }, { value: 1 }, { value: 2 })
    assert.equal(drive.committed(), 2)
    await drive.advance('1m')
    assert.equal(drive.committed(), 2)
    drive.crash()
    await drive.settle()
    assert.equal(drive.committed(), 2)
  })

  it('pauses by hand and goes on by itself', async () => {
    const seen: number[] = []
    const consumer = defineConsumer({
      topic: users,
      each({ offset }, { pause }) {
        seen.push(offset)
        if (offset === 0) pause({ for: '1m' })
      },
    })
    await using drive = driveConsumer(consumer)
    await drive.deliver({ value: 0 }, { value: 1 })
    assert.deepEqual(seen, [0])
    await drive.advance('59s')
    assert.deepEqual(seen, [0])
    await drive.advance('1s')
    assert.deepEqual(seen, [0, 1])
  })

  it('seeks: what is in hand is dropped unmarked, a pending retry too', async () => {
    const seen: number[] = []
    const consumer = defineConsumer({
      topic: users,
      backoff: '1h',
      each({ offset }, { seek }) {
        seen.push(offset)
        if (offset === 2 && seen.length < 5) {
          seek(1)
          throw new Error('and a throw')
        }
      },
    })
    await using drive = driveConsumer(consumer)
    await drive.deliver({ value: 0 }, { value: 1 }, { value: 2 })
    assert.deepEqual(seen, [0, 1, 2, 1, 2])
    assert.equal(drive.failures.length, 1)
  })

  it('ticks and tells of idleness, never beside the handler', async () => {
    const calls: string[] = []
    const consumer = defineConsumer({
      topic: users,
      tickInterval: '5s',
      idleAfter: '7s',
      each: () => void calls.push('each'),
      hooks: {
        tick: () => void calls.push('tick'),
        idle: () => void calls.push('idle'),
        ended: () => void calls.push('ended'),
      },
    })
    await using drive = driveConsumer(consumer)
    await drive.deliver({ value: 0 })
    await drive.advance('12s')
    assert.deepEqual(calls, ['each', 'ended', 'tick', 'idle', 'tick'])
  })

  it('lets as many handlers run as there are slots, in turns', async () => {
    let running = 0
    let most = 0
    const order: number[] = []
    const consumer = defineConsumer({
      topic: users,
      async each({ partition }) {
        most = Math.max(most, ++running)
        order.push(partition)
        await new Promise((resolve) => setImmediate(resolve))
        running--
      },
    })
    await using drive = driveConsumer(consumer, { slots: 1 })
    await drive.deliver(
      ...[0, 1, 2].flatMap((partition) => [1, 2].map((value) => ({ partition, value }))),
    )
    assert.equal(most, 1)
    assert.deepEqual(order, [0, 1, 2, 0, 1, 2])
  })

  it('asks middleware around the handler, outermost first, and loses nothing to a forgotten next', async () => {
    const calls: string[] = []
    const consumer = defineConsumer({
      topic: users,
      backoff: '1h',
      middleware: [
        async (_job, next) => {
          calls.push('outer')
          return next()
        },
        async ({ messages }, next) => {
          calls.push('inner')
          if (messages[0]?.offset === 0) return next()
          return undefined
        },
      ],
      each: () => void calls.push('each'),
    })
    await using drive = driveConsumer(consumer)
    await drive.deliver({ value: 0 }, { value: 1 })
    assert.deepEqual(calls, ['outer', 'inner', 'each', 'outer', 'inner'])
    assert.match(String(drive.failures[0]?.error), /neither called next/)
    assert.deepEqual(drive.marked, [0])
  })

  it('stays quiet, whatever pauses and resumes meanwhile', async () => {
    const seen: number[] = []
    const consumer = defineConsumer({
      topic: users,
      maxMessages: 2,
      each({ offset }, { pause }) {
        seen.push(offset)
        if (offset === 0) pause({ for: '1m' })
      },
    })
    await using drive = driveConsumer(consumer)
    await drive.deliver({ value: 0 }, { value: 1 }, { value: 2 })
    drive.owner().quiet()
    await drive.advance('1m')
    assert.deepEqual(seen, [0, 1])
    drive.owner().resume()
    await drive.settle()
    assert.deepEqual(seen, [0, 1])
    assert.equal(drive.state().kind, 'paused')
  })
})
