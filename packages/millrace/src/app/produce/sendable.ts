import type { EncodedMessage, Sent } from '../ports.ts'
import type { AnyTopic, InputOf, Topic } from '../topic/define-topic.ts'

type HeaderValue = string | Buffer | null

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

/** Bytes and wire name of a message. Asynchronous only when the schema is. */
export function encodeMessage(
  topic: AnyTopic | string,
  message: Sendable<AnyTopic | string>,
  wireName: (name: string) => string,
): EncodedMessage | Promise<EncodedMessage> {
  if (typeof topic === 'string')
    return assemble(wireName(topic), rawKey(message.key), rawValue(message.value), message)
  const declared = topic as Topic
  const key = declared.encodeKey(message.key)
  const value = declared.encodeValue(message.value)
  const name = wireName(declared.name)
  if (value instanceof Promise)
    return value.then((encoded) => assemble(name, key, encoded, message))
  return assemble(name, key, value, message)
}

function assemble(
  topic: string,
  key: Buffer | string | null,
  value: Buffer | string | null,
  { headers, partition, timestamp }: Sendable<AnyTopic | string>,
): EncodedMessage {
  return {
    topic,
    key,
    value,
    ...(headers === undefined ? {} : { headers: headerPairs(headers) }),
    ...(partition === undefined ? {} : { partition }),
    ...(timestamp === undefined ? {} : { timestamp }),
  }
}

function headerPairs(headers: HeadersInput): readonly (readonly [string, HeaderValue])[] {
  if (Array.isArray(headers)) return headers as readonly (readonly [string, HeaderValue])[]
  return Object.entries(headers).flatMap(([name, value]) =>
    Array.isArray(value)
      ? (value as readonly HeaderValue[]).map((one) => [name, one] as const)
      : [[name, value as HeaderValue] as const],
  )
}

function rawKey(key: unknown): Buffer | string | null {
  if (key === null || key === undefined) return null
  return Buffer.isBuffer(key) ? key : (key as string)
}

function rawValue(value: unknown): Buffer | string | null {
  if (value === null || typeof value === 'string' || Buffer.isBuffer(value)) return value
  return JSON.stringify(value)
}
