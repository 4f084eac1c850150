import type { Message } from '../message/message.ts'

/**
 * Remembers in the application's database which messages were handled: handler and memory share a transaction, so
 * that a message which comes twice changes nothing the second time. Made by `sqlInbox` of `millrace/postgres` and
 * `millrace/sqlite`.
 */
export interface Inbox<Tx = unknown> {
  readonly kind: 'inbox'
  /** The table. */
  readonly name: string
  /** The statements that make the table, for a migration. Safe to run again. */
  readonly sql: string
  /** Runs `sql`. */
  createTables(): Promise<void>
  /** Commits when `run` resolves, rolls back when it rejects. */
  transaction<R>(run: (tx: Tx) => Promise<R>): Promise<R>
  /** Remembers ids of a group; those that it did not know, each once. Waits for others that are at it. */
  remember(tx: Tx, group: string, ids: readonly string[]): Promise<ReadonlySet<string>>
  forget(tx: Tx, group: string, ids: readonly string[]): Promise<void>
  idOf(message: Message): string
  /** Deletes what is older than `keep`; how many it were. Called now and then by itself. */
  prune(): Promise<number>
}
