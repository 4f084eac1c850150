import type { Compression } from '../../protocol/index.ts'
import type { PartitionerName } from './partitioner.ts'

export interface ProducerOptions {
  /** -1: all in-sync replicas have it (default); 1: the leader has it; 0: nobody is asked, offsets are -1. */
  readonly acks?: -1 | 0 | 1
  /** No repeats and no change of order by retries. Default true with acks -1; needs acks -1. */
  readonly isIdempotent?: boolean
  /** How long a batch waits for more messages; default 0: to the end of the loop turn. */
  readonly lingerMs?: number
  /** A batch is sent when it has this size, uncompressed. Default 1 MiB. */
  readonly batchBytes?: number
  /** Default `none`. */
  readonly compression?: Compression
  /** Encoded messages that are not settled; further sends wait. Default 32 MiB. */
  readonly bufferBytes?: number
  /** How long a send may wait for metadata and for room in the buffer. Default 10 s. */
  readonly maxBlockMs?: number
  /** From `send` to its answer, retries included. Default 120 s. */
  readonly deliveryTimeoutMs?: number
  /** Requests in flight per broker, 1 to 5. Default 5. */
  readonly maxInFlight?: number
  /** A larger message is refused before it is sent. Default 1 000 012, which every Kafka takes by default. */
  readonly maxMessageBytes?: number
  /** Let the broker create a topic that is missing, where it may. Default true. */
  readonly mayCreateTopics?: boolean
  /** How long a missing topic may still be news that has not reached every broker. Default 3 s. */
  readonly unknownTopicMs?: number
  /** How keys choose partitions. Default `murmur2_random`, as the Java client. */
  readonly partitioner?: PartitionerName
}

export type ProducerSettings = Required<ProducerOptions>

/** As many batches as a broker remembers of an idempotent producer. */
const inFlightLimit = 5

export function producerSettings(options: ProducerOptions): ProducerSettings {
  const acks = options.acks ?? -1
  const maxInFlight = Math.min(Math.max(1, options.maxInFlight ?? inFlightLimit), inFlightLimit)
  return {
    acks,
    isIdempotent: acks === -1 && (options.isIdempotent ?? true),
    lingerMs: Math.max(0, options.lingerMs ?? 0),
    batchBytes: options.batchBytes ?? 1024 * 1024,
    compression: options.compression ?? 'none',
    bufferBytes: options.bufferBytes ?? 32 * 1024 * 1024,
    maxBlockMs: options.maxBlockMs ?? 10_000,
    deliveryTimeoutMs: options.deliveryTimeoutMs ?? 120_000,
    maxInFlight,
    maxMessageBytes: options.maxMessageBytes ?? 1_000_012,
    mayCreateTopics: options.mayCreateTopics ?? true,
    unknownTopicMs: options.unknownTopicMs ?? 3000,
    partitioner: options.partitioner ?? 'murmur2_random',
  }
}
