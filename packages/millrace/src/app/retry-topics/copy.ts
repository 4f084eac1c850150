import { headerNames, headersOfCopy } from '../dead-letter/headers.ts'
import { describeError, idOf, originOf } from '../dead-letter/policy.ts'
import type { EncodedMessage, SourceMessage } from '../ports.ts'

export interface RetryEnvelope {
  readonly topic: string
  readonly groupId: string
  readonly dueMs: number
  /** Retry topics that the message has been tried in, this one included; 0 while it waits behind another. */
  readonly tries: number
  /** Failed attempts in the topic that it leaves. */
  readonly attempts: number
  readonly firstFailedAtMs: number | undefined
  /** Undefined: it was not tried. */
  readonly error: unknown
  /** Of the record that says that it is parked. */
  readonly parkedAt?: number | undefined
}

/**
 * The message as it goes into a retry topic: key and value bytes untouched, its headers in order, ours behind them. Always in
 * the partition of its source, and for this group alone: another application may have a group of the same name.
 *
 * It is stamped with the time of the move. With its own timestamp retention would take an old message at once.
 */
export function retryCopyOf(source: SourceMessage, envelope: RetryEnvelope): EncodedMessage {
  const origin = originOf(source)
  const own = new Map<string, string>()
  own.set(headerNames.id, idOf(source))
  own.set(headerNames.sourceTopic, origin.topic)
  own.set(headerNames.sourcePartition, String(origin.partition))
  own.set(headerNames.sourceOffset, String(origin.offset))
  own.set(headerNames.sourceTimestamp, String(origin.timestamp))
  own.set(headerNames.copyIn, envelope.topic)
  own.set(headerNames.onlyGroup, envelope.groupId)
  own.set(headerNames.retryAt, String(envelope.dueMs))
  own.set(headerNames.retryTries, String(envelope.tries))
  own.set(headerNames.attempts, String(origin.attempts + envelope.attempts))
  const firstFailedAtMs = origin.firstFailedAtMs ?? envelope.firstFailedAtMs
  if (firstFailedAtMs !== undefined) own.set(headerNames.firstFailedAt, String(firstFailedAtMs))
  if (envelope.error !== undefined)
    for (const [name, text] of describeError(envelope.error, false))
      own.set(`millrace-${name}`, text)
  if (envelope.parkedAt !== undefined && envelope.parkedAt >= 0)
    own.set(headerNames.parkedAt, String(envelope.parkedAt))

  const headers: (readonly [string, Buffer | string | null])[] = source.headers.filter(
    ([name]) => !own.has(name) && !headersOfCopy.includes(name),
  )
  for (const header of own) headers.push(header)
  return {
    topic: envelope.topic,
    partition: origin.partition,
    key: source.key,
    value: source.value,
    headers,
  }
}
