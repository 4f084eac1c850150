import { failure } from '../../errors/index.ts'
import { nearest, uuidV7 } from '../../kit/index.ts'
import { murmur2 } from '../../protocol/index.ts'
import type { EncodedMessage } from '../ports.ts'
import { encodeMessage, type Sendable } from '../produce/sendable.ts'
import type { AnyTopic } from '../topic/define-topic.ts'
import { traced } from '../tracing/index.ts'
import { encodeHeaders } from './headers.ts'
import { shardCount } from './options.ts'
import type { NewRow } from './store.ts'

/** What is checked where a message is queued, so that a bad event rolls the business change back. */
export interface RowRules {
  /** The outbox's table, for errors. */
  readonly outbox: string
  /** Declared topics by name; undefined takes any that is declared. */
  readonly topics: ReadonlyMap<string, AnyTopic> | undefined
  readonly maxMessageBytes: number
  readonly now: () => number
}

/** Of a batch with one record: header, lengths, attributes, deltas. */
const batchBytes = 61 + 40
const idHeader = 'millrace-id'
const uuid = /^[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}$/i

/** Validated, encoded, measured. Asynchronous only when the schema is. */
export function newRow(
  target: AnyTopic | string,
  message: Sendable<AnyTopic | string>,
  rules: RowRules,
): NewRow | Promise<NewRow> {
  const topic = declared(target, rules)
  const encoded = encodeMessage(topic, traced(message), (name) => name)
  return encoded instanceof Promise
    ? encoded.then((ready) => rowOf(topic, ready, rules))
    : rowOf(topic, encoded, rules)
}

function declared(target: AnyTopic | string, { topics, outbox }: RowRules): AnyTopic {
  const name = typeof target === 'string' ? target : target.name
  const known = topics === undefined ? target : topics.get(name)
  if (known !== undefined && typeof known !== 'string') return known
  const near = topics === undefined ? undefined : nearest(name, [...topics.keys()])
  throw failure('MR_OUTBOX_TOPIC_UNDECLARED', { outbox, topic: name, near })
}

function rowOf(topic: AnyTopic, encoded: EncodedMessage, rules: RowRules): NewRow {
  const key = bytesOf(encoded.key)
  const value = bytesOf(encoded.value)
  const written = encoded.headers ?? []
  const given = written.findLast(([name]) => name === idHeader)?.[1]?.toString()
  const id = given !== undefined && uuid.test(given) ? given : uuidV7()
  const headers = encodeHeaders(given === undefined ? [...written, [idHeader, id]] : written)

  const bytes = batchBytes + (key?.length ?? 0) + (value?.length ?? 0) + headers.length
  const limit = Number(topic.options.config?.['max.message.bytes'] ?? rules.maxMessageBytes)
  if (bytes > limit) throw failure('MR_OUTBOX_TOO_LARGE', { topic: topic.name, bytes, limit })
  return {
    shard: (murmur2(key ?? Buffer.from(id)) & 0x7f_ff_ff_ff) % shardCount,
    id,
    topic: topic.name,
    key,
    value,
    headers,
    partition: encoded.partition ?? null,
    timestampMs: encoded.timestamp ?? rules.now(),
  }
}

function bytesOf(part: Buffer | string | null | undefined): Buffer | null {
  if (part === null || part === undefined) return null
  return typeof part === 'string' ? Buffer.from(part) : part
}
