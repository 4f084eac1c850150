/**
 * XREADGROUP: new entries of a group's partitions (`>`), or what this consumer has not acknowledged (an id).
 *
 * What is buffered is handed out at once, without a promise. A call that finds nothing and does not wait long asks for the
 * ends of logs, so that it sees what was written before it.
 */
import { isFailure } from '../../errors/index.ts'
import type { Command } from '../command.ts'
import { nullArray, ReplyError, type Reply } from '../reply.ts'
import type { Session } from '../session.ts'
import {
  argumentAt,
  blockMsOf,
  bytesOf,
  integerOf,
  isWord,
  syntaxError,
  wordOf,
  wrongArity,
} from './arguments.ts'
import { formatEntryId, parseEntryId, type EntryId } from './entry-id.ts'
import { committedPositions, noGroup } from './group-offsets.ts'
import type { Pending, StreamGroups } from './groups.ts'
import { fullRoom } from './range.ts'
import { entryReply, hasRoom, readOffsets, sizeOf } from './read-log.ts'
import { refusalOf } from './refusal.ts'
import { permit } from './rights.ts'
import { parseStreamKey, type StreamKey } from './stream-key.ts'
import type { StreamConsumer } from './stream-consumer.ts'
import type { StreamsCore } from './streams-core.ts'
import { streamsReply } from './xread.ts'
import { during, shorter, type Wait } from './waits.ts'

interface GroupRead {
  readonly groupId: string
  readonly name: string
  readonly count: number
  readonly blockMs: number | undefined
  readonly keeps: boolean
  /** `after` undefined: `>`. */
  readonly streams: readonly { readonly key: StreamKey; readonly after: EntryId | undefined }[]
  /** Those that are read by `>`. */
  readonly wanted: readonly StreamKey[]
}

/** As many as one reply has when no count is given; the byte budget of fetching ends it sooner. */
const mostAtOnce = 10_000
/** Joining, and finding what is there, for a call that does not block. */
const patienceMs = 10_000
const againMs = 50
const shortBlockMs = 250

export class GroupReader {
  readonly #core: StreamsCore
  readonly #groups: StreamGroups

  constructor(core: StreamsCore, groups: StreamGroups) {
    this.#core = core
    this.#groups = groups
  }

  readonly xreadgroup = (command: Command, session: Session): Reply | Promise<Reply> => {
    const read = readArguments(bytesOf(command.args))
    const { groupId: group } = read
    for (const { key } of read.streams) permit(session, 'consume', { topic: key.topic, group })
    return this.#takeBuffered(read, session) ?? this.#read(read, session)
  }

  /** Undefined: something has to be awaited. */
  #takeBuffered(read: GroupRead, session: Session): Reply | undefined {
    if (this.#core.isDraining) return undefined
    const consumer = this.#groups.consumer(read.groupId, read.name)
    if (consumer === undefined || read.wanted.length !== read.streams.length) return undefined
    for (const { key } of read.streams) if (!consumer.reads(key.topic)) return undefined
    this.#groups.use(consumer, session)
    const parts = takeNew(consumer, read)
    return parts.length > 0 ? streamsReply(session, parts) : undefined
  }

  async #read(read: GroupRead, session: Session): Promise<Reply> {
    const wait = this.#core.waits.open(session, read.blockMs ?? patienceMs)
    try {
      // Consumers have left, and come again with the next process: until then nothing arrives.
      if (this.#core.isDraining) return await this.#idle(read, wait)
      await this.#join(read, wait)
      const consumer = this.#groups.consumerFor(read.groupId, read.name, session)
      const history = await this.#history(read, consumer, wait)
      if (read.wanted.length === 0) return streamsReply(session, history)
      await this.#subscribe(read, consumer, wait)
      const waitsLong = history.length === 0 && isLong(read.blockMs)
      const first = waitsLong
        ? takeNew(consumer, read)
        : await this.#lookForNew(read, consumer, wait)
      if (history.length > 0 || first.length > 0)
        return streamsReply(session, [...history, ...first])
      return await this.#block(read, consumer, session, wait)
    } catch (error) {
      // Its consumer was deleted meanwhile, or left: the next call makes another.
      if (wait.isOver || isFailure(error, 'MR_GROUP_CLOSED')) return nullArray
      throw refusalOf(error)
    } finally {
      wait.end()
    }
  }

  async #idle({ blockMs }: GroupRead, wait: Wait): Promise<Reply> {
    if (blockMs === undefined || wait.isOver) return nullArray
    await new Promise<void>((resolve) => {
      wait.signal.addEventListener('abort', () => resolve(), { once: true })
    })
    return nullArray
  }

  /** @throws ReplyError for a group without commits in a topic */
  async #join({ groupId, streams }: GroupRead, { signal }: Wait): Promise<void> {
    const group = this.#groups.find(groupId)
    const unknown = streams.filter(({ key }) => group?.hasReaders(key.topic) !== true)
    await Promise.all(
      unknown.map(async ({ key }) => {
        const whole = { ...key, partition: undefined }
        const committed = await during(signal, () => committedPositions(this.#core, groupId, whole))
        if (committed.size === 0)
          throw noGroup(key.text, groupId, ' in XREADGROUP with GROUP option')
      }),
    )
  }

  async #subscribe({ wanted }: GroupRead, consumer: StreamConsumer, wait: Wait): Promise<void> {
    for (const { topic } of wanted)
      if (!consumer.reads(topic)) await during(wait.signal, () => consumer.subscribe(topic))
    await during(wait.signal, () => consumer.ready())
  }

  /** What is there now, though it may have to be fetched. */
  async #lookForNew(
    read: GroupRead,
    consumer: StreamConsumer,
    wait: Wait,
  ): Promise<[string, Reply][]> {
    const parts = takeNew(consumer, read)
    if (parts.length > 0) return parts
    const owned = consumer.ownedOf(read.wanted)
    const ends = await during(wait.signal, () => this.#core.topics.ends(owned))
    for (;;) {
      const isBehind = owned.some(
        (one, index) => one.isOwned && !one.isPaused && one.position < ends[index]!,
      )
      if (!isBehind || wait.isOver) return []
      // Markers move a position without waking anybody.
      const look = shorter(this.#core.clock, againMs, wait.signal)
      await consumer.woken(read.wanted, read.keeps, look.signal)
      look.end()
      const more = takeNew(consumer, read)
      if (more.length > 0) return more
      await turn()
      const error = consumer.takeFailure(read.wanted)
      if (error) throw error
    }
  }

  async #block(
    read: GroupRead,
    consumer: StreamConsumer,
    session: Session,
    wait: Wait,
  ): Promise<Reply> {
    while (read.blockMs !== undefined && !wait.isOver) {
      await consumer.woken(read.wanted, read.keeps, wait.signal)
      const parts = takeNew(consumer, read)
      if (parts.length > 0) return streamsReply(session, parts)
      await turn()
      const error = consumer.takeFailure(read.wanted)
      if (error) throw error
      // It was deleted, or has left the group while this call waited.
      for (const { topic } of read.wanted) if (!consumer.reads(topic)) return nullArray
    }
    return nullArray
  }

  async #history(
    { groupId, streams, count }: GroupRead,
    consumer: StreamConsumer,
    wait: Wait,
  ): Promise<[string, Reply][]> {
    const parts: [string, Reply][] = []
    const group = this.#groups.find(groupId)
    for (const { key, after } of streams) {
      if (after === undefined) continue
      const mine: Pending[] = []
      const from = { partition: after.partition, position: after.position + 1 }
      for (const pending of group?.pendingFrom(key, from) ?? []) {
        if (mine.length >= count) break
        if (pending.entry.holder === consumer) mine.push(pending)
      }
      parts.push([key.text, await this.entriesOf(mine, wait.signal)])
    }
    return parts
  }

  /** Pending entries as they are replied; null for the fields of what has left the log. They count as delivered again. */
  async entriesOf(pending: readonly Pending[], signal: AbortSignal): Promise<Reply[]> {
    const entries: Reply[] = []
    const room = fullRoom(this.#core, undefined)
    for (const [held, some] of Map.groupBy(pending, ({ held: where }) => where)) {
      if (!hasRoom(room)) break
      const { topic, partition } = held.owned
      const offsets = some.map(({ entry }) => entry.offset)
      const messages = await readOffsets(this.#core.client, topic, partition, offsets, signal)
      const nowMs = this.#core.clock.monotonicMs()
      for (const [index, message] of messages.entries()) {
        if (!hasRoom(room)) break
        const { entry } = some[index]!
        entry.deliveredAtMs = nowMs
        entry.deliveries++
        if (message === null) {
          entries.push([formatEntryId(partition, entry.offset), null])
          continue
        }
        room.bytes -= sizeOf(message)
        entries.push(entryReply(message))
      }
    }
    return entries
  }
}

/** Between two looks the loop goes round: a wake for nothing must never keep others from theirs. */
function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}

/** Who waits anyway is told by the fetcher, which costs no question, and none that fails while the broker is away. */
function isLong(blockMs: number | undefined): boolean {
  return blockMs !== undefined && (blockMs === 0 || blockMs >= shortBlockMs)
}

function takeNew(consumer: StreamConsumer, read: GroupRead): [string, Reply][] {
  const parts: [string, Reply][] = []
  for (const { key, after } of read.streams) {
    if (after !== undefined) continue
    const entries: Reply[] = []
    consumer.take(key, read.count, read.keeps, entries)
    if (entries.length > 0) parts.push([key.text, entries])
  }
  return parts
}

/** GROUP group consumer [COUNT n] [BLOCK ms] [NOACK] STREAMS key... id... */
function readArguments(args: readonly Buffer[]): GroupRead {
  if (args.length < 6) throw wrongArity('xreadgroup')
  let groupId: string | undefined
  let name = ''
  let count = mostAtOnce
  let blockMs: number | undefined
  let keeps = true
  let index = 0
  loop: for (; index < args.length; index++) {
    switch (wordOf(args[index]!)) {
      case 'GROUP':
        groupId = argumentAt(args, index + 1).toString('utf8')
        name = argumentAt(args, index + 2).toString('utf8')
        index += 2
        break
      case 'COUNT': {
        const wanted = integerOf(argumentAt(args, ++index))
        count = wanted <= 0 ? mostAtOnce : Math.min(wanted, mostAtOnce)
        break
      }
      case 'BLOCK':
        blockMs = blockMsOf(argumentAt(args, ++index))
        break
      case 'NOACK':
        keeps = false
        break
      case 'STREAMS':
        break loop
      default:
        throw syntaxError()
    }
  }
  const names = args.slice(index + 1)
  if (names.length === 0) throw syntaxError()
  if (names.length % 2 !== 0)
    throw new ReplyError(
      "ERR Unbalanced 'xreadgroup' list of streams: for each stream key an ID or '>' must be specified.",
    )
  if (groupId === undefined) throw new ReplyError('ERR Missing GROUP option for XREADGROUP')
  if (groupId === '' || name === '') throw new ReplyError('ERR a group and a consumer have names')
  const half = names.length / 2
  const wanted: StreamKey[] = []
  const streams = names.slice(0, half).map((keyName, at) => {
    const key = parseStreamKey(keyName)
    const id = names[half + at]!
    if (isWord(id, '$'))
      throw new ReplyError(
        'ERR The $ ID is meaningless in the context of XREADGROUP: you want to read the history of this consumer by specifying a proper ID, or use the > ID to get new messages. The $ ID would just return an empty result set.',
      )
    if (!isWord(id, '>')) return { key, after: parseEntryId(id) }
    wanted.push(key)
    return { key, after: undefined }
  })
  return { groupId, name, count, blockMs, keeps, streams, wanted }
}
