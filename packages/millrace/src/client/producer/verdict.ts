import type { MillraceError } from '../../errors/index.ts'
import { errorCodes, kafkaErrorOf } from '../../protocol/index.ts'
import { kafkaFailure } from '../kafka-failure.ts'

/** What a broker's answer, or the lack of one, means for a batch. */
export type Verdict =
  | { readonly kind: 'appended'; readonly offset: number; readonly appendTimeMs: number }
  /** Again later. `isUnsure`: the messages may have been written all the same. */
  | {
      readonly kind: 'retry'
      readonly reason: string
      readonly isUnsure: boolean
      readonly refreshesMetadata: boolean
    }
  /** Its sequence number is not the one the broker expects next. */
  | { readonly kind: 'gap'; readonly reason: string }
  /** The producer's epoch is refused. */
  | { readonly kind: 'fenced'; readonly reason: string }
  | { readonly kind: 'too-large'; readonly error: MillraceError }
  | {
      readonly kind: 'refused'
      readonly error: MillraceError
      /** For what the batch holds: no attempt can have been taken. Other refusals (no right) may come and go. */
      readonly isByContent: boolean
      /** Errors of their own, by index in the batch (KIP-467). */
      readonly byRecord?: ReadonlyMap<number, MillraceError>
    }

/** A partition's part of a Produce answer. */
export interface PartitionAnswer {
  readonly errorCode: number
  readonly baseOffset: number
  readonly logAppendTimeMs: number
  readonly errorMessage: string | null
  readonly recordErrors: readonly {
    readonly batchIndex: number
    readonly batchIndexErrorMessage: string | null
  }[]
}

/** After these the leader may have written the batch before it gave up. */
const unsureCodes: ReadonlySet<number> = new Set([
  errorCodes.REQUEST_TIMED_OUT,
  errorCodes.NOT_ENOUGH_REPLICAS_AFTER_APPEND,
])

const contentCodes: ReadonlySet<number> = new Set([
  errorCodes.INVALID_RECORD,
  errorCodes.INVALID_TIMESTAMP,
  errorCodes.UNSUPPORTED_COMPRESSION_TYPE,
])

export function verdictOf(
  topic: string,
  partition: number,
  answer: PartitionAnswer,
  isIdempotent: boolean,
): Verdict {
  const { errorCode } = answer
  if (errorCode === errorCodes.NONE) {
    const { baseOffset: offset, logAppendTimeMs: appendTimeMs } = answer
    return { kind: 'appended', offset, appendTimeMs }
  }
  // Written by a former attempt, where is not told.
  if (errorCode === errorCodes.DUPLICATE_SEQUENCE_NUMBER)
    return { kind: 'appended', offset: -1, appendTimeMs: -1 }
  const { name, retriable, refreshesMetadata } = kafkaErrorOf(errorCode)
  if (isIdempotent) {
    if (
      errorCode === errorCodes.OUT_OF_ORDER_SEQUENCE_NUMBER ||
      errorCode === errorCodes.UNKNOWN_PRODUCER_ID
    )
      return { kind: 'gap', reason: name }
    if (errorCode === errorCodes.INVALID_PRODUCER_EPOCH) return { kind: 'fenced', reason: name }
  }
  const what = `produce to ${topic}/${partition}`
  const error = kafkaFailure(what, errorCode, answer.errorMessage)
  if (errorCode === errorCodes.MESSAGE_TOO_LARGE || errorCode === errorCodes.RECORD_LIST_TOO_LARGE)
    return { kind: 'too-large', error }
  if (retriable) {
    const isUnsure = unsureCodes.has(errorCode)
    const reason = answer.errorMessage === null ? name : `${name} (${answer.errorMessage})`
    return { kind: 'retry', reason, isUnsure, refreshesMetadata }
  }
  const isByContent = contentCodes.has(errorCode)
  if (answer.recordErrors.length === 0) return { kind: 'refused', error, isByContent }
  const byRecord = new Map<number, MillraceError>()
  for (const { batchIndex, batchIndexErrorMessage } of answer.recordErrors)
    byRecord.set(batchIndex, kafkaFailure(what, errorCode, batchIndexErrorMessage))
  return {
    kind: 'refused',
    error: kafkaFailure(what, errorCode, 'another message of its batch is invalid'),
    isByContent,
    byRecord,
  }
}

/** No answer: the connection ended, or was never opened. */
export function lostVerdict(error: MillraceError, wasSent: boolean): Verdict {
  return { kind: 'retry', reason: error.message, isUnsure: wasSent, refreshesMetadata: true }
}
