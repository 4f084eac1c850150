import type { Clock } from '../kit/index.ts'
import type { LogStore } from '../storage/index.ts'
import type { FetchSessions } from './fetching/fetch-sessions.ts'
import type { GroupCoordinator } from './groups/group-coordinator.ts'
import type { BrokerSettings } from './options.ts'
import type { Topics } from './topics/topics.ts'

/** A row of the ApiVersions answer. */
export interface ApiRange {
  readonly apiKey: number
  readonly minVersion: number
  readonly maxVersion: number
}

/** What handlers work on. Everything here changes on one event loop and nowhere else. */
export interface BrokerCore {
  readonly settings: BrokerSettings
  readonly clock: Clock
  readonly store: LogStore
  readonly topics: Topics
  readonly groups: GroupCoordinator
  readonly sessions: FetchSessions
  readonly apiRanges: readonly ApiRange[]
}
