import type { RouteCell, RouteIncrements } from './fold.ts'

/** The lines of one partition from one position to another. */
export interface RouteBatch extends RouteIncrements {
  /** Where the store is believed to stand; null when it should know nothing of the partition. */
  readonly from: number | null
  /** The next offset after this batch. */
  readonly to: number
}

/** Not applied: the store stands elsewhere, and nothing of the batch was added. */
export type ApplyResult =
  | { readonly isApplied: true }
  | { readonly isApplied: false; readonly position: number | null }

/**
 * Where route metrics are kept. The position of a partition lies beside the numbers and moves with them in one
 * step, and only from where the batch begins. So a line is counted once, over crashes, redelivery, rebalances and
 * two owners at a time.
 */
export interface RouteStore extends AsyncDisposable {
  /** @param fence - `<group>/<topic>/<partition>` */
  position(fence: string): Promise<number | null>
  apply(fence: string, batch: RouteBatch): Promise<ApplyResult>
  /** Everything since the beginning, one cell a route. */
  totals(): Promise<readonly RouteCell[]>
  /** The minutes from `fromMinute` up to, not including, `toMinute`, of all routes or one. */
  minutes(query: MinuteQuery): Promise<readonly RouteCell[]>
  /** Lines by path without query; paths beyond the cap are together in `:other`. */
  paths(): Promise<ReadonlyMap<string, number>>
}

export interface MinuteQuery {
  readonly fromMinute: number
  readonly toMinute: number
  readonly app?: string
  readonly route?: string
}

export interface RouteLimits {
  /** Routes of one app; further ones are together in `:other`. Default 1,000. */
  readonly routesPerApp: number
  /** Paths of one app that are kept by name. Default 10,000. */
  readonly pathsPerApp: number
  /** How long minutes are kept. Default 24 h. */
  readonly seriesMs: number
}

export const defaultLimits: RouteLimits = {
  routesPerApp: 1000,
  pathsPerApp: 10_000,
  seriesMs: 24 * 3600 * 1000,
}

/** What does not get a name of its own. No path begins with a colon. */
export const otherRoute = ':other'
