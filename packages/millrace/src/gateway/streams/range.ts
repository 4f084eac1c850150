/** XLEN, XRANGE, XREVRANGE: by partition, then by offset. */
import type { ClientMessage } from '../../client/index.ts'
import type { Command } from '../command.ts'
import type { Reply } from '../reply.ts'
import type { Session } from '../session.ts'
import { argumentAt, bytesOf, integerOf, isWord, syntaxError, wrongArity } from './arguments.ts'
import { parseRangeEnd, type RangeEnd } from './entry-id.ts'
import {
  entryReply,
  hasRoom,
  readBackward,
  readForward,
  type Room,
  type Segment,
} from './read-log.ts'
import { refusalOf } from './refusal.ts'
import { permit } from './rights.ts'
import { parseStreamKey, type StreamKey } from './stream-key.ts'
import type { StreamsCore } from './streams-core.ts'

/** A call that the cluster does not answer ends by then. */
const readMs = 15_000
const lastPosition = Number.MAX_SAFE_INTEGER

/** What one reply holds when nobody says less: half of what a peer may leave unread. */
export function fullRoom({ settings }: StreamsCore, count: number | undefined): Room {
  return { count: count ?? Infinity, bytes: settings.outputBytes / 2 }
}

export class Ranges {
  readonly #core: StreamsCore

  constructor(core: StreamsCore) {
    this.#core = core
  }

  readonly xlen = async (command: Command, session: Session): Promise<Reply> => {
    const args = bytesOf(command.args)
    if (args.length !== 1) throw wrongArity('xlen')
    const key = parseStreamKey(args[0]!)
    permit(session, 'consume', { topic: key.topic })
    try {
      return await this.length(key)
    } catch (error) {
      throw refusalOf(error)
    }
  }

  readonly xrange = (command: Command, session: Session): Promise<Reply> =>
    this.#range(command, session, false)

  readonly xrevrange = (command: Command, session: Session): Promise<Reply> =>
    this.#range(command, session, true)

  /** Log end minus log start, summed: an estimate where compaction or transactions leave gaps. */
  async length(key: StreamKey): Promise<number> {
    const { topics } = this.#core
    const bounds = await topics.bounds(key.topic, await topics.partitionsOf(key))
    return bounds.reduce((sum, { start, end }) => sum + Math.max(0, end - start), 0)
  }

  /** The first or the last entry; undefined when there is none. */
  async outermost(key: StreamKey, isLast: boolean): Promise<Reply | undefined> {
    const whole = await this.#segments(key, parseRangeEnd(minus, 0), parseRangeEnd(plus, 0))
    const found = await this.#read(whole, fullRoom(this.#core, 1), isLast)
    return found[0]
  }

  async #range(command: Command, session: Session, isReverse: boolean): Promise<Reply> {
    const args = bytesOf(command.args)
    if (args.length < 3) throw wrongArity(isReverse ? 'xrevrange' : 'xrange')
    const key = parseStreamKey(args[0]!)
    const from = parseRangeEnd(args[isReverse ? 2 : 1]!, 0)
    const to = parseRangeEnd(args[isReverse ? 1 : 2]!, lastPosition)
    let count: number | undefined
    for (let index = 3; index < args.length; index += 2) {
      if (!isWord(args[index], 'COUNT')) throw syntaxError()
      count = Math.max(0, integerOf(argumentAt(args, index + 1)))
    }
    permit(session, 'consume', { topic: key.topic })
    if (count === 0) return []
    try {
      const segments = await this.#segments(key, from, to)
      return await this.#read(segments, fullRoom(this.#core, count), isReverse)
    } catch (error) {
      throw refusalOf(error)
    }
  }

  async #read(segments: readonly Segment[], room: Room, isReverse: boolean): Promise<Reply[]> {
    const { client, waits } = this.#core
    const wait = waits.bound(readMs)
    const entries: Reply[] = []
    try {
      for (const segment of isReverse ? segments.toReversed() : segments) {
        if (!hasRoom(room)) break
        const read = isReverse ? readBackward : readForward
        const messages: ClientMessage[] = await read(client, segment, room, wait.signal)
        for (const message of messages) entries.push(entryReply(message))
      }
      return entries
    } finally {
      wait.end()
    }
  }

  /** What lies between two ends, by partition. */
  async #segments(key: StreamKey, from: RangeEnd, to: RangeEnd): Promise<Segment[]> {
    const { topics } = this.#core
    const { topic } = key
    const partitions = (await topics.partitionsOf(key)).filter(
      (partition) => !isBefore(partition, from) && !isBehind(partition, to),
    )
    const [bounds, starts, ends] = await Promise.all([
      topics.bounds(topic, partitions),
      this.#atTime(topic, partitions, from, from.isExclusive ? 1 : 0),
      this.#atTime(topic, partitions, to, to.isExclusive ? 0 : 1),
    ])
    return bounds.map(({ partition, start, end }, index) => ({
      topic,
      partition,
      from: Math.max(start, lowest(partition, from, starts, index, end)),
      to: Math.min(end, highest(partition, to, ends, index, end)),
    }))
  }

  /** Undefined where the end is no time. */
  async #atTime(
    topic: string,
    partitions: readonly number[],
    { place }: RangeEnd,
    later: number,
  ): Promise<readonly (number | undefined)[] | undefined> {
    if (place.at !== 'time') return undefined
    return this.#core.topics.atTime(topic, partitions, place.ms + later)
  }
}

const minus = Buffer.from('-')
const plus = Buffer.from('+')

type Times = readonly (number | undefined)[] | undefined

function isBefore(partition: number, { place }: RangeEnd): boolean {
  return place.at === 'end' || (place.at === 'id' && partition < place.id.partition)
}

function isBehind(partition: number, { place }: RangeEnd): boolean {
  return place.at === 'start' || (place.at === 'id' && partition > place.id.partition)
}

/** The first offset of the range in a partition. An id names the position behind its entry. */
function lowest(
  partition: number,
  { place, isExclusive }: RangeEnd,
  times: Times,
  index: number,
  end: number,
): number {
  if (place.at === 'time') return times?.[index] ?? end
  if (place.at !== 'id' || place.id.partition !== partition) return 0
  return isExclusive ? place.id.position : place.id.position - 1
}

/** One past the last offset of the range. */
function highest(
  partition: number,
  { place, isExclusive }: RangeEnd,
  times: Times,
  index: number,
  end: number,
): number {
  if (place.at === 'time') return times?.[index] ?? end
  if (place.at !== 'id' || place.id.partition !== partition) return end
  return isExclusive ? place.id.position - 1 : place.id.position
}
