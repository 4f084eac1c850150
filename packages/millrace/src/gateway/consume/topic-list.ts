import { ReplyError } from '../reply.ts'
import type { PropertyValues } from '../settings.ts'

/** What the key of a BLPOP names: `topics:a,b:{"auto.offset.reset":"earliest"}`. */
export interface TopicList {
  /** In the order given; a name that begins with `^` is a regular expression. */
  readonly topics: readonly string[]
  /** Undefined without a third part. */
  readonly properties: PropertyValues | undefined
  /** The configuration cannot be one: null, an array, or values that are objects. */
  readonly isRefused: boolean
}

const deepest = 32
const defaultTimeoutMs = 5000
/** A number as it is written in seconds; `0x10` is none. */
const decimal = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/

/** @throws ReplyError */
export function parseTopicList(key: string): TopicList {
  const first = key.indexOf(':')
  const second = first < 0 ? -1 : key.indexOf(':', first + 1)
  if (first < 0 || key.slice(0, first) !== 'topics')
    throw new ReplyError(`CONS Cannot parse topics from \`${key}\``)
  const topics = (second < 0 ? key.slice(first + 1) : key.slice(first + 1, second)).split(',')
  const json = second < 0 ? '' : key.slice(second + 1)
  if (json === '') return { topics, properties: undefined, isRefused: false }
  const value = parseFirst(json)
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    return { topics, properties: {}, isRefused: true }
  const entries = Object.entries(value)
  const isPlain = entries.every(([, one]) => ['string', 'number', 'boolean'].includes(typeof one))
  return {
    topics,
    // A Map's way into an object without a prototype: no name in it can mean anything but itself.
    properties: isPlain ? Object.assign(Object.create(null), Object.fromEntries(entries)) : {},
    isRefused: !isPlain,
  }
}

/** The first JSON value; what follows it is nobody's concern. */
function parseFirst(json: string): unknown {
  const end = endOfValue(json)
  try {
    return JSON.parse(json.slice(0, end))
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw new ReplyError(`CONS Error parsing configuration from '${json}'; ${reason}`)
  }
}

/** Where the first value ends, by its brackets alone; whether it is one, JSON.parse says. */
function endOfValue(json: string): number {
  let depth = 0
  let isText = false
  for (let at = 0; at < json.length; at++) {
    const one = json[at]
    if (isText) {
      if (one === '\\') at++
      else if (one === '"') isText = false
      if (!isText && depth === 0) return at + 1
      continue
    }
    if (one === '"') isText = true
    else if (one === '{' || one === '[') {
      if (++depth > deepest)
        throw new ReplyError(
          `CONS Error parsing configuration from '${json}'; it is nested deeper than ${deepest}`,
        )
    } else if (one === '}' || one === ']') {
      if (--depth <= 0) return at + 1
    } else if (depth === 0 && at > 0 && /\s/.test(one!) && json.slice(0, at).trim() !== '') {
      return at
    }
  }
  return json.length
}

/** Milliseconds of BLPOP's last argument, in seconds; 0: for ever. Without one, or for text that is no number, 5 s. @throws ReplyError */
export function parseTimeout(text: string | undefined): number {
  const word = (text ?? '').trim().toLowerCase()
  if (/^[+-]?(inf(inity)?|nan)$/.test(word)) throw new ReplyError('CONS timeout is out of range')
  if (!decimal.test(word)) return defaultTimeoutMs
  const seconds = Number(word)
  if (seconds < 0) throw new ReplyError('CONS timeout is negative')
  if (seconds > 2 ** 31) throw new ReplyError('CONS timeout is out of range')
  return seconds * 1000
}
