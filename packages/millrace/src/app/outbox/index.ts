export { makeOutbox, type OutboxCore, type OutboxParts, type Queued, type Relay } from './outbox.ts'
export { defaultTable, shardCount, type OutboxOptions, type RelayOptions } from './options.ts'
export { startRelay, type StartedRelay, type StartRelayOptions } from './start-relay.ts'
export type { Lease, NewRow, OutboxEntry, OutboxStats, OutboxStore, StoredRow } from './store.ts'
