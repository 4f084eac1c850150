import assert from 'node:assert/strict'
import { describe, it } from 'node:test'

import { failure } from '../../errors/index.ts'
import { manualClock, type ManualClock } from '../../kit/index.ts'
import { events } from '../../telemetry/index.ts'
import type { EncodedMessage, RunnableContext, Sent } from '../ports.ts'
import { MemoryStore } from './memory-store.contract.ts'
import type { RelayOptions } from './options.ts'
import { outboxStoreContract, row } from './outbox-store.contract.ts'
import { OutboxRelay } from './relay.ts'

outboxStoreContract('memory', () => {
  const clock = manualClock()
  const store = new MemoryStore(clock)
  return Promise.resolve({
    store,
    insert: (one) => store.insert(one),
    pass: (ms) => clock.advanceAsync(ms),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  })
})

interface Send {
  readonly message: EncodedMessage
  readonly settle: (error?: unknown) => void
}

/** Relays on one store, and a producer whose answers the test gives. */
class Bench {
  readonly clock: ManualClock = manualClock()
  readonly store = new MemoryStore(this.clock)
  readonly sends: Send[] = []
  /** Acknowledges everything as it comes. */
  isQuick = true

  async start(options: RelayOptions = {}): Promise<OutboxRelay> {
    const relay = new OutboxRelay(this.store, options, () => () => {})
    const sendRaw = (message: EncodedMessage): Promise<Sent> =>
      new Promise((resolve, reject) => {
        const settle = (error?: unknown): void => {
          if (error === undefined)
            resolve({ topic: message.topic, partition: 0, offset: 0, timestamp: 0 })
          else reject(error)
        }
        this.sends.push({ message, settle })
        if (this.isQuick) settle()
      })
    await relay.start({
      producer: { sendRaw },
      clock: this.clock,
      wireName: (topic: string) => `wire-${topic}`,
    } as unknown as RunnableContext)
    await this.turn()
    return relay
  }

  async stop(relay: OutboxRelay, timeoutMs = 1000): Promise<void> {
    const stopped = relay.stop({ timeoutMs })
    await this.clock.advanceAsync(timeoutMs)
    await stopped
  }

  async turn(ms = 0): Promise<void> {
    for (let count = 0; count < 5; count++) await new Promise((resolve) => setImmediate(resolve))
    if (ms > 0) await this.clock.advanceAsync(ms)
    for (let count = 0; count < 5; count++) await new Promise((resolve) => setImmediate(resolve))
  }

  get keys(): string[] {
    return this.sends.map(({ message }) => String(message.key))
  }
}

const away = failure('MR_PRODUCER_EXPIRED', {
  topic: 'orders',
  partition: 0,
  timeoutMs: 1,
  reason: 'the leader is away',
})

describe('a relay', () => {
  it('finds rows by looking, at the poll and when it is rung', async () => {
    const bench = new Bench()
    const relay = await bench.start()
    await bench.store.insert(row(0, 'a'))
    await bench.turn()
    assert.deepEqual(bench.keys, [])
    await bench.turn(1000)
    assert.deepEqual(bench.keys, ['a'])
    assert.equal(bench.sends[0]?.message.topic, 'wire-orders')
    await bench.store.insert(row(5, 'b'))
    relay.ring()
    await bench.turn()
    assert.deepEqual(bench.keys, ['a', 'b'])
    assert.deepEqual(bench.store.rows, [])
    assert.equal(relay.isAlone, true)
    await bench.stop(relay)
  })

  it('reads a backlog behind what it has deleted, and everything again after a poll', async () => {
    const bench = new Bench()
    for (let count = 0; count < 400; count++) await bench.store.insert(row(3, 'a'))
    bench.isQuick = false
    const relay = await bench.start({ round: 100 })
    const sent: string[] = []
    const settle = async (): Promise<void> => {
      sent.push(...bench.keys)
      for (const send of bench.sends.splice(0)) send.settle()
      await bench.turn()
    }
    const after = (): number => bench.store.reads.at(-1)?.[3]?.after ?? 0
    // The first round does not know yet that nothing has failed.
    await settle()
    await settle()
    assert.ok(after() > 0)
    // Committed late, with a number from before the backlog.
    const late = await bench.store.insert(row(3, 'late'))
    bench.store.rows = [{ ...late, seq: 0.5 }, ...bench.store.rows.filter((one) => one !== late)]
    await settle()
    assert.ok(after() > 0, 'still behind')
    assert.ok(!bench.keys.includes('late'))
    await bench.clock.advanceAsync(1000)
    await settle()
    assert.equal(after(), 0)
    assert.deepEqual(bench.keys[0], 'late')
    while (bench.sends.length > 0) await settle()
    assert.deepEqual(bench.store.rows, [])
    assert.equal(sent.length, 401)
    await bench.stop(relay)
  })

  it('reads from the start while a failed row blocks others, so that a retried one keeps its place', async () => {
    const bench = new Bench()
    const first = await bench.store.insert(row(3, 'b'))
    bench.store.failures.set(first.seq, 'too large')
    for (let count = 0; count < 400; count++) await bench.store.insert(row(3, 'a'))
    const relay = await bench.start({ round: 100 })
    await bench.turn(1000)
    assert.ok(bench.store.reads.length > 4)
    assert.ok(bench.store.reads.flat().every(({ after }) => after === 0))
    await bench.stop(relay)
  })

  it('deletes nothing before its acknowledgement', async () => {
    const bench = new Bench()
    bench.isQuick = false
    await bench.store.insert(row(0, 'a'))
    const relay = await bench.start()
    await bench.turn(5000)
    assert.equal(bench.sends.length, 1, 'and sends it once while it waits')
    assert.equal(bench.store.rows.length, 1)
    bench.sends[0]?.settle()
    await bench.turn()
    assert.equal(bench.store.rows.length, 0)
    await bench.stop(relay)
  })

  it('tries again after the back-off, in order, and tells its trouble once', async () => {
    const bench = new Bench()
    bench.isQuick = false
    const told: unknown[] = []
    const unsubscribe = events.error.subscribe(
      ({ type, error }) => type === 'outbox' && told.push(error),
    )
    for (const key of ['a', 'a', 'b']) await bench.store.insert(row(0, key))
    const relay = await bench.start()
    const [first, second, third] = bench.sends
    first?.settle(away)
    second?.settle()
    third?.settle()
    await bench.turn()
    assert.equal(bench.store.rows.length, 2, 'the acknowledged one behind it stays')
    assert.equal(relay.health().isReady, false)
    assert.match(relay.health().reasons[0] ?? '', /makes no progress .* the leader is away/)
    await bench.turn(100)
    assert.deepEqual(bench.keys.slice(3), ['a', 'a'])
    for (const { settle } of bench.sends.slice(3)) settle(away)
    await bench.turn(250)
    bench.isQuick = true
    for (const { settle } of bench.sends.slice(5)) settle()
    await bench.turn(1000)
    assert.deepEqual(bench.store.rows, [])
    assert.equal(relay.health().isReady, true)
    assert.equal(told.length, 1)
    unsubscribe()
    await bench.stop(relay)
  })

  it('goes on after an outage of the database, and tells it once', async () => {
    const bench = new Bench()
    const told: unknown[] = []
    const unsubscribe = events.error.subscribe(
      ({ type, error }) => type === 'outbox' && told.push(error),
    )
    const relay = await bench.start()
    bench.store.outage = new Error('no connection')
    await bench.turn(20_000)
    assert.equal(relay.health().isReady, false)
    await bench.store.insert(row(0, 'a'))
    bench.store.outage = undefined
    await bench.turn(6000)
    assert.deepEqual(bench.keys, ['a'])
    assert.equal(relay.health().isReady, true)
    assert.equal(told.length, 1)
    unsubscribe()
    await bench.stop(relay)
  })

  it('that was frozen past its lease deletes nothing, and its shards stay with the other', async () => {
    const bench = new Bench()
    bench.isQuick = false
    await bench.store.insert(row(0, 'old'))
    const frozen = await bench.start()
    // Its renewals do not arrive, as in a process that is stopped.
    const claim = bench.store.claim.bind(bench.store)
    let owner = ''
    bench.store.claim = (who, leaseMs) => {
      owner ||= who
      return who === owner && isFrozen ? Promise.reject(new Error('frozen')) : claim(who, leaseMs)
    }
    let isFrozen = true
    await bench.turn(3400)
    assert.notEqual(owner, '')
    await bench.turn(10_000)
    bench.isQuick = true
    const other = await bench.start()
    assert.deepEqual(bench.keys, ['old', 'old'], 'the successor repeats what was not deleted')
    await bench.store.insert(row(0, 'new'))
    isFrozen = false
    bench.sends[0]?.settle()
    await bench.turn(1000)
    assert.deepEqual(bench.keys, ['old', 'old', 'new'])
    assert.equal(frozen.isAlone, false)
    assert.equal(other.isAlone, true)
    await bench.stop(frozen)
    await bench.stop(other)
  })

  it('gives its shards back when it stops, but not while something is on its way', async () => {
    const bench = new Bench()
    const first = await bench.start()
    await bench.stop(first)
    const second = await bench.start()
    assert.equal(second.isAlone, true, 'at once')
    bench.isQuick = false
    await bench.store.insert(row(0, 'a'))
    second.ring()
    await bench.turn()
    await bench.stop(second, 500)
    const third = await bench.start()
    assert.equal(third.isAlone, false, 'what is on its way may still arrive')
    await bench.turn(10_000)
    await bench.turn(3400)
    assert.equal(third.isAlone, true)
    for (const { settle } of bench.sends) settle()
    await bench.stop(third)
  })
})
