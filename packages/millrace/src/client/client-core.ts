import type { Clock } from '../kit/index.ts'
import type { ConnectionPool } from './connections/index.ts'
import type { MetadataCache } from './metadata/index.ts'

/** What the parts of a client share. */
export interface ClientCore {
  readonly clientId: string
  readonly clock: Clock
  readonly apiTimeoutMs: number
  readonly requestTimeoutMs: number
  readonly connections: ConnectionPool
  readonly metadata: MetadataCache
}
