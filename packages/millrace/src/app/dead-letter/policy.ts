import type { EncodedMessage, SourceMessage } from '../ports.ts'
import {
  headerBytes,
  headerNames,
  headerNumber,
  headerPrefix,
  headersOfCopy,
  headerText,
} from './headers.ts'
import type { DeadLetterExtras, DeadLetterInfo } from './options.ts'

const stackLimit = 4096
const messageLimit = 1024

export interface Envelope {
  readonly topic: string
  readonly partition: number | undefined
  readonly headers: 'full' | 'minimal'
  readonly key: 'same' | 'unique'
  readonly withStack: boolean
  readonly more: DeadLetterExtras
}

/**
 * The message as it goes to the dead letter topic: key and value bytes untouched, every original header kept,
 * in order, ours behind them. Headers of ours from an earlier letter are replaced, and `millrace-id` stays.
 */
export function deadLetterOf(
  source: SourceMessage,
  info: DeadLetterInfo,
  envelope: Envelope,
): EncodedMessage {
  const origin = originOf(source)
  const own = new Map<string, string | Buffer | null>()
  const set = (name: string, value: string | number): void =>
    void own.set(headerPrefix + name, String(value))
  set('id', idOf(source))
  set('source-topic', origin.topic)
  set('source-partition', origin.partition)
  set('source-offset', origin.offset)
  set('group', info.group)
  if (envelope.headers === 'full') {
    set('source-timestamp', origin.timestamp)
    set('consumer', info.consumer)
    set('attempts', origin.attempts + info.attempts)
    set('reason', info.reason)
    for (const [name, text] of describeError(info.error, envelope.withStack)) set(name, text)
    set('first-failed-at', origin.firstFailedAtMs ?? info.firstFailedAtMs)
    set('failed-at', info.failedAtMs)
    set('worker', info.worker)
    const traceId = traceIdOf(source)
    if (traceId !== undefined) own.set(headerNames.traceId, traceId)
    set('redrives', headerNumber(source.headers, headerNames.redrives) ?? 0)
  }
  const isUnique = envelope.key === 'unique'
  if (isUnique) own.set(headerNames.sourceKey, source.key)

  const headers: (readonly [string, Buffer | string | null])[] = source.headers.filter(
    ([name]) => !own.has(name) && !headersOfCopy.includes(name),
  )
  for (const header of own) headers.push(header)
  const { headers: more = {}, key } = envelope.more
  for (const header of Object.entries(more)) headers.push(header)

  const unique = `${origin.topic}/${origin.partition}/${origin.offset}`
  const letter = {
    topic: envelope.topic,
    key: key === undefined ? (isUnique ? unique : source.key) : key,
    value: source.value,
    headers,
  }
  return envelope.partition === undefined ? letter : { ...letter, partition: envelope.partition }
}

/** The id that travels with a message, or its coordinates. */
export function idOf(source: SourceMessage): string {
  const { topic, partition, offset } = originOf(source)
  return headerText(source.headers, headerNames.id) ?? `${topic}/${partition}/${offset}`
}

export interface Origin {
  readonly topic: string
  readonly partition: number
  readonly offset: number
  readonly timestamp: number
  /** Failed attempts before this topic. */
  readonly attempts: number
  readonly firstFailedAtMs: number | undefined
}

/** Where a message lay before it was moved into a retry topic; for every other message, where it lies. */
export function originOf(source: SourceMessage): Origin {
  const { headers, topic, partition, offset, timestamp } = source
  if (!isRetryCopy(source))
    return { topic, partition, offset, timestamp, attempts: 0, firstFailedAtMs: undefined }
  return {
    topic: headerText(headers, headerNames.sourceTopic) ?? topic,
    partition: headerNumber(headers, headerNames.sourcePartition) ?? partition,
    offset: headerNumber(headers, headerNames.sourceOffset) ?? offset,
    timestamp: headerNumber(headers, headerNames.sourceTimestamp) ?? timestamp,
    attempts: headerNumber(headers, headerNames.attempts) ?? 0,
    firstFailedAtMs: headerNumber(headers, headerNames.firstFailedAt),
  }
}

/** A message that this topic holds because it failed elsewhere; not one that was sent here with such headers. */
export function isRetryCopy({ headers, topic }: SourceMessage): boolean {
  return (
    headerBytes(headers, headerNames.retryAt) !== undefined &&
    headerText(headers, headerNames.copyIn) === topic
  )
}

/** The trace of a W3C `traceparent`; one that an earlier letter carries stays by itself. */
function traceIdOf({ headers }: SourceMessage): string | undefined {
  const parent = headerText(headers, 'traceparent')
  return parent === undefined ? undefined : /^[\da-f]{2}-([\da-f]{32})-/.exec(parent)?.[1]
}

/** What an error looks like in headers, by their names without the prefix. */
export function describeError(
  error: unknown,
  withStack: boolean,
): readonly (readonly [name: string, text: string])[] {
  if (!(error instanceof Error)) return [['error-message', cut(String(error), messageLimit)]]
  const found: (readonly [string, string])[] = []
  if ('code' in error) found.push(['error-code', String(error.code)])
  const { name } = error.constructor
  found.push(
    ['error-class', name === 'Object' || name === '' ? error.name : name],
    ['error-message', cut(error.message, messageLimit)],
  )
  if (withStack && error.stack !== undefined)
    found.push(['error-stack', cut(error.stack, stackLimit)])
  return found
}

/** At most `limit` bytes of UTF-8, cut between characters. */
function cut(text: string, limit: number): string {
  const bytes = Buffer.from(text)
  if (bytes.length <= limit) return text
  let end = limit
  while (((bytes[end] ?? 0) & 0xc0) === 0x80) end--
  return bytes.toString('utf8', 0, end)
}

export interface StormRules {
  readonly limit: number
  readonly perMs: number
  readonly pauseMs: number
}

/** Counts letters of one partition over a sliding window. */
export class StormWatch {
  readonly #rules: StormRules
  #sentAt: number[] = []

  constructor(rules: StormRules) {
    this.#rules = rules
  }

  /** Notes a letter; true when that is more than the window may hold, and the count begins anew. */
  isStorm(nowMs: number): boolean {
    const from = nowMs - this.#rules.perMs
    this.#sentAt = this.#sentAt.filter((at) => at > from)
    this.#sentAt.push(nowMs)
    if (this.#sentAt.length <= this.#rules.limit) return false
    this.#sentAt = []
    return true
  }
}
