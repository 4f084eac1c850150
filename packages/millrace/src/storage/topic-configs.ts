/** The topic configs that storage acts on, by Kafka's names. Everything else is kept for others to read. */
export interface LogConfigs {
  readonly segmentBytes: number
  readonly segmentMs: number
  /** -1: for ever. */
  readonly retentionMs: number
  /** -1: without limit. */
  readonly retentionBytes: number
  readonly hasLogAppendTime: boolean
  /** `cleanup.policy` contains `delete`. */
  readonly isDeleting: boolean
}

export interface LogDefaults {
  readonly segmentBytes: number
  readonly segmentMs: number
  readonly retentionMs: number
  readonly retentionBytes: number
}

export const logDefaults: LogDefaults = {
  segmentBytes: 64 * 1024 * 1024,
  segmentMs: 7 * 86_400_000,
  retentionMs: 7 * 86_400_000,
  retentionBytes: -1,
}

/** Positions in index files are int32; one batch above the limit must still fit. */
const largestSegment = 1024 * 1024 * 1024

/** What is not a number, or out of range, counts as unset: the broker refuses such values before they come here. */
export function logConfigs(
  configs: Readonly<Record<string, string>>,
  defaults: LogDefaults,
): LogConfigs {
  const number = (name: string, least: number, otherwise: number): number => {
    const text = configs[name]
    const value = text === undefined ? NaN : Number(text)
    return Number.isFinite(value) && value >= least ? value : otherwise
  }
  return {
    segmentBytes: Math.min(largestSegment, number('segment.bytes', 1, defaults.segmentBytes)),
    segmentMs: number('segment.ms', 1, defaults.segmentMs),
    retentionMs: number('retention.ms', -1, defaults.retentionMs),
    retentionBytes: number('retention.bytes', -1, defaults.retentionBytes),
    hasLogAppendTime: configs['message.timestamp.type'] === 'LogAppendTime',
    isDeleting: (configs['cleanup.policy'] ?? 'delete').split(',').some(isDelete),
  }
}

function isDelete(policy: string): boolean {
  return policy.trim() === 'delete'
}
