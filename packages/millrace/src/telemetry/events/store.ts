import { defineEvent } from '../define-event.ts'
import type { ConsumerPlace } from './app.ts'

export const storeEvents = {
  outboxRelayed: defineEvent<{
    /** The table. */
    readonly outbox: string
    readonly rows: number
    readonly durationMs: number
    /** How long the oldest of them had waited, in milliseconds. */
    readonly oldestMs: number
  }>('outbox.relayed', 'A round of outbox rows was acknowledged and deleted.'),
  outboxFailed: defineEvent<{
    readonly outbox: string
    readonly id: string
    readonly topic: string
    readonly error: unknown
  }>(
    'outbox.failed',
    'An outbox row was refused for good; it blocks its key until somebody retries or drops it.',
  ),
  outboxWaiting: defineEvent<{
    readonly outbox: string
    /** Rows not relayed yet; counted up to 100,000. */
    readonly rows: number
    /** Milliseconds since the oldest of them was written; 0 when there is none. */
    readonly oldestMs: number
    readonly failed: number
  }>('outbox.waiting', 'What lies in an outbox: told by its relay every 5 s.'),
  outboxLeased: defineEvent<{
    readonly outbox: string
    readonly relay: string
    readonly shards: readonly number[]
  }>('outbox.leased', 'The shards of an outbox that this relay sends have changed.'),
  consumerDuplicate: defineEvent<ConsumerPlace & { readonly offset: number; readonly id: string }>(
    'consumer.duplicate',
    'The inbox knew a message: it was finished without the handler.',
  ),
}
