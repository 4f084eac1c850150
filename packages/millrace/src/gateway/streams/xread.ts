/**
 * XREAD: entries behind ids, now or when they come.
 *
 * - A partition (`topic@2`, or a topic that has one) is read from an id, on and on, by a tail that stays open between
 *   calls. A whole topic is read from its start, its end or a time.
 * - What is there is found by asking for the ends of logs, so a call that does not block misses nothing that was written
 *   before it. Only a call that found nothing waits.
 */
import type { ClientMessage, Reader } from '../../client/index.ts'
import type { Command } from '../command.ts'
import { MapReply, nullArray, ReplyError, type Reply } from '../reply.ts'
import type { Session } from '../session.ts'
import {
  argumentAt,
  blockMsOf,
  bytesOf,
  integerOf,
  syntaxError,
  wordOf,
  wrongArity,
} from './arguments.ts'
import { parsePlace, startPlace, type Place } from './entry-id.ts'
import { fullRoom } from './range.ts'
import { entryReply, hasRoom, sizeOf, type Room } from './read-log.ts'
import { refusalOf } from './refusal.ts'
import { permit } from './rights.ts'
import { parseStreamKey, type StreamKey } from './stream-key.ts'
import type { StreamsCore } from './streams-core.ts'
import { positionOf, Tails, type Tail } from './tails.ts'
import { refuseForeignId } from './topics.ts'
import { during, shorter, type Wait } from './waits.ts'

interface ReadCommand {
  readonly count: number | undefined
  /** Undefined: it does not block. 0: for ever. */
  readonly blockMs: number | undefined
  readonly streams: readonly { readonly key: StreamKey; readonly place: Place }[]
}

/** A stream of one call, once it is known what it means. */
interface Source {
  readonly key: StreamKey
  place: Place
  partitions: readonly number[]
  /** Where one partition goes on; undefined for whole topics, and where the end of the log is meant. */
  offset: number | undefined
  /** Waits there for what comes. */
  reader: Reader | undefined
  tail: Tail | undefined
}

/** What a look at what is there may take. */
const lookMs = 15_000
/** How soon a topic that is not there yet, or an id beyond the end, is looked at again. */
const againMs = 1000
const positionMs = 50

/** `[[key, entries], ...]`, in RESP3 a map. */
export function streamsReply(
  session: Session,
  parts: readonly (readonly [string, Reply])[],
): Reply {
  return session.protocol === 3 ? new MapReply(parts) : parts
}

export class StreamReader {
  readonly #core: StreamsCore
  readonly #tails: Tails

  constructor(core: StreamsCore) {
    this.#core = core
    this.#tails = new Tails(core.client, core.clock)
  }

  readonly xread = (command: Command, session: Session): Reply | Promise<Reply> => {
    const read = readArguments(bytesOf(command.args))
    for (const { key } of read.streams) permit(session, 'consume', { topic: key.topic })
    return this.#takeTails(read, session) ?? this.#read(read, session)
  }

  closed(session: Session): void {
    this.#tails.closed(session)
  }

  close(): void {
    this.#tails.close()
  }

  /** What tails have already, without a promise. */
  #takeTails({ streams, count }: ReadCommand, session: Session): Reply | undefined {
    const parts: [string, Reply][] = []
    const room = fullRoom(this.#core, undefined)
    for (const { key, place } of streams) {
      if (place.at !== 'id' || (key.partition ?? place.id.partition) !== place.id.partition)
        continue
      if (key.partition === undefined && this.#core.topics.known(key.topic) !== 1) continue
      const { partition, position } = place.id
      const tail = this.#tails.find(session, key.topic, partition, position)
      if (tail === undefined) continue
      const entries = this.#entries(this.#tails.take(tail, count ?? 1000), room)
      if (entries.length > 0) parts.push([key.text, entries])
    }
    return parts.length > 0 ? streamsReply(session, parts) : undefined
  }

  async #read(read: ReadCommand, session: Session): Promise<Reply> {
    const wait = this.#core.waits.open(session, read.blockMs ?? lookMs)
    const sources: Source[] = []
    try {
      for (const { key, place } of read.streams)
        sources.push(await this.#source(key, place, read.blockMs !== undefined))
      for (;;) {
        const found = await this.#look(sources, read, session)
        if (found.length > 0) return streamsReply(session, found)
        if (read.blockMs === undefined || wait.isOver) return nullArray
        const came = await this.#block(sources, read, session, wait)
        if (came !== undefined) return came
      }
    } catch (error) {
      if (wait.isOver) return nullArray
      throw refusalOf(error)
    } finally {
      wait.end()
      for (const { reader, tail } of sources) if (reader && !tail) await reader.close()
    }
  }

  async #source(key: StreamKey, place: Place, blocks: boolean): Promise<Source> {
    const partitions = await this.#core.topics.partitionsOf(key)
    refuseForeignId(key, partitions, place)
    const offset = place.at === 'id' ? place.id.position : place.at === 'start' ? 0 : undefined
    const source: Source = { key, place, partitions, offset, reader: undefined, tail: undefined }
    // The end is where the log ends now, so it is fixed before anything else.
    if (place.at === 'end' && blocks) await this.#fixEnd(source)
    return source
  }

  async #fixEnd(source: Source): Promise<void> {
    const { key, partitions } = source
    if (partitions.length === 0) return
    source.reader = this.#core.client.reader({
      partitions: partitions.map((partition) => ({ topic: key.topic, partition })),
      from: 'latest',
      to: 'forever',
      fetch: { perPartitionBytes: 256 * 1024, bufferedBytes: 1024 * 1024 },
    })
    await source.reader.ready()
  }

  /** What is there now. */
  async #look(
    sources: readonly Source[],
    { count }: ReadCommand,
    session: Session,
  ): Promise<[string, Reply][]> {
    const parts: [string, Reply][] = []
    const room = fullRoom(this.#core, undefined)
    for (const source of sources) {
      if (!hasRoom(room)) break
      room.count = count ?? Infinity
      const entries =
        source.place.at === 'end'
          ? []
          : source.partitions.length === 1 && source.offset !== undefined
            ? await this.#lookAtOne(source, source.offset, room, session)
            : await this.#lookAtAll(source, room)
      if (entries.length > 0) parts.push([source.key.text, entries])
    }
    return parts
  }

  async #lookAtOne(source: Source, offset: number, room: Room, session: Session): Promise<Reply[]> {
    const { topic } = source.key
    const partition = source.partitions[0]!
    const [bounds] = await this.#core.topics.bounds(topic, [partition])
    const { start, end } = bounds!
    // An id beyond the end is a position that does not exist yet; a reader there would start over.
    if (offset > end) return []
    const from = Math.max(offset, start)
    const tail =
      this.#tails.find(session, topic, partition, from) ??
      this.#tails.open(session, topic, partition, from)
    source.tail = tail
    source.reader = tail.reader
    source.offset = from
    const wait = this.#core.waits.bound(lookMs)
    try {
      // Markers and what was compacted away move the position without an entry.
      while (positionOf(tail) < end) {
        const entries = this.#entries(this.#tails.take(tail, Math.min(room.count, 1000)), room)
        if (entries.length > 0) return entries
        if (positionOf(tail) >= end || wait.isOver) break
        // Markers move a position without waking anybody.
        const look = shorter(this.#core.clock, positionMs, wait.signal)
        await tail.reader.available(look.signal).catch((error: unknown) => {
          if (!look.signal.aborted) throw error
        })
        look.end()
      }
      return []
    } finally {
      wait.end()
    }
  }

  async #lookAtAll({ key, place, partitions }: Source, room: Room): Promise<Reply[]> {
    if (partitions.length === 0 || place.at === 'id') return []
    const entries: Reply[] = []
    const wait = this.#core.waits.bound(lookMs)
    await using reader = this.#core.client.reader({
      partitions: partitions.map((partition) => ({ topic: key.topic, partition })),
      from: place.at === 'time' ? { timestampMs: place.ms } : 'earliest',
      fetch: { perPartitionBytes: 256 * 1024, bufferedBytes: 1024 * 1024 },
    })
    try {
      while (hasRoom(room) && (await reader.available(wait.signal)))
        entries.push(...this.#entries(reader.take(Math.min(room.count, 1000)), room))
      return entries
    } finally {
      wait.end()
    }
  }

  /** Waits for entries; undefined when it is worth looking again, nullArray when the time is over. */
  async #block(
    sources: readonly Source[],
    { count }: ReadCommand,
    session: Session,
    wait: Wait,
  ): Promise<Reply | undefined> {
    // Whole topics in which nothing was found are waited for at their ends.
    for (const source of sources) {
      const isWhole = source.partitions.length > 1 || source.offset === undefined
      if (source.reader !== undefined || source.partitions.length === 0 || !isWhole) continue
      await during(wait.signal, () => this.#fixEnd(source))
      // What came between that look and this end is found by another.
      return undefined
    }
    const readers = sources.flatMap(({ reader }) => reader ?? [])
    const looksAgain = sources.some(({ reader }) => reader === undefined)
    await this.#first(readers, wait, looksAgain)
    const parts: [string, Reply][] = []
    const room = fullRoom(this.#core, undefined)
    for (const { key, reader, tail } of sources) {
      if (reader === undefined) continue
      const most = count ?? 1000
      const messages = tail ? this.#tails.take(tail, most) : reader.take(most)
      if (messages.length > 0) parts.push([key.text, this.#entries(messages, room)])
    }
    if (parts.length > 0) return streamsReply(session, parts)
    if (wait.isOver) return nullArray
    if (looksAgain) await this.#resolveAgain(sources)
    return undefined
  }

  /** Topics may have come into being. */
  async #resolveAgain(sources: readonly Source[]): Promise<void> {
    for (const source of sources) {
      if (source.partitions.length > 0) continue
      const partitions = await this.#core.topics.partitionsOf(source.key)
      refuseForeignId(source.key, partitions, source.place)
      source.partitions = partitions
      if (partitions.length === 0 || source.place.at !== 'end') continue
      // All that a new topic holds came after the call began.
      source.place = startPlace
      source.offset = 0
    }
  }

  /** Resolves when a reader has something, the wait is over, or it is time to look again. */
  async #first(readers: readonly Reader[], wait: Wait, looksAgain: boolean): Promise<void> {
    const done = new AbortController()
    const end = (): void => done.abort()
    wait.signal.addEventListener('abort', end, { once: true })
    if (wait.isOver) end()
    const timer = looksAgain ? this.#core.clock.after(againMs, end) : undefined
    try {
      const aborted = new Promise<void>((resolve) => {
        if (done.signal.aborted) resolve()
        else done.signal.addEventListener('abort', () => resolve(), { once: true })
      })
      const waits = readers.map((reader) =>
        reader.available(done.signal).then(
          () => undefined,
          (error: unknown) => {
            if (!done.signal.aborted) throw error
          },
        ),
      )
      await Promise.race([aborted, ...waits])
    } finally {
      end()
      timer?.cancel()
      wait.signal.removeEventListener('abort', end)
    }
  }

  #entries(messages: readonly ClientMessage[], room: Room): Reply[] {
    const entries: Reply[] = []
    for (const message of messages) {
      room.count--
      room.bytes -= sizeOf(message)
      entries.push(entryReply(message))
    }
    return entries
  }
}

function readArguments(args: readonly Buffer[]): ReadCommand {
  if (args.length < 3) throw wrongArity('xread')
  let count: number | undefined
  let blockMs: number | undefined
  let index = 0
  for (; index < args.length; index++) {
    const word = wordOf(args[index]!)
    if (word === 'STREAMS') break
    const value = argumentAt(args, index + 1)
    switch (word) {
      case 'COUNT':
        count = integerOf(value)
        // As in Redis, no count is no limit.
        if (count <= 0) count = undefined
        break
      case 'BLOCK':
        blockMs = blockMsOf(value)
        break
      case 'GROUP':
        throw new ReplyError(
          'ERR The GROUP option is only supported by XREADGROUP. You called XREAD instead.',
        )
      case 'NOACK':
        throw new ReplyError(
          'ERR The NOACK option is only supported by XREADGROUP. You called XREAD instead.',
        )
      default:
        throw syntaxError()
    }
    index++
  }
  const names = args.slice(index + 1)
  if (names.length === 0) throw syntaxError()
  if (names.length % 2 !== 0)
    throw new ReplyError(
      "ERR Unbalanced 'xread' list of streams: for each stream key an ID or '$' must be specified.",
    )
  const half = names.length / 2
  const streams = names.slice(0, half).map((name, at) => {
    const id = names[half + at]!
    if (id.length === 1 && id[0] === 0x3e)
      throw new ReplyError(
        'ERR The > ID can be specified only when calling XREADGROUP using the GROUP <group> <consumer> option.',
      )
    return { key: parseStreamKey(name), place: parsePlace(id) }
  })
  return { count, blockMs, streams }
}
