import type { Client, ReadFrom, Reader, ReadTo } from '../../client/index.ts'
import { failure } from '../../errors/index.ts'
import { parseDuration } from '../../kit/index.ts'
import { connect, type ConnectOptions } from '../admin/connect.ts'
import { DeliveredMessage, type Message } from '../message/message.ts'
import type { AnyTopic, Topic } from '../topic/define-topic.ts'

export interface ReadOptions extends ConnectOptions {
  /**
   * Where to begin in each partition: an offset, a date, an age such as `'-2h'`, or a negative number: so many messages
   * before the end. Default `'earliest'`.
   */
  readonly from?: 'earliest' | 'latest' | number | Date | `-${string}`
  /**
   * Where to end in each partition: where its log ended when the reading began (default), never, before an offset, or
   * before the first message at or after a date; with the last two never behind that end.
   */
  readonly to?: 'end' | 'forever' | number | Date
  /** Default all. */
  readonly partitions?: readonly number[]
  /** Default `'read_committed'`. */
  readonly isolation?: 'read_committed' | 'read_uncommitted'
  /** Ends the reading with its reason. */
  readonly signal?: AbortSignal
}

/**
 * Reads a topic without a group: nothing is committed, nobody else is affected. Messages are those that a consumer of
 * the topic gets, in order within a partition; partitions take turns.
 *
 * It ends when each partition has reached its end, also where the last messages are compacted away or there are none.
 * Connects with the first message asked for; leaving the loop, however that happens, closes everything.
 *
 * @throws MR_APP_SEEK_UNKNOWN, MR_APP_NO_CONFIG, MR_TOPIC_UNKNOWN, MR_PARTITION_UNKNOWN, MR_CLIENT_TIMEOUT
 * @example
 * for await (const { key, value } of readTopic(users, { from: -100, to: 'end' })) console.log(key, value)
 */
export async function* readTopic<T extends AnyTopic>(
  topic: T,
  options: ReadOptions = {},
): AsyncGenerator<Message<T>, void, undefined> {
  const declared = topic as unknown as Topic
  const range = { from: readFrom(options.from, Date.now()), to: readTo(options.to) }
  const { client, wireName } = connect(options, topic)
  try {
    const reader = openReader(client, wireName(topic), range, options)
    while (await reader.available(options.signal)) {
      for (const source of reader.take(takenAtOnce)) {
        const message = new DeliveredMessage(source, declared)
        if (declared.decodesAhead) await message.prepare()
        yield message as unknown as Message<T>
        options.signal?.throwIfAborted()
      }
    }
  } finally {
    await client.close({ timeoutMs: 0 })
  }
}

const takenAtOnce = 500

function openReader(
  client: Client,
  topic: string,
  range: { readonly from: ReadFrom; readonly to: ReadTo },
  { partitions, isolation }: ReadOptions,
): Reader {
  return client.reader({
    ...range,
    ...(isolation === undefined ? {} : { isolation }),
    ...(partitions === undefined
      ? { topics: [topic] }
      : { partitions: partitions.map((partition) => ({ topic, partition })) }),
  })
}

/** @throws MR_APP_SEEK_UNKNOWN */
export function readFrom(from: ReadOptions['from'], nowMs: number): ReadFrom {
  if (from === undefined || from === 'earliest' || from === 'latest') return from ?? 'earliest'
  if (typeof from === 'number') return whole(from)
  if (from instanceof Date) return at(from)
  const ageMs = from.startsWith('-') ? parseDuration(from.slice(1)) : undefined
  if (ageMs === undefined) throw failure('MR_APP_SEEK_UNKNOWN', { to: from })
  return { timestampMs: nowMs - ageMs }
}

function readTo(to: ReadOptions['to']): ReadTo {
  if (to === undefined || to === 'end' || to === 'forever') return to ?? 'end'
  if (to instanceof Date) return at(to)
  if (typeof to === 'number' && to >= 0) return whole(to)
  throw failure('MR_APP_SEEK_UNKNOWN', { to: String(to) })
}

function whole(offset: number): number {
  if (!Number.isSafeInteger(offset)) throw failure('MR_APP_SEEK_UNKNOWN', { to: String(offset) })
  return offset
}

function at(date: Date): { readonly timestampMs: number } {
  const timestampMs = date.getTime()
  if (Number.isNaN(timestampMs)) throw failure('MR_APP_SEEK_UNKNOWN', { to: 'an invalid date' })
  return { timestampMs }
}
