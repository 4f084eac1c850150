import { kafkaCodeOf } from '../../client/index.ts'
import { isFailure } from '../../errors/index.ts'

/**
 * What librdkafka calls the errors that a producer or consumer meets (`rd_kafka_err2str`), which callers of the gateway
 * compare with. By Kafka's code; others are named by their number.
 */
const brokerTexts: Readonly<Record<number, string>> = {
  1: 'Broker: Offset out of range',
  2: 'Broker: Invalid message',
  3: 'Broker: Unknown topic or partition',
  5: 'Broker: Leader not available',
  6: 'Broker: Not leader for partition',
  7: 'Broker: Request timed out',
  8: 'Broker: Broker not available',
  9: 'Broker: Replica not available',
  10: 'Broker: Message size too large',
  13: 'Broker: Broker disconnected before response received',
  14: 'Broker: Coordinator load in progress',
  15: 'Broker: Coordinator not available',
  16: 'Broker: Not coordinator',
  17: 'Broker: Invalid topic',
  18: 'Broker: Message batch larger than configured server segment size',
  19: 'Broker: Not enough in-sync replicas',
  20: 'Broker: Message(s) written to insufficient number of in-sync replicas',
  21: 'Broker: Invalid required acks value',
  22: 'Broker: Specified group generation id is not valid',
  23: 'Broker: Inconsistent group protocol',
  24: 'Broker: Invalid group.id',
  25: 'Broker: Unknown member',
  26: 'Broker: Invalid session timeout',
  27: 'Broker: Group rebalance in progress',
  29: 'Broker: Topic authorization failed',
  30: 'Broker: Group authorization failed',
  31: 'Broker: Cluster authorization failed',
  32: 'Broker: Invalid timestamp',
  35: 'Broker: API version not supported',
  36: 'Broker: Topic already exists',
  41: 'Broker: Not controller for cluster',
  42: 'Broker: Invalid request',
  44: 'Broker: Policy violation',
  45: 'Broker: Broker received an out of order sequence number',
  47: 'Broker: Producer attempted an operation with an old epoch',
  56: 'Broker: Disk error when trying to access log file on disk',
  58: 'Broker: SASL Authentication failed',
  59: 'Broker: Unknown Producer Id',
  74: 'Broker: Leader epoch is older than broker epoch',
  75: 'Broker: Leader epoch is newer than broker epoch',
  76: 'Broker: Unsupported compression type',
  78: 'Broker: Leader high watermark is not caught up',
  81: 'Broker: Consumer group has reached maximum size',
  82: 'Broker: Static consumer fenced by other consumer with same group.instance.id',
  87: 'Broker: Broker failed to validate record',
  89: 'Broker: Throttling quota has been exceeded',
}

export const texts = {
  unknownTopic: 'Local: Unknown topic',
  unknownPartition: 'Local: Unknown partition',
  erroneousState: 'Local: Erroneous state',
  tooLarge: 'Broker: Message size too large',
  invalid: 'Local: Invalid argument or configuration',
  queueFull: 'Local: Queue full',
  timedOut: 'Local: Timed out',
  messageTimedOut: 'Local: Message timed out',
  purged: 'Local: Purged in queue',
  noReset: 'Local: No offset to automatically reset to',
  badMessage: 'Local: Bad message format',
  badCompression: 'Local: Invalid compressed data',
  allDown: 'Local: All broker connections are down',
  transport: 'Local: Broker transport failure',
} as const

/** Kafka's code in librdkafka's words. */
export function brokerText(code: number): string {
  return brokerTexts[code] ?? `Broker: Unknown error ${code}`
}

/** An error of our client in librdkafka's words. */
export function textOf(error: unknown): string {
  const code = kafkaCodeOf(error)
  if (code !== undefined) return brokerText(code)
  if (isFailure(error, 'MR_TOPIC_UNKNOWN')) return texts.unknownTopic
  if (isFailure(error, 'MR_PARTITION_UNKNOWN')) return texts.unknownPartition
  if (isFailure(error, 'MR_PRODUCER_MESSAGE_TOO_LARGE')) return texts.tooLarge
  if (isFailure(error, 'MR_PRODUCER_MESSAGE_INVALID', 'MR_GATEWAY_PATTERN_SLOW'))
    return texts.invalid
  if (isFailure(error, 'MR_PRODUCER_BUFFER_FULL')) return texts.queueFull
  if (isFailure(error, 'MR_PRODUCER_CLOSED')) return texts.purged
  if (isFailure(error, 'MR_PRODUCER_EXPIRED', 'MR_PRODUCER_OUTCOME_UNKNOWN'))
    return texts.messageTimedOut
  if (isFailure(error, 'MR_CLIENT_TIMEOUT')) return texts.timedOut
  if (isFailure(error, 'MR_OFFSET_MISSING', 'MR_OFFSET_OUT_OF_RANGE', 'MR_OFFSETS_LOST'))
    return texts.noReset
  if (isFailure(error, 'MR_FETCH_CORRUPT', 'MR_PROTOCOL_BATCH_MALFORMED')) return texts.badMessage
  if (isFailure(error, 'MR_FETCH_BATCH_TOO_LARGE')) return texts.tooLarge
  if (isFailure(error, 'MR_PROTOCOL_COMPRESSION_UNKNOWN', 'MR_PROTOCOL_INFLATED_TOO_LARGE'))
    return texts.badCompression
  return texts.transport
}
