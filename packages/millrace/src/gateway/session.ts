import type { Reply } from './reply.ts'
import type { User } from './server/users.ts'

/** One connection as commands see it. What a part keeps for a connection, it keeps in a map by session. */
export interface Session {
  /** Counts up from 1: `CLIENT ID`. */
  readonly id: number
  /** `ip:port` of the peer; the path for a unix socket. */
  readonly address: string
  /** `<group>:<name>` once `CLIENT SETNAME` gave it. Only `server/` sets it. */
  readonly name: string | undefined
  /** The name, or the address while there is none. */
  readonly who: string
  readonly protocol: 2 | 3
  readonly user: User
  /** Epoch milliseconds of the last whole command: any command is a sign of life. */
  readonly lastCommandAtMs: number
  /** `CLIENT DURABLE`: RPUSHX answers after the broker's acknowledgement. */
  readonly isDurable: boolean
  /** `CLIENT META`: messages carry key, timestamp, headers and lag. */
  readonly wantsMeta: boolean
  /** `CLIENT NOTIFY`: pushes about rebalances and draining (RESP3). */
  readonly wantsNotify: boolean
  /** Aborted when the peer has ended its side, is gone, or the connection is closed: whatever blocks ends at once. */
  readonly signal: AbortSignal
  /** Sends beside the replies: lines of MONITOR, messages of SUBSCRIBE. Between replies, never inside one. */
  send(reply: Reply): void
  /** A RESP3 push (`>`); in RESP2 an array of the same elements. */
  push(items: readonly Reply[]): void
}
