import type { EncodedMessage, SourceMessage } from '../ports.ts'
import type { DeadLetterInfo } from './options.ts'

const prefix = 'millrace-'
const stackLimit = 4096
const messageLimit = 1024

export interface Envelope {
  readonly topic: string
  readonly partition: number | undefined
  readonly headers: 'full' | 'minimal'
  readonly withStack: boolean
  readonly more: Readonly<Record<string, string>>
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
  const own = new Map<string, string>()
  own.set('id', idOf(source))
  own.set('source-topic', source.topic)
  own.set('source-partition', String(source.partition))
  own.set('source-offset', String(source.offset))
  own.set('group', info.group)
  if (envelope.headers === 'full') {
    own.set('source-timestamp', String(source.timestamp))
    own.set('consumer', info.consumer)
    own.set('attempts', String(info.attempts))
    own.set('reason', info.reason)
    describeError(own, info.error, envelope.withStack)
    own.set('first-failed-at', String(info.firstFailedAtMs))
    own.set('failed-at', String(info.failedAtMs))
    own.set('worker', info.worker)
  }
  const headers: (readonly [string, Buffer | string | null])[] = source.headers.filter(
    ([name]) => !(name.startsWith(prefix) && own.has(name.slice(prefix.length))),
  )
  for (const [name, value] of own) headers.push([prefix + name, value])
  for (const more of Object.entries(envelope.more)) headers.push(more)

  const letter = { topic: envelope.topic, key: source.key, value: source.value, headers }
  return envelope.partition === undefined ? letter : { ...letter, partition: envelope.partition }
}

/** The id that travels with a message, or its coordinates. */
export function idOf(source: SourceMessage): string {
  const own = source.headers.findLast(([name]) => name === `${prefix}id`)?.[1]
  return own?.toString() ?? `${source.topic}/${source.partition}/${source.offset}`
}

function describeError(own: Map<string, string>, error: unknown, withStack: boolean): void {
  if (!(error instanceof Error)) {
    own.set('error-message', cut(String(error), messageLimit))
    return
  }
  if ('code' in error) own.set('error-code', String(error.code))
  own.set('error-class', error.constructor.name === 'Object' ? error.name : error.constructor.name)
  own.set('error-message', cut(error.message, messageLimit))
  if (withStack && error.stack !== undefined) own.set('error-stack', cut(error.stack, stackLimit))
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
