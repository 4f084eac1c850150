import { failure } from '../errors/index.ts'

/** A message as `-o ndjson` shows it and `write --input ndjson` reads it back unchanged. */
export interface Envelope {
  readonly topic?: string
  readonly partition?: number
  readonly offset?: number
  /** Epoch milliseconds. */
  readonly timestamp?: number
  readonly key: string | null
  readonly keyBase64?: string
  readonly value: string | null
  readonly valueBase64?: string
  /** In order, repeats kept. */
  readonly headers: readonly EnvelopeHeader[]
}

export interface EnvelopeHeader {
  readonly name: string
  readonly value: string | null
  readonly valueBase64?: string
}

export interface MessageBytes {
  readonly key: Buffer | null
  readonly value: Buffer | null
  readonly timestamp: number
  readonly headers: readonly (readonly [string, Buffer | null])[]
}

/** Bytes that are not UTF-8 stand in base64 beside their lossy text. */
export function toEnvelope(
  message: MessageBytes & {
    readonly topic: string
    readonly partition: number
    readonly offset: number
  },
): Envelope {
  const { topic, partition, offset, timestamp } = message
  const keyBase64 = base64Of(message.key)
  const valueBase64 = base64Of(message.value)
  return {
    topic,
    partition,
    offset,
    timestamp,
    key: textOf(message.key),
    ...(keyBase64 === undefined ? {} : { keyBase64 }),
    value: textOf(message.value),
    ...(valueBase64 === undefined ? {} : { valueBase64 }),
    headers: message.headers.map(toHeader),
  }
}

function toHeader([name, value]: readonly [string, Buffer | null]): EnvelopeHeader {
  const valueBase64 = base64Of(value)
  return { name, value: textOf(value), ...(valueBase64 === undefined ? {} : { valueBase64 }) }
}

/** @throws MR_CLI_INPUT for a line that is no envelope; the text never holds the line's content */
export function fromEnvelope(
  line: string,
): Omit<MessageBytes, 'timestamp'> & { readonly timestamp?: number } {
  const parsed = parseLine(line)
  const { timestamp, headers = [] } = parsed
  if (!Array.isArray(headers)) throw wrong('its headers are no list')
  if (timestamp !== undefined && !Number.isSafeInteger(timestamp))
    throw wrong('its timestamp is no whole number of milliseconds')
  return {
    key: bytes('key', parsed.key ?? null, parsed.keyBase64),
    value: bytes('value', parsed.value ?? null, parsed.valueBase64),
    // Messages of very old producers have none; the broker's clock gives the copy one.
    ...(timestamp === undefined || timestamp < 0 ? {} : { timestamp }),
    headers: headers.map((header: Partial<EnvelopeHeader> | null) => {
      if (typeof header?.name !== 'string') throw wrong('a header has no name')
      const { name, value = null, valueBase64 } = header
      return [name, bytes(`header ${name}`, value, valueBase64)] as const
    }),
  }
}

function parseLine(line: string): Partial<Envelope> {
  let parsed: unknown
  try {
    parsed = JSON.parse(line)
  } catch (error) {
    // The parser's own text quotes the line, which is somebody's message.
    throw wrong(`it is not JSON (${line.length} characters)`, error)
  }
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed))
    throw wrong('it is not an object')
  if (!('value' in parsed)) throw wrong('it has no value')
  return parsed as Partial<Envelope>
}

function wrong(reason: string, cause?: unknown): Error {
  return failure('MR_CLI_INPUT', { reason }, { cause })
}

function textOf(value: Buffer | null): string | null {
  return value === null ? null : value.toString('utf8')
}

function base64Of(value: Buffer | null): string | undefined {
  if (value === null || Buffer.from(value.toString('utf8'), 'utf8').equals(value)) return undefined
  return value.toString('base64')
}

function bytes(what: string, text: unknown, base64: unknown): Buffer | null {
  if (typeof base64 === 'string') return Buffer.from(base64, 'base64')
  if (text === null) return null
  if (typeof text !== 'string') throw wrong(`its ${what} is neither text nor null`)
  return Buffer.from(text, 'utf8')
}
