import { failure } from '../../errors/index.ts'
import {
  backoffMs,
  parseDuration,
  sleep,
  systemClock,
  uuidV7,
  type Clock,
} from '../../kit/index.ts'
import { events } from '../../telemetry/index.ts'
import type { EncodedMessage, Runnable, RunnableContext, Sent } from '../ports.ts'
import { Bell } from './bell.ts'
import { decodeHeaders } from './headers.ts'
import { shardCount, type RelayOptions } from './options.ts'
import { judgeRound, shareRound } from './round.ts'
import type { Lease, OutboxStore, StoredRow } from './store.ts'

const backoff = { firstMs: 100, maxMs: 5000 }
const statsEveryMs = 5000

interface Held extends Lease {
  /** By our own clock, from before the lease was asked for: never later than the database's. */
  readonly untilMs: number
}

/**
 * Sends what lies in an outbox and deletes what is acknowledged.
 *
 * - Sends only rows of shards that it holds; looks at its own clock before each round and stops in time.
 * - No transaction is open while it sends.
 * - A row is deleted only after its acknowledgement. A crash in between repeats it, with the same `millrace-id`.
 */
export class OutboxRelay implements Runnable {
  readonly kind = 'outbox-relay'
  readonly name: string
  readonly store: OutboxStore
  readonly #id = uuidV7()
  readonly #leaseMs: number
  readonly #pollMs: number
  readonly #round: number
  readonly #bell = new Bell()
  readonly #join: (relay: OutboxRelay) => () => void
  #clock: Clock = systemClock
  #send: ((message: EncodedMessage) => Promise<Sent>) | undefined
  #wireName: (topic: string) => string = (topic) => topic
  #held: ReadonlyMap<number, Held> = new Map()
  #fullShards: ReadonlySet<number> = new Set()
  /** Undefined while it is not known. */
  #failedRows: number | undefined
  /** By shard, the number up to which everything that was there is sent and deleted. */
  #floors = new Map<number, number>()
  #wholeReadAtMs = 0
  #statsAtMs = 0
  #trouble: { readonly sinceMs: number; readonly reason: string } | undefined
  #attempts = 0
  #stopping = new AbortController()
  #ended: Promise<unknown> | undefined

  /** @param join - tells the outbox that a relay of this process begins; what it returns, that it has ended */
  constructor(store: OutboxStore, options: RelayOptions, join: (relay: OutboxRelay) => () => void) {
    this.store = store
    this.name = `relay of ${store.name}`
    this.#leaseMs = parseDuration(options.lease ?? '10s') ?? 10_000
    this.#pollMs = parseDuration(options.poll ?? '1s') ?? 1000
    this.#round = options.round ?? 500
    this.#join = join
  }

  /** Looks again at once: something was committed. */
  ring(): void {
    this.#bell.ring()
  }

  /** Holds every shard, so that nobody else needs to hear. */
  get isAlone(): boolean {
    return this.#held.size === shardCount && this.#currentLeases().length === shardCount
  }

  async start(context: RunnableContext): Promise<void> {
    const { producer, clock, wireName } = context
    // Bytes as they are, acknowledged by all replicas, whatever the application chose for its own sends.
    this.#send = (producer as unknown as RawProducer).sendRaw
    this.#clock = clock
    this.#wireName = wireName
    this.#stopping = new AbortController()
    const leave = this.#join(this)
    const loops = [this.#keepLeases(), this.#relay()]
    if (this.store.listen !== undefined)
      loops.push(this.#listen(this.store.listen.bind(this.store)))
    this.#ended = Promise.all(loops).finally(leave)
    await Promise.resolve()
  }

  /** Waits for the round under way; its shards are free at once when it came to its end. */
  async stop({ timeoutMs }: { readonly timeoutMs: number }): Promise<void> {
    const ended = this.#ended
    if (ended === undefined) return
    this.#ended = undefined
    this.#stopping.abort(new Error('the relay stops'))
    const limit = new AbortController()
    const late = sleep(this.#clock, timeoutMs, limit.signal).then(
      () => true,
      () => false,
    )
    const isLate = await Promise.race([ended.then(() => false), late])
    limit.abort(new Error('stopped'))
    const leases = [...this.#held.values()]
    this.#held = new Map()
    // What is still on its way may arrive: another relay must wait for the lease to run out.
    if (isLate || leases.length === 0) return
    try {
      await this.store.release(this.#id, leases)
    } catch (error) {
      this.#report(error)
    }
  }

  health(): ReturnType<Runnable['health']> {
    const reasons: string[] = []
    if (this.#trouble !== undefined) {
      const seconds = Math.round((this.#clock.monotonicMs() - this.#trouble.sinceMs) / 1000)
      reasons.push(`${this.name} makes no progress for ${seconds} s: ${this.#trouble.reason}`)
    }
    const failed = this.#failedRows ?? 0
    if (failed > 0)
      reasons.push(
        `${this.store.name}: ${failed} ${failed === 1 ? 'row was' : 'rows were'} refused; see millrace outbox list`,
      )
    return { isLive: true, isReady: this.#trouble === undefined, reasons }
  }

  // --- leases

  async #keepLeases(): Promise<void> {
    const { signal } = this.#stopping
    while (!signal.aborted) {
      try {
        await this.#claim()
        await this.#pause(this.#leaseMs / 3)
      } catch (error) {
        this.#troubled(error)
        await this.#pause(Math.min(this.#leaseMs / 10, 1000))
      }
    }
  }

  async #claim(): Promise<void> {
    const untilMs = this.#clock.monotonicMs() + this.#leaseMs
    const leases = await this.store.claim(this.#id, this.#leaseMs)
    // Another relay has them all, and the database answers.
    if (leases.length === 0) this.#trouble = undefined
    const before = this.#held
    this.#held = new Map(leases.map((lease) => [lease.shard, { ...lease, untilMs }]))
    const shards = leases.map(({ shard }) => shard).toSorted((left, right) => left - right)
    if (shards.some((shard) => !before.has(shard)) || before.size > shards.length) {
      // The one before may have left failed rows.
      this.#failedRows = undefined
      this.#statsAtMs = 0
      this.#floors.clear()
      events.outboxLeased.publish({ outbox: this.store.name, relay: this.#id, shards })
      this.#bell.ring()
    }
  }

  #currentLeases(): readonly Held[] {
    const now = this.#clock.monotonicMs()
    return [...this.#held.values()].filter(({ untilMs }) => now < untilMs)
  }

  // --- rounds

  async #relay(): Promise<void> {
    const { signal } = this.#stopping
    while (!signal.aborted) {
      try {
        const found = await this.#runRound()
        if (found !== 'no lease') {
          this.#trouble = undefined
          this.#attempts = 0
          await this.#tellStats()
        }
        if (found !== 'rows') await this.#bell.wait(this.#clock, this.#pollMs, signal)
      } catch (error) {
        this.#troubled(error)
        await this.#pause(backoffMs(backoff, ++this.#attempts))
      }
    }
  }

  /** @throws what stopped it; everything open comes again */
  async #runRound(): Promise<'rows' | 'nothing' | 'no lease'> {
    const leases = this.#currentLeases()
    if (leases.length === 0) return 'no lease'
    const floors = this.#takeFloors()
    const wanted = shareRound(leases, this.#round, this.#fullShards).map((share) => ({
      ...share,
      after: floors.get(share.shard) ?? 0,
    }))
    const rows = await this.store.read(wanted)
    if (rows.length === 0) return 'nothing'
    // The reading may have taken long.
    const held = new Map(this.#currentLeases().map((lease) => [lease.shard, lease]))
    const ours = held.size === leases.length ? rows : rows.filter(({ shard }) => held.has(shard))
    const startedMs = this.#clock.monotonicMs()
    const verdict = judgeRound(ours, await this.#sendAll(ours))
    const { done, retryAfter } = verdict

    let removed = 0
    if (done.length > 0) {
      removed = await this.store.remove(done, leases)
      if (events.outboxRelayed.isHeard) this.#tellRelayed(done, startedMs)
      // Somebody has taken a shard over, or dropped rows.
      if (removed < done.length) await this.#claim()
    }
    for (const { row, error } of verdict.refused) await this.#fail(row, error, held)
    if (retryAfter !== undefined) throw retryAfter
    this.#noteFullShards(rows, wanted)
    // Known before the reading, or a row that was retried meanwhile could be behind its floor.
    if (removed === rows.length && this.#failedRows === 0) this.#noteFloors(rows)
    return 'rows'
  }

  /**
   * In a backlog each reading would go over what was deleted before it, until the database has vacuumed. So it begins behind
   * that, where the round before was full and nothing was left of it; and over everything again after a poll's time, since a
   * row with a lower number may be committed late. With failed rows there are no floors: one that is retried stands before
   * later ones of its key.
   */
  #takeFloors(): ReadonlyMap<number, number> {
    const floors = this.#floors
    this.#floors = new Map()
    const now = this.#clock.monotonicMs()
    if (floors.size > 0 && this.#failedRows === 0 && now < this.#wholeReadAtMs) return floors
    this.#wholeReadAtMs = now + this.#pollMs
    return new Map()
  }

  #noteFloors(rows: readonly StoredRow[]): void {
    for (const { shard, seq } of rows) if (this.#fullShards.has(shard)) this.#floors.set(shard, seq)
  }

  #sendAll(rows: readonly StoredRow[]): Promise<readonly unknown[]> {
    const send = this.#send
    if (send === undefined) return Promise.resolve([])
    return Promise.all(rows.map((row) => send(this.#messageOf(row)).then(acknowledged, refused)))
  }

  #messageOf(row: StoredRow): EncodedMessage {
    const { key, value, partition, timestampMs } = row
    const topic = this.#wireName(row.topic)
    const headers = decodeHeaders(row.headers)
    const message = { topic, key, value, headers, timestamp: timestampMs }
    return partition === null ? message : { ...message, partition }
  }

  #noteFullShards(
    rows: readonly StoredRow[],
    wanted: readonly { readonly shard: number; readonly limit: number }[],
  ): void {
    const counts = new Map<number, number>()
    for (const { shard } of rows) counts.set(shard, (counts.get(shard) ?? 0) + 1)
    const full = wanted.filter(({ shard, limit }) => (counts.get(shard) ?? 0) >= limit)
    this.#fullShards = new Set(full.map(({ shard }) => shard))
  }

  async #fail(row: StoredRow, cause: unknown, held: ReadonlyMap<number, Lease>): Promise<void> {
    const lease = held.get(row.shard)
    if (lease === undefined) return
    const reason = reasonOf(cause)
    await this.store.markFailed(row, lease, reason)
    this.#failedRows = (this.#failedRows ?? 0) + 1
    const { id, topic } = row
    const outbox = this.store.name
    const error = failure('MR_OUTBOX_REFUSED', { outbox, id, topic, reason }, { cause })
    events.outboxFailed.publish({ outbox, id, topic, error })
    events.error.publish({ type: 'outbox', error })
  }

  // --- what others hear

  async #listen(listen: NonNullable<OutboxStore['listen']>): Promise<void> {
    const { signal } = this.#stopping
    while (!signal.aborted) {
      const lost = Promise.withResolvers<void>()
      const onAbort = (): void => lost.resolve()
      let end: (() => void) | undefined
      try {
        end = await listen(
          () => this.#bell.ring(),
          () => lost.resolve(),
        )
        signal.addEventListener('abort', onAbort, { once: true })
        await lost.promise
      } catch (error) {
        // The poll goes on; only the wait is longer.
        this.#report(error)
      }
      end?.()
      signal.removeEventListener('abort', onAbort)
      await this.#pause(1000)
    }
  }

  #tellRelayed(rows: readonly StoredRow[], startedMs: number): void {
    let createdMs = Infinity
    for (const row of rows) createdMs = Math.min(createdMs, row.createdMs)
    events.outboxRelayed.publish({
      outbox: this.store.name,
      rows: rows.length,
      durationMs: this.#clock.monotonicMs() - startedMs,
      oldestMs: Math.max(0, this.#clock.now() - createdMs),
    })
  }

  async #tellStats(): Promise<void> {
    const now = this.#clock.monotonicMs()
    if (now < this.#statsAtMs) return
    this.#statsAtMs = now + statsEveryMs
    const { waiting, oldestMs, failed } = await this.store.stats()
    this.#failedRows = failed
    if (events.outboxWaiting.isHeard)
      events.outboxWaiting.publish({ outbox: this.store.name, rows: waiting, oldestMs, failed })
  }

  #troubled(cause: unknown): void {
    if (this.#stopping.signal.aborted) return
    const reason = reasonOf(cause)
    // Told when it begins and when it changes, not at each attempt.
    if (this.#trouble?.reason !== reason) this.#report(cause)
    const sinceMs = this.#trouble?.sinceMs ?? this.#clock.monotonicMs()
    this.#trouble = { sinceMs, reason }
  }

  #report(cause: unknown): void {
    const outbox = this.store.name
    const reason = reasonOf(cause)
    const error = failure('MR_OUTBOX_RELAY_FAILED', { outbox, reason }, { cause })
    events.error.publish({ type: 'outbox', error })
  }

  async #pause(ms: number): Promise<void> {
    await sleep(this.#clock, ms, this.#stopping.signal).catch(() => undefined)
  }
}

interface RawProducer {
  readonly sendRaw: (message: EncodedMessage) => Promise<Sent>
}

function acknowledged(): undefined {
  return undefined
}

function refused(error: unknown): unknown {
  return error ?? new Error('the producer gave no reason')
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
