/** What streams commands need to know of topics: are they there, how many partitions, where do their logs begin and end. */
import type { Client } from '../../client/index.ts'
import { ReplyError } from '../reply.ts'
import type { Place } from './entry-id.ts'
import type { StreamKey } from './stream-key.ts'

/** Offsets of one partition. */
export interface Bounds {
  readonly partition: number
  /** Of the first message. */
  readonly start: number
  /** One past the last message that may be read. */
  readonly end: number
}

const lookMs = 5000

export class Topics {
  readonly #client: Client

  constructor(client: Client) {
    this.#client = client
  }

  /** How many partitions a topic has as far as known, without asking; undefined: not known. */
  known(topic: string): number | undefined {
    return this.#client.metadata.peek(topic)?.partitions.length
  }

  /** How many partitions a topic has; 0 when there is no such topic. Nothing is created. */
  async count(topic: string): Promise<number> {
    const known = this.known(topic)
    if (known !== undefined) return known
    const { admin, metadata } = this.#client
    const [found] = await admin.describeTopics([topic], { timeoutMs: lookMs })
    if (found === undefined || found.error !== undefined || found.partitions.length === 0) return 0
    // Keeps it in the cache, and fresh, from now on.
    await metadata.topic(topic, { timeoutMs: lookMs })
    return found.partitions.length
  }

  /** The partitions that a key names and that are there. */
  async partitionsOf({ topic, partition }: StreamKey): Promise<readonly number[]> {
    const count = await this.count(topic)
    if (partition !== undefined) return partition < count ? [partition] : []
    return Array.from({ length: count }, (_, index) => index)
  }

  /** @throws ReplyError when a leader does not answer */
  async bounds(topic: string, partitions: readonly number[]): Promise<readonly Bounds[]> {
    if (partitions.length === 0) return []
    const listed = await this.#client.admin.listOffsets(
      partitions.flatMap((partition) => [
        { topic, partition, at: 'earliest' as const },
        { topic, partition, at: 'latest' as const },
      ]),
      { timeoutMs: lookMs, isolation: 'read_committed' },
    )
    return partitions.map((partition, index) => {
      const start = listed[2 * index]!
      const end = listed[2 * index + 1]!
      const error = start.error ?? end.error
      if (error) throw error
      return { partition, start: start.offset, end: end.offset }
    })
  }

  /** Ends of logs, in the order of the partitions. */
  async ends(
    places: readonly { readonly topic: string; readonly partition: number }[],
  ): Promise<readonly number[]> {
    if (places.length === 0) return []
    const listed = await this.#client.admin.listOffsets(
      places.map(({ topic, partition }) => ({ topic, partition, at: 'latest' as const })),
      { timeoutMs: lookMs, isolation: 'read_committed' },
    )
    for (const { error } of listed) if (error) throw error
    return listed.map(({ offset }) => offset)
  }

  /** The first offset at or after a time; undefined in place of one behind the last message. */
  async atTime(
    topic: string,
    partitions: readonly number[],
    ms: number,
  ): Promise<readonly (number | undefined)[]> {
    if (partitions.length === 0) return []
    const listed = await this.#client.admin.listOffsets(
      partitions.map((partition) => ({ topic, partition, at: ms })),
      { timeoutMs: lookMs, isolation: 'read_committed' },
    )
    for (const { error } of listed) if (error) throw error
    return listed.map(({ offset }) => (offset < 0 ? undefined : offset))
  }

  /**
   * Offsets to go on from, by partition, for a place that a group or a reader names.
   * @throws ReplyError for an id where it cannot be a position
   */
  async resolve(
    key: StreamKey,
    partitions: readonly number[],
    place: Place,
  ): Promise<readonly { readonly partition: number; readonly offset: number }[]> {
    if (place.at === 'id') {
      refuseForeignId(key, partitions, place)
      return [{ partition: place.id.partition, offset: place.id.position }]
    }
    const bounds = await this.bounds(key.topic, partitions)
    const times = place.at === 'time' ? await this.atTime(key.topic, partitions, place.ms) : []
    return bounds.map(({ partition, start, end }, index) => ({
      partition,
      offset: place.at === 'start' ? start : (times[index] ?? end),
    }))
  }
}

/** An id is a position in its own partition alone. @throws ReplyError */
export function refuseForeignId(
  { text, topic }: StreamKey,
  partitions: readonly number[],
  place: Place,
): void {
  if (place.at !== 'id') return
  if (partitions.length > 1)
    throw new ReplyError(
      `ERR an id is no position in all partitions of '${topic}': name one as '${topic}@<partition>', or use $, 0 or a group`,
    )
  if (partitions.length === 1 && place.id.partition !== partitions[0])
    throw new ReplyError(
      `ERR the id is of partition ${place.id.partition}, the key '${text}' of another`,
    )
}
