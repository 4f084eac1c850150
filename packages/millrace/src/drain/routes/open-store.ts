import { openRedisStore } from './redis-store.ts'
import { openSqliteStore } from './sqlite-store.ts'
import type { Clock } from '../../kit/index.ts'
import type { RouteLimits, RouteStore } from './store.ts'

export type RouteStoreOptions = {
  readonly limits?: Partial<RouteLimits>
  readonly clock?: Clock
} & (
  | {
      /** Keep the metrics in a file here. */
      readonly folder: string
      /** For looking only. */
      readonly isReadOnly?: boolean
    }
  | {
      /** Keep the metrics in this Redis. */
      readonly redis: string
      /** Default true. */
      readonly view2016?: boolean
    }
)

/**
 * Opens the store of route metrics: a local file, or Redis.
 *
 * @throws MR_ROUTES_STORE_OPEN, MR_ROUTES_REDIS_MISSING
 */
export async function openRouteStore(options: RouteStoreOptions): Promise<RouteStore> {
  if ('redis' in options) {
    const { redis, ...others } = options
    return openRedisStore({ url: redis, ...others })
  }
  return openSqliteStore(options)
}
