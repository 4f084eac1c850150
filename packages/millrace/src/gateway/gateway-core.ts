import type { Client } from '../client/index.ts'
import type { Clock } from '../kit/index.ts'
import type { Session } from './session.ts'
import type { GatewaySettings } from './settings.ts'

/** What all parts share. */
export interface GatewayCore {
  readonly settings: GatewaySettings
  readonly clock: Clock
  /** For producing, metadata and admin calls. */
  readonly client: Client
  /** Another client of the same cluster, under a name of its own. Whoever opens it closes it. */
  openClient(clientId: string): Client
  /** No new names, no new consumers. */
  readonly isDraining: boolean
  /** Open connections, by id. */
  readonly sessions: ReadonlyMap<number, Session>
}
