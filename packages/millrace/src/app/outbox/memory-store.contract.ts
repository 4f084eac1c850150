import type { Clock } from '../../kit/index.ts'
import { shardCount } from './options.ts'
import type { Lease, NewRow, OutboxStore, StoredRow, Wanted } from './store.ts'

/** An outbox in memory, for tests of the relay; it keeps the contract of the databases. */
export class MemoryStore implements OutboxStore {
  readonly name = 'memory_outbox'
  readonly sql = ''
  rows: StoredRow[] = []
  /** What was asked for. */
  readonly reads: (readonly Wanted[])[] = []
  readonly failures = new Map<number, string>()
  /** Thrown by every call while it is set. */
  outage: Error | undefined
  readonly #clock: Clock
  readonly #leases = Array.from({ length: shardCount }, () => ({
    owner: '',
    epoch: 0,
    untilMs: 0,
  }))
  #seq = 0

  constructor(clock: Clock) {
    this.#clock = clock
  }

  insert(row: NewRow): Promise<StoredRow> {
    const stored = { ...row, seq: ++this.#seq, createdMs: this.#clock.now() }
    this.rows.push(stored)
    return Promise.resolve(stored)
  }

  async createTables(): Promise<void> {}

  async claim(owner: string, leaseMs: number): Promise<readonly Lease[]> {
    this.#check()
    const now = this.#clock.now()
    return this.#leases.flatMap((lease, shard) => {
      if (lease.untilMs > now && lease.owner !== owner) return []
      if (lease.owner !== owner) lease.epoch++
      lease.owner = owner
      lease.untilMs = now + leaseMs
      return [{ shard, epoch: lease.epoch }]
    })
  }

  async release(owner: string, leases: readonly Lease[]): Promise<void> {
    this.#check()
    for (const { shard } of leases) {
      const lease = this.#leases[shard]
      if (lease?.owner === owner) lease.untilMs = 0
    }
  }

  async read(wanted: readonly Wanted[]): Promise<StoredRow[]> {
    this.#check()
    this.reads.push(wanted)
    return wanted.flatMap(({ shard, limit, after }) =>
      this.rows
        .filter((row) => row.shard === shard && row.seq > after && this.#isOpen(row))
        .slice(0, limit),
    )
  }

  async remove(rows: readonly StoredRow[], leases: readonly Lease[]): Promise<number> {
    this.#check()
    const before = this.rows.length
    const gone = new Set(rows.filter((row) => this.#isHeld(row, leases)).map(({ seq }) => seq))
    this.rows = this.rows.filter(({ seq }) => !gone.has(seq))
    return before - this.rows.length
  }

  async markFailed(row: StoredRow, lease: Lease, reason: string): Promise<void> {
    this.#check()
    if (this.#isHeld(row, [lease])) this.failures.set(row.seq, reason)
  }

  async stats(): ReturnType<OutboxStore['stats']> {
    this.#check()
    const waiting = this.rows.filter(({ seq }) => !this.failures.has(seq))
    const oldestMs = waiting[0] === undefined ? 0 : this.#clock.now() - waiting[0].createdMs
    return { waiting: waiting.length, oldestMs, failed: this.failures.size }
  }

  async list({
    isFailed,
    limit,
  }: {
    readonly isFailed: boolean
    readonly limit: number
  }): ReturnType<OutboxStore['list']> {
    return this.rows
      .filter(({ seq }) => !isFailed || this.failures.has(seq))
      .slice(0, limit)
      .map(({ id, topic, key, value, createdMs, seq }) => ({
        id,
        topic,
        key: key?.toString() ?? null,
        bytes: (key?.length ?? 0) + (value?.length ?? 0),
        createdMs,
        failed: this.failures.get(seq) ?? null,
      }))
  }

  async retry(ids: readonly string[] | undefined): Promise<number> {
    const chosen = this.#failed(ids)
    for (const { seq } of chosen) this.failures.delete(seq)
    return chosen.length
  }

  async drop(ids: readonly string[] | undefined): Promise<number> {
    const chosen = this.#failed(ids)
    this.rows = this.rows.filter((row) => !chosen.includes(row))
    for (const { seq } of chosen) this.failures.delete(seq)
    return chosen.length
  }

  #failed(ids: readonly string[] | undefined): readonly StoredRow[] {
    return this.rows.filter(
      ({ seq, id }) => this.failures.has(seq) && (ids === undefined || ids.includes(id)),
    )
  }

  #isHeld({ shard }: StoredRow, leases: readonly Lease[]): boolean {
    const lease = leases.find((one) => one.shard === shard)
    return lease !== undefined && this.#leases[shard]?.epoch === lease.epoch
  }

  #isOpen(row: StoredRow): boolean {
    if (this.failures.has(row.seq)) return false
    return !this.rows.some(
      (other) =>
        this.failures.has(other.seq) &&
        other.seq < row.seq &&
        other.topic === row.topic &&
        row.key !== null &&
        other.key?.equals(row.key) === true,
    )
  }

  #check(): void {
    if (this.outage !== undefined) throw this.outage
  }
}
