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
  4: 'Broker: Invalid message size',
  5: 'Broker: Leader not available',
  6: 'Broker: Not leader for partition',
  7: 'Broker: Request timed out',
  8: 'Broker: Broker not available',
  9: 'Broker: Replica not available',
  10: 'Broker: Message size too large',
  11: 'Broker: StaleControllerEpochCode',
  12: 'Broker: Offset metadata string too large',
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
  28: 'Broker: Commit offset data size is not valid',
  29: 'Broker: Topic authorization failed',
  30: 'Broker: Group authorization failed',
  31: 'Broker: Cluster authorization failed',
  32: 'Broker: Invalid timestamp',
  33: 'Broker: Unsupported SASL mechanism',
  34: 'Broker: Request not valid in current SASL state',
  35: 'Broker: API version not supported',
  36: 'Broker: Topic already exists',
  37: 'Broker: Invalid number of partitions',
  38: 'Broker: Invalid replication factor',
  39: 'Broker: Invalid replica assignment',
  40: 'Broker: Configuration is invalid',
  41: 'Broker: Not controller for cluster',
  42: 'Broker: Invalid request',
  43: 'Broker: Message format on broker does not support request',
  44: 'Broker: Policy violation',
  45: 'Broker: Broker received an out of order sequence number',
  46: 'Broker: Broker received a duplicate sequence number',
  47: 'Broker: Producer attempted an operation with an old epoch',
  48: 'Broker: Producer attempted a transactional operation in an invalid state',
  49: 'Broker: Producer attempted to use a producer id which is not currently assigned to its transactional id',
  50: "Broker: Transaction timeout is larger than the maximum value allowed by the broker's max.transaction.timeout.ms",
  51: 'Broker: Producer attempted to update a transaction while another concurrent operation on the same transaction was ongoing',
  52: 'Broker: Indicates that the transaction coordinator sending a WriteTxnMarker is no longer the current coordinator for a given producer',
  53: 'Broker: Transactional Id authorization failed',
  54: 'Broker: Security features are disabled',
  55: 'Broker: Operation not attempted',
  56: 'Broker: Disk error when trying to access log file on disk',
  57: 'Broker: The user-specified log directory is not found in the broker config',
  58: 'Broker: SASL Authentication failed',
  59: 'Broker: Unknown Producer Id',
  60: 'Broker: Partition reassignment is in progress',
  61: 'Broker: Delegation Token feature is not enabled',
  62: 'Broker: Delegation Token is not found on server',
  63: 'Broker: Specified Principal is not valid Owner/Renewer',
  64: 'Broker: Delegation Token requests are not allowed on this connection',
  65: 'Broker: Delegation Token authorization failed',
  66: 'Broker: Delegation Token is expired',
  67: 'Broker: Supplied principalType is not supported',
  68: 'Broker: The group is not empty',
  69: 'Broker: The group id does not exist',
  70: 'Broker: The fetch session ID was not found',
  71: 'Broker: The fetch session epoch is invalid',
  72: 'Broker: No matching listener',
  73: 'Broker: Topic deletion is disabled',
  74: 'Broker: Leader epoch is older than broker epoch',
  75: 'Broker: Leader epoch is newer than broker epoch',
  76: 'Broker: Unsupported compression type',
  77: 'Broker: Broker epoch has changed',
  78: 'Broker: Leader high watermark is not caught up',
  79: 'Broker: Group member needs a valid member ID',
  80: 'Broker: Preferred leader was not available',
  81: 'Broker: Consumer group has reached maximum size',
  82: 'Broker: Static consumer fenced by other consumer with same group.instance.id',
  83: 'Broker: Eligible partition leaders are not available',
  84: 'Broker: Leader election not needed for topic partition',
  85: 'Broker: No partition reassignment is in progress',
  86: 'Broker: Deleting offsets of a topic while the consumer group is subscribed to it',
  87: 'Broker: Broker failed to validate record',
  88: 'Broker: There are unstable offsets that need to be cleared',
  89: 'Broker: Throttling quota has been exceeded',
  90: 'Broker: There is a newer producer with the same transactionalId which fences the current one',
  91: 'Broker: Request illegally referred to resource that does not exist',
  92: 'Broker: Request illegally referred to the same resource twice',
  93: 'Broker: Requested credential would not meet criteria for acceptability',
  94: 'Broker: Indicates that the either the sender or recipient of a voter-only request is not one of the expected voters',
  95: 'Broker: Invalid update version',
  96: 'Broker: Unable to update finalized features due to server error',
  97: 'Broker: Request principal deserialization failed during forwarding',
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
