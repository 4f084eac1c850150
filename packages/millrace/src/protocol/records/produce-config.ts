import { compressionNames, type Compression } from '../compression/index.ts'

/** What a topic demands of a produced batch: its configs, read once. */
export interface ProduceConfig {
  readonly maxMessageBytes: number
  readonly segmentBytes: number
  readonly isCompacted: boolean
  readonly timestampType: 'CreateTime' | 'LogAppendTime'
  readonly timestampBeforeMaxMs: number
  readonly timestampAfterMaxMs: number
  /** `producer`: as it comes. */
  readonly compression: Compression | 'producer'
}

/** Reads Kafka's topic configs by their own names; one that is absent or no number has Kafka's default. */
export function produceConfigOf(configs: Readonly<Record<string, string>>): ProduceConfig {
  const compression = configs['compression.type']
  return {
    maxMessageBytes: numberOf(configs['max.message.bytes'], 1_048_588),
    segmentBytes: numberOf(
      configs['internal.segment.bytes'] ?? configs['segment.bytes'],
      1_073_741_824,
    ),
    isCompacted: (configs['cleanup.policy'] ?? 'delete').split(',').some(isCompact),
    timestampType:
      configs['message.timestamp.type'] === 'LogAppendTime' ? 'LogAppendTime' : 'CreateTime',
    timestampBeforeMaxMs: numberOf(
      configs['message.timestamp.before.max.ms'],
      Number.POSITIVE_INFINITY,
    ),
    timestampAfterMaxMs: numberOf(configs['message.timestamp.after.max.ms'], 3_600_000),
    compression:
      compression === 'uncompressed'
        ? 'none'
        : (compressionNames.find((name) => name === compression) ?? 'producer'),
  }
}

function isCompact(policy: string): boolean {
  return policy.trim() === 'compact'
}

function numberOf(text: string | undefined, otherwise: number): number {
  const value = Number(text)
  return text === undefined || text.trim() === '' || Number.isNaN(value) ? otherwise : value
}
