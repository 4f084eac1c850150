/**
 * What an outbox needs of a database. Postgres and SQLite stand behind it.
 *
 * - A row exists until it is sent, and is found by existing: no cursor passes it by.
 * - A lease belongs to its owner until it expires by the database's clock; whoever takes it over raises the epoch.
 */

/** A row to be inserted. */
export interface NewRow {
  readonly shard: number
  /** A UUID: the message's `millrace-id`. */
  readonly id: string
  /** The declared name. */
  readonly topic: string
  readonly key: Buffer | null
  readonly value: Buffer | null
  /** As `encodeHeaders` wrote them. */
  readonly headers: Buffer
  readonly partition: number | null
  /** When it happened, epoch milliseconds. */
  readonly timestampMs: number
}

export interface StoredRow extends NewRow {
  /** Order of insertion: what keys are sent in. */
  readonly seq: number
  /** Epoch milliseconds by the database's clock. */
  readonly createdMs: number
}

export interface Lease {
  readonly shard: number
  readonly epoch: number
}

/** What to read of a shard. */
export interface Wanted {
  readonly shard: number
  readonly limit: number
  /** Only rows with a higher number; 0 for all. */
  readonly after: number
}

export interface OutboxStats {
  /** Rows that are not sent yet and have not failed; counted up to 100,000. */
  readonly waiting: number
  /** Milliseconds since the oldest of them was written; 0 when there is none. */
  readonly oldestMs: number
  readonly failed: number
}

/** A row as people see it. */
export interface OutboxEntry {
  readonly id: string
  readonly topic: string
  /** As text; null when it has none. */
  readonly key: string | null
  readonly bytes: number
  readonly createdMs: number
  /** Why it was refused for good; null while it waits. */
  readonly failed: string | null
}

export interface OutboxStore {
  /** The table. */
  readonly name: string
  /** Everything that the outbox needs in the database, as statements; safe to run again. */
  readonly sql: string
  createTables(): Promise<void>
  /** Takes what is free, renews what is the owner's; all that it holds then. */
  claim(owner: string, leaseMs: number): Promise<readonly Lease[]>
  release(owner: string, leases: readonly Lease[]): Promise<void>
  /**
   * Per shard the first rows in order of `seq`, without failed ones and without rows of a key that a failed row blocks.
   */
  read(wanted: readonly Wanted[]): Promise<StoredRow[]>
  /** Deletes rows whose shards are still held under the lease's epoch; how many it were. */
  remove(rows: readonly StoredRow[], leases: readonly Lease[]): Promise<number>
  markFailed(row: StoredRow, lease: Lease, reason: string): Promise<void>
  stats(): Promise<OutboxStats>
  list(options: { readonly isFailed: boolean; readonly limit: number }): Promise<OutboxEntry[]>
  /** Lets failed rows be sent again; without ids all of them. How many it were. */
  retry(ids: readonly string[] | undefined): Promise<number>
  /** Deletes failed rows for good; without ids all of them. How many it were. */
  drop(ids: readonly string[] | undefined): Promise<number>
  /** Hears other processes ring; resolves when it listens, to the function that ends it. */
  listen?(ring: () => void, onLost: (error: Error) => void): Promise<() => void>
  /** Rings for other processes, as a statement of its own. */
  notify?(): Promise<void>
}
