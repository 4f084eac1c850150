import { defineTopic, json, type Topic } from '../app/index.ts'
import type { Duration } from '../kit/index.ts'
import type { DrainRecord } from './record.ts'

/** A topic of the drain, typed. */
export type DrainTopic<Name extends string = string> = Topic<Name, DrainRecord, DrainRecord, string>

/**
 * Declares a topic that the drain writes to: `router` and `logs` by default.
 *
 * @example
 * const router = drainTopic('router', { partitions: 4, retention: '7d' })
 */
export function drainTopic<const Name extends string>(
  name: Name,
  options: { readonly partitions?: number; readonly retention?: Duration } = {},
): DrainTopic<Name> {
  return defineTopic(name, { ...options, value: json<DrainRecord>() })
}
