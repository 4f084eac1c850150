import { headerText } from '../dead-letter/headers.ts'
import type { EncodedMessage, Header, SourceMessage } from '../ports.ts'

/**
 * How a scheduled message lies in its topic: value and headers as they will be sent, and headers of ours that say when
 * and where to. Each record has a key of its own, so that what ends one never ends another:
 *
 *     key      ID/UNIQUE           value  the message's           a message to be sent; a null value ends it
 *     key      ID/UNIQUE           value  empty, header `cancel`  ends whatever has this id so far
 */
const names = {
  id: 'millrace-schedule-id',
  dueAt: 'millrace-schedule-due-at',
  topic: 'millrace-schedule-topic',
  partition: 'millrace-schedule-partition',
  timestamp: 'millrace-schedule-timestamp',
  key: 'millrace-schedule-key',
  hasNoValue: 'millrace-schedule-null',
  cancel: 'millrace-schedule-cancel',
} as const

const ownHeaders: ReadonlySet<string> = new Set(Object.values(names))
/** A header that the message brings and the record has as well goes under this. */
const carried = 'millrace-schedule-header-'

export interface Envelope {
  readonly id: string
  readonly dueMs: number
  /** By its name on the wire, its id with it. */
  readonly message: EncodedMessage
}

/** Value and headers of the record. */
export function writeEnvelope({ id, dueMs, message }: Envelope): {
  readonly value: Buffer
  readonly headers: readonly (readonly [string, Buffer | string | null])[]
} {
  const { topic, partition, timestamp, key = null, value, headers = [] } = message
  return {
    value: value === null ? Buffer.alloc(0) : Buffer.from(value),
    headers: [
      [names.id, id],
      [names.dueAt, String(dueMs)],
      [names.topic, topic],
      ...(partition === undefined ? [] : ([[names.partition, String(partition)]] as const)),
      ...(timestamp === undefined ? [] : ([[names.timestamp, String(timestamp)]] as const)),
      ...(key === null ? [] : ([[names.key, key]] as const)),
      ...(value === null ? ([[names.hasNoValue, '1']] as const) : []),
      ...headers.map(([name, content]) => [`${carried}${name}`, content] as const),
    ],
  }
}

export function writeCancel(id: string): ReturnType<typeof writeEnvelope> {
  return {
    value: Buffer.alloc(0),
    headers: [
      [names.id, id],
      [names.cancel, '1'],
    ],
  }
}

/** What a record says; undefined for one that is not ours. */
export type ScheduleRecord =
  | { readonly kind: 'message'; readonly id: string; readonly dueMs: number }
  | { readonly kind: 'cancel'; readonly id: string }

export function readRecord({ headers }: SourceMessage): ScheduleRecord | undefined {
  const id = headerText(headers, names.id)
  if (id === undefined) return undefined
  if (headerText(headers, names.cancel) !== undefined) return { kind: 'cancel', id }
  const dueMs = Number(headerText(headers, names.dueAt))
  return Number.isSafeInteger(dueMs) ? { kind: 'message', id, dueMs } : undefined
}

/** The message to be sent; undefined for a record that is none. */
export function readEnvelope(record: SourceMessage): EncodedMessage | undefined {
  const { headers, value } = record
  const topic = headerText(headers, names.topic)
  if (topic === undefined || value === null) return undefined
  const partition = headerText(headers, names.partition)
  const timestamp = headerText(headers, names.timestamp)
  const key = headers.find(([name]) => name === names.key)?.[1] ?? null
  return {
    topic,
    key,
    value: headerText(headers, names.hasNoValue) === undefined ? value : null,
    headers: headers.flatMap(([name, content]): readonly Header[] =>
      name.startsWith(carried) && !ownHeaders.has(name)
        ? [[name.slice(carried.length), content]]
        : [],
    ),
    ...(partition === undefined ? {} : { partition: Number(partition) }),
    ...(timestamp === undefined ? {} : { timestamp: Number(timestamp) }),
  }
}
