/**
 * Fields of an entry and the message that they are.
 *
 * - Names that begin with `@` speak of the message: `@value` its bytes, `@tombstone 1` in place of a value, `@key`,
 *   `@partition`, `@timestamp`, `@header:<name>`, and on the way in `@id`.
 * - Without a value the other fields are the message: a JSON object of texts in their order, marked by a content type.
 *   Kafka consumers see JSON, Redis clients get their fields back.
 * - A null header reads as an empty one: RESP has no null inside the fields that libraries accept.
 */
import { isUtf8 } from 'node:buffer'
import type { ClientMessage } from '../../client/index.ts'
import { ReplyError, type Reply } from '../reply.ts'
import { jsonObjectOf } from './json-object.ts'

export const fieldsContentType = 'application/vnd.millrace.fields+json'

/** What XADD's fields say. */
export interface ReadFields {
  readonly value: Buffer | null
  readonly key: Buffer | null
  readonly partition: number | undefined
  readonly timestamp: number | undefined
  readonly headers: readonly (readonly [string, Buffer])[]
  /** `@id`: what tells a repeat. */
  readonly token: string | undefined
}

const at = 0x40
const headerPrefix = '@header:'
const plainHeader = ['content-type', Buffer.from(fieldsContentType)] as const
const noHeaders: ReadFields['headers'] = []
const plainHeaders: ReadFields['headers'] = [plainHeader]
/** So many names are compared one by one; more are kept in a set. */
const fewNames = 16
const wholePattern = /^\d{1,16}$/

/**
 * Reads name and value in turns from `args[from]` on; their number is even. Bytes are not copied.
 * @throws ReplyError
 */
export function readFields(args: readonly Buffer[], from: number): ReadFields {
  let value: Buffer | null | undefined
  let key: Buffer | null = null
  let partition: number | undefined
  let timestamp: number | undefined
  let token: string | undefined
  let texts: Buffer[] | undefined
  let headers: (readonly [string, Buffer])[] | undefined
  for (let index = from; index < args.length; index += 2) {
    const nameBytes = args[index]!
    const content = args[index + 1]!
    if (nameBytes[0] !== at) {
      if (!isUtf8(nameBytes) || !isUtf8(content)) throw noText()
      if (texts === undefined) texts = [nameBytes, content]
      else texts.push(nameBytes, content)
      continue
    }
    if (isValueName(nameBytes)) {
      value = once('@value', value, content)
      continue
    }
    const name = textOf(nameBytes)
    if (name.startsWith(headerPrefix)) {
      headers ??= []
      headers.push([name.slice(headerPrefix.length), content])
      continue
    }
    switch (name) {
      case '@tombstone':
        if (!(content.length === 1 && content[0] === 0x31))
          throw new ReplyError('ERR @tombstone takes 1 and nothing else')
        value = once(name, value, null)
        break
      case '@key':
        key = once(name, key ?? undefined, content)
        break
      case '@partition':
        partition = once(name, partition, wholeOf(name, content))
        break
      case '@timestamp':
        timestamp = once(name, timestamp, wholeOf(name, content))
        break
      case '@id':
        token = once(name, token, content.toString('latin1'))
        break
      default:
        throw new ReplyError(
          `ERR unknown field '${name}': names with @ are @value, @tombstone, @key, @partition, @timestamp, @id and @header:<name>`,
        )
    }
  }
  if (texts === undefined) {
    if (value === undefined) throw new ReplyError('ERR an entry has fields, @value or @tombstone 1')
    return { value, key, partition, timestamp, headers: headers ?? noHeaders, token }
  }
  if (value !== undefined)
    throw new ReplyError('ERR @value and @tombstone stand in place of fields, not beside them')
  refuseRepeats(texts)
  headers?.push(plainHeader)
  return {
    value: jsonObjectOf(texts),
    key,
    partition,
    timestamp,
    headers: headers ?? plainHeaders,
    token,
  }
}

/** @param texts - names and contents in turns */
function refuseRepeats(texts: readonly Buffer[]): void {
  if (texts.length === 2) return
  const names = texts.filter((_, index) => index % 2 === 0)
  const repeated =
    names.length <= fewNames
      ? names.find((name, index) => names.findIndex((other) => other.equals(name)) < index)
      : firstRepeated(names)
  if (repeated !== undefined)
    throw new ReplyError(`ERR field '${repeated.toString('utf8')}' is repeated: ${hint}`)
}

function firstRepeated(names: readonly Buffer[]): Buffer | undefined {
  const seen = new Set<string>()
  for (const name of names) {
    const text = name.toString('latin1')
    if (seen.has(text)) return name
    seen.add(text)
  }
  return undefined
}

/** The fields of an entry as they are replied: names and values in turns. */
export function fieldsOf(message: ClientMessage): Reply[] {
  const { value, key, headers } = message
  const fields: Reply[] = []
  const mark = value === null ? -1 : headers.findIndex(isFieldsMark)
  const isPlain = mark >= 0 && expand(value!, fields)
  if (!isPlain) {
    if (value === null) fields.push('@tombstone', '1')
    else fields.push('@value', value)
  }
  if (key !== null) fields.push('@key', key)
  // Whoever wrote plain fields gets those alone.
  if (!isPlain) fields.push('@timestamp', String(message.timestamp))
  for (let index = 0; index < headers.length; index++) {
    if (isPlain && index === mark) continue
    const [name, content] = headers[index]!
    fields.push(headerPrefix + name, content ?? '')
  }
  return fields
}

function isFieldsMark([name, content]: readonly [string, Buffer | null]): boolean {
  return (
    name === 'content-type' &&
    content !== null &&
    content.length === fieldsContentType.length &&
    content.toString('latin1') === fieldsContentType
  )
}

/**
 * Appends the fields of a JSON object of texts; false, with nothing appended, for anything else. Not `JSON.parse`: it
 * sorts names that look like numbers to the front, and drops the first of a repeated one.
 */
function expand(value: Buffer, fields: Reply[]): boolean {
  if (value[0] !== 0x7b || !isUtf8(value)) return false
  const start = fields.length
  if (new FieldScanner(value.toString('utf8')).appendTo(fields)) return true
  fields.length = start
  return false
}

class FieldScanner {
  readonly #text: string
  #at = 1

  constructor(text: string) {
    this.#text = text
  }

  appendTo(fields: Reply[]): boolean {
    if (this.#takes('}')) return this.#isAtEnd()
    do {
      const name = this.#string()
      // What begins with @ would be taken for a word about the message.
      if (name === undefined || name.startsWith('@') || !this.#takes(':')) return false
      const content = this.#string()
      if (content === undefined) return false
      fields.push(name, content)
    } while (this.#takes(','))
    return this.#takes('}') && this.#isAtEnd()
  }

  #string(): string | undefined {
    if (!this.#takes('"')) return undefined
    const text = this.#text
    const from = this.#at
    let to = text.indexOf('"', from)
    while (to >= 0 && isEscaped(text, from, to)) to = text.indexOf('"', to + 1)
    if (to < 0) return undefined
    this.#at = to + 1
    const inside = text.slice(from, to)
    return inside.includes('\\') ? unescaped(inside) : inside
  }

  #takes(sign: string): boolean {
    this.#skipSpace()
    if (this.#text[this.#at] !== sign) return false
    this.#at++
    return true
  }

  #isAtEnd(): boolean {
    this.#skipSpace()
    return this.#at === this.#text.length
  }

  #skipSpace(): void {
    for (;;) {
      const sign = this.#text[this.#at]
      if (sign !== ' ' && sign !== '\n' && sign !== '\r' && sign !== '\t') return
      this.#at++
    }
  }
}

function isEscaped(text: string, from: number, quote: number): boolean {
  let slashes = 0
  while (quote - slashes > from && text[quote - slashes - 1] === '\\') slashes++
  return slashes % 2 === 1
}

function unescaped(inside: string): string | undefined {
  try {
    return JSON.parse(`"${inside}"`) as string
  } catch {
    return undefined
  }
}

const hint = 'put such bytes into @value'

function isValueName(name: Buffer): boolean {
  if (name.length !== 6) return false
  for (let index = 0; index < 6; index++)
    if (name[index] !== '@value'.charCodeAt(index)) return false
  return true
}

function noText(): ReplyError {
  return new ReplyError(`ERR fields are UTF-8 text: ${hint}`)
}

function textOf(bytes: Buffer): string {
  if (!isUtf8(bytes)) throw noText()
  return bytes.toString('utf8')
}

function wholeOf(name: string, bytes: Buffer): number {
  const text = bytes.toString('latin1')
  const value = Number(text)
  if (!wholePattern.test(text) || !Number.isSafeInteger(value))
    throw new ReplyError(`ERR ${name} is not an integer or out of range`)
  return value
}

function once<T>(name: string, before: unknown, value: T): T {
  if (before !== undefined) throw new ReplyError(`ERR field '${name}' is repeated`)
  return value
}
