/**
 * Produce (key 0).
 *
 * - Advertised from 0, served from 3: librdkafka before 2.11.1 switches compression off when it does not
 *   see v0. v0-2 carry message sets older than record batches and close the connection.
 * - One batch per partition, checked and given offsets at once, answered when this loop turn's writes
 *   are done; the connection's next Produce is taken meanwhile (group commit).
 * - acks 0 gets no answer; an error under it closes the connection, the one way to tell the client.
 *   acks 1 and -1 mean the same: there is one replica.
 * - A repeat of one of a producer's last batches is answered with its first offset (KIP-98).
 * - v8 record errors (KIP-467), v13 topics by id (KIP-516).
 * - **Not done**: transactions; their batches are refused with 48, from v11 on with 120.
 */
import {
  apis,
  checkProducedBatch,
  errorCodes,
  isTransactional,
  storedBatchOf,
  type ResponseInput,
} from '../../protocol/index.ts'
import type { PartitionLog, TopicRecord } from '../../storage/index.ts'
import { defineHandler, hangUp, Later, noAnswer, type Call } from './define-handler.ts'

type PartitionResponse = NonNullable<
  NonNullable<ResponseInput<typeof apis.produce>['responses']>[number]['partitionResponses']
>[number]

/** A batch, or the first of its repeats, that waits for its write. */
interface Pending {
  readonly log: PartitionLog
  readonly endOffset: number
  readonly response: Mutable<PartitionResponse>
}
type Mutable<T> = { -readonly [K in keyof T]: T[K] }

/** Kafka lets only its own admin client write into internal topics, by this very name. */
const adminClientId = '__admin_client'

export const produceHandler = defineHandler(
  apis.produce,
  { versions: [3, 13], advertiseFrom: 0 },
  (request, call) => {
    const { broker, version } = call
    const { acks } = request
    if (acks !== 0 && acks !== 1 && acks !== -1)
      return everywhere(request, errorCodes.INVALID_REQUIRED_ACKS)

    const pending: Pending[] = []
    let hasFailed = false
    const responses = request.topicData.map(({ name, topicId, partitionData }) => {
      const topic = version >= 13 ? broker.topics.withId(topicId) : broker.topics.named(name)
      return {
        name,
        topicId,
        partitionResponses: partitionData.map(({ index, records }) => {
          const response = produceTo(topic, index, records, call, pending)
          if (response.errorCode !== errorCodes.NONE) hasFailed = true
          return response
        }),
      }
    })
    if (acks === 0) return hasFailed ? hangUp : noAnswer
    const answer = { responses }
    if (pending.length === 0) return answer
    return new Later(
      broker.store.written().then(
        () => answer,
        () => {
          // One partition's disk error is not the other's: what the high watermark has passed is written.
          for (const { log, endOffset, response } of pending) {
            if (log.highWatermark >= endOffset) continue
            response.errorCode = errorCodes.KAFKA_STORAGE_ERROR
            response.errorMessage = reasonOf(response.errorCode, broker.store.isDiskFull) ?? null
            response.baseOffset = -1
          }
          return answer
        },
      ),
    )
  },
)

function produceTo(
  topic: TopicRecord | undefined,
  index: number,
  records: Buffer | null,
  call: Call,
  pending: Pending[],
): Mutable<PartitionResponse> {
  const { broker, version } = call
  if (topic === undefined) {
    return refuse(
      index,
      version >= 13 ? errorCodes.UNKNOWN_TOPIC_ID : errorCodes.UNKNOWN_TOPIC_OR_PARTITION,
    )
  }
  const log = broker.topics.partition(topic, index)
  if (log === undefined) return refuse(index, errorCodes.UNKNOWN_TOPIC_OR_PARTITION)
  if (topic.isInternal && call.clientId !== adminClientId)
    return refuse(
      index,
      errorCodes.INVALID_TOPIC_EXCEPTION,
      'internal topics are written by the broker',
    )

  const topicConfig = broker.topics.produceConfig(topic)
  const checked = checkProducedBatch(records, {
    produceVersion: version,
    topicConfig,
    nowMs: broker.clock.now(),
    inspect: broker.settings.checkRecords ? 'records' : 'header',
  })
  if (!('batch' in checked)) {
    return {
      ...refuse(index, checked.errorCode, checked.message, log),
      recordErrors: (checked.recordErrors ?? []).map((error) => ({
        batchIndex: error.index,
        batchIndexErrorMessage: error.message,
      })),
    }
  }
  if (isTransactional(checked.header.attributes)) {
    return refuse(
      index,
      version >= 11 ? errorCodes.TRANSACTION_ABORTABLE : errorCodes.INVALID_TXN_STATE,
      'this broker has no transactions',
      log,
    )
  }
  const stored = storedBatchOf(checked, topicConfig)
  if (!('batch' in stored)) return refuse(index, stored.errorCode, stored.message, log)
  const { batch, header } = stored
  const result = log.append(batch, header)
  switch (result.kind) {
    case 'refused':
      return refuse(
        index,
        result.errorCode,
        reasonOf(result.errorCode, broker.store.isDiskFull),
        log,
      )
    case 'duplicate': {
      // As Kafka: the time of the first append stands in for the append time.
      const response = accepted(index, result.baseOffset, result.timestampMs, log)
      const endOffset = result.baseOffset + header.recordsCount
      // The first may still be in the queue of this turn: then it shares its fate.
      if (log.highWatermark < endOffset) pending.push({ log, endOffset, response })
      return response
    }
    case 'appended': {
      const response = accepted(index, result.baseOffset, result.logAppendTimeMs, log)
      pending.push({ log, endOffset: result.baseOffset + header.recordsCount, response })
      return response
    }
  }
}

function accepted(
  index: number,
  baseOffset: number,
  logAppendTimeMs: number,
  log: PartitionLog,
): Mutable<PartitionResponse> {
  return {
    index,
    errorCode: errorCodes.NONE,
    baseOffset,
    logAppendTimeMs,
    logStartOffset: log.logStartOffset,
  }
}

/** @param log - given when the append was tried: then the answer tells where the log starts, as Kafka's does */
function refuse(
  index: number,
  errorCode: number,
  message?: string,
  log?: PartitionLog,
): Mutable<PartitionResponse> {
  const tellsStart = log !== undefined && !withoutStart.has(errorCode)
  return {
    index,
    errorCode,
    baseOffset: -1,
    ...(message === undefined ? {} : { errorMessage: message }),
    ...(tellsStart ? { logStartOffset: log.logStartOffset } : {}),
  }
}

/** What stands behind a storage error, since its name alone sends nobody to the disk. */
function reasonOf(errorCode: number, isDiskFull: boolean): string | undefined {
  if (errorCode !== errorCodes.KAFKA_STORAGE_ERROR) return undefined
  return isDiskFull ? 'the disk of the broker is full' : 'the broker could not write its log'
}

/** Errors for which Kafka looks at no log. */
const withoutStart: ReadonlySet<number> = new Set([
  errorCodes.CORRUPT_MESSAGE,
  errorCodes.MESSAGE_TOO_LARGE,
  errorCodes.RECORD_LIST_TOO_LARGE,
  errorCodes.KAFKA_STORAGE_ERROR,
  errorCodes.UNKNOWN_TOPIC_OR_PARTITION,
])

function everywhere(
  request: {
    readonly topicData: readonly {
      readonly name: string
      readonly topicId: string
      readonly partitionData: readonly { readonly index: number }[]
    }[]
  },
  errorCode: number,
): ResponseInput<typeof apis.produce> {
  return {
    responses: request.topicData.map(({ name, topicId, partitionData }) => ({
      name,
      topicId,
      partitionResponses: partitionData.map(({ index }) => refuse(index, errorCode)),
    })),
  }
}
