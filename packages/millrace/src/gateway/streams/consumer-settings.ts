import type { GroupOptions } from '../../client/index.ts'
import type { PropertyValues } from '../settings.ts'

/** How consumers of the streams commands behave: the gateway's consumer section, as far as it means something here. */
export interface ConsumerSettings {
  readonly group: Pick<
    GroupOptions,
    'sessionTimeoutMs' | 'heartbeatIntervalMs' | 'isolation' | 'start' | 'fetch'
  >
  readonly maxPollIntervalMs: number
}

/** Fetched and not handed out, of one consumer. */
const bufferedBytes = 1024 * 1024

/** Partitions without a commit, which came after the group, are read whole: nothing is left out. */
export function consumerSettings(consumer: PropertyValues): ConsumerSettings {
  const number = (name: string): number | undefined => {
    const value = Number(consumer[name] ?? Number.NaN)
    return Number.isSafeInteger(value) && value > 0 ? value : undefined
  }
  const sessionTimeoutMs = number('session.timeout.ms') ?? 45_000
  // Members hear of each other by heartbeats, and sharing takes two rounds.
  const heartbeatMs = number('heartbeat.interval.ms') ?? 1000
  return {
    group: {
      sessionTimeoutMs,
      heartbeatIntervalMs: Math.min(heartbeatMs, Math.floor(sessionTimeoutMs / 3)),
      isolation:
        consumer['isolation.level'] === 'read_uncommitted' ? 'read_uncommitted' : 'read_committed',
      start: 'earliest',
      fetch: { bufferedBytes, perPartitionBytes: bufferedBytes },
    },
    maxPollIntervalMs: number('max.poll.interval.ms') ?? 300_000,
  }
}
