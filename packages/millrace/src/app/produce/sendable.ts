import { failure } from '../../errors/index.ts'
import { headerNames } from '../dead-letter/headers.ts'
import type { EncodedMessage, Sent } from '../ports.ts'
import { json } from '../topic/codec.ts'
import type { AnyTopic, InputOf, Topic } from '../topic/define-topic.ts'

/** Bytes as they are, text as UTF-8; null is a header without a value. */
type HeaderValue = string | Uint8Array | null

/** Headers by name, a list for repeats; or pairs, where the order between names matters. */
export type HeadersInput =
  | Readonly<Record<string, HeaderValue | readonly HeaderValue[]>>
  | readonly (readonly [string, HeaderValue])[]

/** What `send` takes for a topic. `T` is a declared topic, or the name of one that is not declared. */
export interface Sendable<T extends AnyTopic | string = Topic> {
  /** Typed by the topic. For a mere name: text and bytes as they are, anything else as JSON, null as a tombstone. */
  readonly value: T extends AnyTopic ? InputOf<T> : unknown
  readonly key?: (T extends AnyTopic ? KeyInputOf<T> : string | Buffer) | null
  readonly headers?: HeadersInput
  readonly partition?: number
  /** Epoch milliseconds; default now. */
  readonly timestamp?: number
}

type KeyInputOf<T> = T extends { encodeKey(key: infer K): unknown } ? NonNullable<K> : unknown

/** Sends one message and resolves when the broker has acknowledged it. */
export type Send = <T extends AnyTopic | string>(topic: T, message: Sendable<T>) => Promise<Sent>

/**
 * Bytes and wire name of a message. Asynchronous only when the schema is.
 * @param nextId - makes the header `millrace-id` for a message that has none
 */
export function encodeMessage(
  topic: AnyTopic | string,
  message: Sendable<AnyTopic | string>,
  wireName: (name: string) => string,
  nextId?: () => string,
): EncodedMessage | Promise<EncodedMessage> {
  if (typeof topic === 'string')
    return assemble(
      wireName(topic),
      rawKey(message.key),
      rawValue(topic, message.value),
      message,
      nextId,
    )
  const declared = topic as Topic
  const key = declared.encodeKey(message.key)
  refuseWithoutKey(declared, key, message.value)
  const value = declared.encodeValue(message.value)
  const name = wireName(declared.name)
  if (value instanceof Promise)
    return value.then((encoded) => assemble(name, key, encoded, message, nextId))
  return assemble(name, key, value, message, nextId)
}

/** Compaction would refuse it, and a tombstone without a key says of nothing that it is gone. @throws MR_PRODUCER_KEY_MISSING */
export function refuseWithoutKey(topic: Topic, key: unknown, value: unknown): void {
  if (key === null && (value === null || topic.options.compaction === true))
    throw failure('MR_PRODUCER_KEY_MISSING', { topic: topic.name })
}

function assemble(
  topic: string,
  key: Buffer | string | null,
  value: Buffer | string | null,
  { headers, partition, timestamp }: Sendable<AnyTopic | string>,
  nextId: (() => string) | undefined,
): EncodedMessage {
  const pairs = headerPairs(headers, nextId)
  return {
    topic,
    key,
    value,
    ...(pairs === undefined ? {} : { headers: pairs }),
    ...(partition === undefined ? {} : { partition }),
    ...(timestamp === undefined ? {} : { timestamp }),
  }
}

function headerPairs(
  headers: HeadersInput | undefined,
  nextId: (() => string) | undefined,
): EncodedMessage['headers'] {
  if (headers === undefined) return nextId === undefined ? undefined : [[headerNames.id, nextId()]]
  const pairs = Array.isArray(headers)
    ? (headers as readonly (readonly [string, HeaderValue])[])
    : Object.entries(headers).flatMap(([name, value]) =>
        Array.isArray(value)
          ? (value as readonly HeaderValue[]).map((one) => [name, one] as const)
          : [[name, value as HeaderValue] as const],
      )
  const bytes = pairs.map(([name, value]) => [name, asBuffer(value)] as const)
  if (nextId !== undefined && !bytes.some(([name]) => name === headerNames.id))
    bytes.push([headerNames.id, nextId()])
  return bytes
}

/** What is neither text nor bytes passes: the producer refuses it by name. */
function asBuffer(value: HeaderValue): Buffer | string | null {
  return value instanceof Uint8Array && !Buffer.isBuffer(value)
    ? Buffer.from(value.buffer, value.byteOffset, value.byteLength)
    : value
}

function rawKey(key: unknown): Buffer | string | null {
  return key === null || key === undefined ? null : asBuffer(key as HeaderValue)
}

function rawValue(topic: string, value: unknown): Buffer | string | null {
  if (value === null || typeof value === 'string') return value
  if (value instanceof Uint8Array) return asBuffer(value)
  try {
    return json().encode(value)
  } catch (cause) {
    const reason = (cause as Error).message
    throw failure('MR_APP_UNENCODABLE', { topic, part: 'value', reason }, { cause })
  }
}
