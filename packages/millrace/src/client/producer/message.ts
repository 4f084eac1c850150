import { failure, type MillraceError } from '../../errors/index.ts'
import { BatchBuilder, batchHeaderSize } from '../../protocol/index.ts'

/** What is sent. Text is written as UTF-8; null as value is a tombstone. */
export interface OutgoingMessage {
  readonly topic: string
  /** Default: chosen by the key, as the Java client does; without a key, one partition at a time in turns. */
  readonly partition?: number
  /** Decides the partition. An empty key is a key, null (the default) is none. */
  readonly key?: Buffer | string | null
  readonly value: Buffer | string | null
  /** In order; names may repeat. */
  readonly headers?: readonly (readonly [string, Buffer | string | null])[]
  /** Epoch milliseconds; default now. */
  readonly timestamp?: number
}

/** Where a message came to lie. */
export interface SendResult {
  readonly topic: string
  readonly partition: number
  /** -1 with acks 0, and where the broker recognised a repeat without saying of what. */
  readonly offset: number
  /** Epoch milliseconds: the broker's where the topic keeps append time, else the message's own. */
  readonly timestamp: number
}

/** At least what a message takes in a batch, without measuring its text. */
export function sizeBound({ key, value, headers }: OutgoingMessage): number {
  let bytes = 40 + boundOf(key ?? null) + boundOf(value)
  if (headers === undefined) return bytes
  for (const [name, content] of headers) bytes += 10 + boundOf(name) + boundOf(content)
  return bytes
}

/** A UTF-16 unit takes three bytes of UTF-8 at most. */
function boundOf(bytes: Buffer | string | null): number {
  if (bytes === null) return 0
  return typeof bytes === 'string' ? bytes.length * 3 : bytes.length
}

/** Why the message cannot be sent as it is, or undefined. For callers without types. */
export function faultOf(message: OutgoingMessage): string | undefined {
  const { topic, partition, key, value, headers, timestamp } = message
  if (typeof topic !== 'string' || topic === '') return 'it names no topic'
  if (!isBytes(value)) return `its value is ${kindOf(value)}`
  if (key !== undefined && !isBytes(key)) return `its key is ${kindOf(key)}`
  if (partition !== undefined && !isWhole(partition)) return `its partition is ${partition}`
  if (timestamp !== undefined && !isWhole(timestamp)) return `its timestamp is ${timestamp}`
  if (headers === undefined) return undefined
  if (!Array.isArray(headers)) return 'its headers are not a list of [name, value]'
  for (const header of headers as unknown[]) {
    if (!Array.isArray(header) || typeof header[0] !== 'string' || !isBytes(header[1]))
      return 'one of its headers is not [name, value]'
  }
  return undefined
}

/**
 * The error with which `send` would refuse the message whatever the cluster says; undefined when it may go. For those who
 * must know before they send any of several.
 */
export function refusalOf(message: OutgoingMessage, limit: number): MillraceError | undefined {
  const { topic } = message
  const reason = faultOf(message)
  if (reason !== undefined) return failure('MR_PRODUCER_MESSAGE_INVALID', { topic, reason })
  return oversizeOf(message, sizeBound(message), limit)
}

/** @param bound - what `sizeBound` gave; only a message that may be too large by it is measured */
export function oversizeOf(
  { topic, key, value, headers }: OutgoingMessage,
  bound: number,
  limit: number,
): MillraceError | undefined {
  if (bound + batchHeaderSize <= limit) return undefined
  const record = { key: key ?? null, value, headers: headers ?? [], timestamp: 0 }
  const bytes = batchHeaderSize + new BatchBuilder().estimate(record)
  return bytes <= limit
    ? undefined
    : failure('MR_PRODUCER_MESSAGE_TOO_LARGE', { topic, bytes, limit })
}

function isBytes(value: unknown): boolean {
  return value === null || typeof value === 'string' || value instanceof Uint8Array
}

function isWhole(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0
}

function kindOf(value: unknown): string {
  return value === undefined ? 'missing' : `of type ${typeof value}`
}
