/**
 * XACK, XPENDING, XCLAIM, XAUTOCLAIM: what was delivered here and is not acknowledged.
 *
 * The tracker is this process's: a claim moves entries between consumers of the group that are connected here. Entries
 * that are not pending, of other processes too, are never claimed, FORCE or not: only who holds their partition may
 * commit them.
 */
import type { Command } from '../command.ts'
import { ReplyError, type Reply } from '../reply.ts'
import type { Session } from '../session.ts'
import {
  argumentAt,
  bytesOf,
  integerOf,
  isWord,
  readInteger,
  syntaxError,
  wordOf,
  wrongArity,
} from './arguments.ts'
import {
  compareIds,
  formatEntryId,
  invalidId,
  parseEntryId,
  parseRangeEnd,
  readEntryId,
  type EntryId,
  type RangeEnd,
} from './entry-id.ts'
import { committedPositions, noGroup } from './group-offsets.ts'
import type { Pending, StreamGroup, StreamGroups } from './groups.ts'
import { refusalOf } from './refusal.ts'
import { permit } from './rights.ts'
import { parseStreamKey, type StreamKey } from './stream-key.ts'
import { StreamConsumer } from './stream-consumer.ts'
import type { StreamsCore } from './streams-core.ts'
import type { GroupReader } from './xreadgroup.ts'

const readMs = 15_000
const lastPosition = Number.MAX_SAFE_INTEGER
const claimedAtOnce = 100
const mostAtOnce = 10_000

interface ClaimOptions {
  /** Told in place of "now" as the time of the last delivery, by the monotonic clock. */
  readonly deliveredAtMs: number
  readonly retries: number | undefined
  readonly justIds: boolean
}

export class PendingCommands {
  readonly #core: StreamsCore
  readonly #groups: StreamGroups
  readonly #reader: GroupReader

  constructor(core: StreamsCore, groups: StreamGroups, reader: GroupReader) {
    this.#core = core
    this.#groups = groups
    this.#reader = reader
  }

  readonly xack = (command: Command, session: Session): Reply => {
    const args = bytesOf(command.args)
    if (args.length < 3) throw wrongArity('xack')
    const key = parseStreamKey(args[0]!)
    const groupId = args[1]!.toString('utf8')
    permit(session, 'consume', { topic: key.topic, group: groupId })
    // All or none: a bad id acknowledges nothing.
    for (let index = 2; index < args.length; index++)
      if (readEntryId(args[index]!) === undefined) throw invalidId()
    const group = this.#groups.find(groupId)
    if (group === undefined) return 0
    let acknowledged = 0
    for (let index = 2; index < args.length; index++) {
      const { partition, position } = readEntryId(args[index]!)!
      if (key.partition !== undefined && key.partition !== partition) continue
      const held = group.heldOf(key.topic, partition)
      const holder = held?.ledger.acknowledge(position - 1)
      if (held === undefined || holder === undefined) continue
      acknowledged++
      held.consumer.moved(held)
      if (holder instanceof StreamConsumer) holder.relieved()
    }
    return acknowledged
  }

  readonly xpending = async (command: Command, session: Session): Promise<Reply> => {
    const args = bytesOf(command.args)
    if (args.length < 2) throw wrongArity('xpending')
    const key = parseStreamKey(args[0]!)
    const groupId = args[1]!.toString('utf8')
    const asked = args.length === 2 ? undefined : readPendingArguments(args)
    permit(session, 'consume', { topic: key.topic, group: groupId })
    const group = await this.#group(groupId, key)
    return asked === undefined ? summary(group, key) : this.#list(group, key, asked)
  }

  readonly xclaim = async (command: Command, session: Session): Promise<Reply> => {
    const args = bytesOf(command.args)
    if (args.length < 5) throw wrongArity('xclaim')
    const key = parseStreamKey(args[0]!)
    const groupId = args[1]!.toString('utf8')
    const name = args[2]!.toString('utf8')
    const idleMs = idleOf(args[3]!, 'ERR Invalid min-idle-time argument for XCLAIM')
    const ids: EntryId[] = []
    let index = 4
    for (; index < args.length; index++) {
      const id = readEntryId(args[index]!)
      if (id === undefined) break
      ids.push(id)
    }
    if (ids.length === 0) throw invalidId()
    const options = this.#claimOptions(args, index)
    permit(session, 'consume', { topic: key.topic, group: groupId })
    const group = await this.#group(groupId, key)
    const consumer = this.#groups.consumerFor(groupId, name, session)
    const claimed: Pending[] = []
    for (const id of ids) {
      if (key.partition !== undefined && key.partition !== id.partition) continue
      const held = group?.heldOf(key.topic, id.partition)
      const entry = held?.ledger.find(id.position - 1)
      if (held === undefined || entry === undefined) continue
      if (this.#idleMs(entry.deliveredAtMs) < idleMs) continue
      claimed.push({ held, entry })
    }
    const { entries } = await this.#claim(claimed, consumer, options)
    return entries
  }

  readonly xautoclaim = async (command: Command, session: Session): Promise<Reply> => {
    const args = bytesOf(command.args)
    if (args.length < 5) throw wrongArity('xautoclaim')
    const key = parseStreamKey(args[0]!)
    const groupId = args[1]!.toString('utf8')
    const name = args[2]!.toString('utf8')
    const idleMs = idleOf(args[3]!, 'ERR Invalid min-idle-time argument for XAUTOCLAIM')
    const start = startOf(parseRangeEnd(args[4]!, 0))
    let count = claimedAtOnce
    let justIds = false
    for (let index = 5; index < args.length; index++) {
      if (isWord(args[index], 'JUSTID')) {
        justIds = true
      } else if (isWord(args[index], 'COUNT')) {
        count = integerOf(argumentAt(args, ++index))
        if (count < 1) throw new ReplyError('ERR COUNT must be > 0')
      } else {
        throw syntaxError()
      }
    }
    permit(session, 'consume', { topic: key.topic, group: groupId })
    const group = await this.#group(groupId, key)
    const consumer = this.#groups.consumerFor(groupId, name, session)
    const claimed: Pending[] = []
    let next = '0-0'
    for (const pending of group?.pendingFrom(key, start) ?? []) {
      if (claimed.length >= Math.min(count, mostAtOnce)) {
        next = formatEntryId(pending.held.owned.partition, pending.entry.offset)
        break
      }
      if (this.#idleMs(pending.entry.deliveredAtMs) >= idleMs) claimed.push(pending)
    }
    const options = {
      deliveredAtMs: this.#core.clock.monotonicMs(),
      retries: undefined,
      justIds,
    }
    const { entries, gone } = await this.#claim(claimed, consumer, options)
    return [next, entries, gone]
  }

  /** The group of this process; undefined when it has none, but commits. @throws NOGROUP */
  async #group(groupId: string, key: StreamKey): Promise<StreamGroup | undefined> {
    const group = this.#groups.find(groupId)
    if (group?.hasReaders(key.topic) === true) return group
    try {
      if ((await committedPositions(this.#core, groupId, key)).size > 0) return group
    } catch (error) {
      throw refusalOf(error)
    }
    throw noGroup(key.text, groupId)
  }

  async #claim(
    pending: readonly Pending[],
    consumer: StreamConsumer,
    { deliveredAtMs, retries, justIds }: ClaimOptions,
  ): Promise<{ readonly entries: Reply[]; readonly gone: Reply[] }> {
    for (const { held, entry } of pending) {
      const before = entry.holder
      held.ledger.give(entry, consumer)
      if (before !== consumer && before instanceof StreamConsumer) before.relieved()
    }
    const update = (): void => {
      for (const { entry } of pending) {
        entry.deliveredAtMs = deliveredAtMs
        if (retries !== undefined) entry.deliveries = retries
      }
    }
    if (pending.length > 0) consumer.activeAtMs = this.#core.clock.monotonicMs()
    const ids = pending.map(({ held, entry }) => formatEntryId(held.owned.partition, entry.offset))
    if (justIds) {
      update()
      return { entries: ids, gone: [] }
    }
    const wait = this.#core.waits.bound(readMs)
    try {
      const read = await this.#reader.entriesOf(pending, wait.signal)
      update()
      const entries: Reply[] = []
      const gone: Reply[] = []
      for (const [index, entry] of read.entries()) {
        if (!Array.isArray(entry) || entry[1] !== null) {
          entries.push(entry)
          continue
        }
        // What the log lost can never be worked on: nobody has to acknowledge it any more.
        const { held, entry: lost } = pending[index]!
        if (held.ledger.acknowledge(lost.offset)) held.consumer.moved(held)
        gone.push(ids[index]!)
      }
      return { entries, gone }
    } catch (error) {
      throw refusalOf(error)
    } finally {
      wait.end()
    }
  }

  #list(
    group: StreamGroup | undefined,
    key: StreamKey,
    { from, to, count, idleMs, name }: PendingArguments,
  ): Reply {
    const rows: Reply[] = []
    if (count <= 0) return rows
    for (const { held, entry } of group?.pendingFrom(key, from) ?? []) {
      const { partition } = held.owned
      if (to && compareIds({ partition, position: entry.offset + 1 }, to) > 0) break
      const idle = this.#idleMs(entry.deliveredAtMs)
      const holder = entry.holder?.name ?? ''
      if (idle < idleMs || (name !== undefined && name !== holder)) continue
      rows.push([formatEntryId(partition, entry.offset), holder, idle, entry.deliveries])
      if (rows.length >= Math.min(count, mostAtOnce)) break
    }
    return rows
  }

  #idleMs(deliveredAtMs: number): number {
    return Math.max(0, Math.floor(this.#core.clock.monotonicMs() - deliveredAtMs))
  }

  /** [IDLE ms] [TIME unixMs] [RETRYCOUNT n] [FORCE] [JUSTID] [LASTID id] */
  #claimOptions(args: readonly Buffer[], from: number): ClaimOptions {
    const { clock } = this.#core
    let deliveredAtMs = clock.monotonicMs()
    let retries: number | undefined
    let justIds = false
    for (let index = from; index < args.length; index++) {
      const word = wordOf(args[index]!)
      switch (word) {
        case 'FORCE':
          break
        case 'JUSTID':
          justIds = true
          break
        case 'IDLE':
          deliveredAtMs =
            clock.monotonicMs() -
            integerOf(argumentAt(args, ++index), 'ERR Invalid IDLE option argument for XCLAIM')
          break
        case 'TIME': {
          const time = integerOf(
            argumentAt(args, ++index),
            'ERR Invalid TIME option argument for XCLAIM',
          )
          deliveredAtMs = clock.monotonicMs() - Math.max(0, clock.now() - time)
          break
        }
        case 'RETRYCOUNT':
          retries = integerOf(
            argumentAt(args, ++index),
            'ERR Invalid RETRYCOUNT option argument for XCLAIM',
          )
          if (retries < 0) throw new ReplyError('ERR RETRYCOUNT must be >= 0')
          break
        case 'LASTID':
          parseEntryId(argumentAt(args, ++index))
          break
        default:
          throw new ReplyError(`ERR Unrecognized XCLAIM option '${args[index]!.toString('utf8')}'`)
      }
    }
    return { deliveredAtMs, retries, justIds }
  }
}

interface PendingArguments {
  readonly from: EntryId
  /** Undefined: `+`. */
  readonly to: EntryId | undefined
  readonly count: number
  readonly idleMs: number
  readonly name: string | undefined
}

/** key group [IDLE ms] start end count [consumer] */
function readPendingArguments(args: readonly Buffer[]): PendingArguments {
  let index = 2
  let idleMs = 0
  if (isWord(args[2], 'IDLE')) {
    idleMs = integerOf(argumentAt(args, 3))
    index = 4
  }
  if (args.length < index + 3 || args.length > index + 4) throw syntaxError()
  const start = parseRangeEnd(args[index]!, 0)
  const end = parseRangeEnd(args[index + 1]!, lastPosition)
  const count = integerOf(args[index + 2]!)
  return {
    from: startOf(start),
    to: endOf(end),
    count,
    idleMs,
    name: args[index + 3]?.toString('utf8'),
  }
}

/** The first id of a range. @throws ReplyError for a time: pending entries do not know theirs */
function startOf({ place, isExclusive }: RangeEnd): EntryId {
  if (place.at === 'start') return { partition: 0, position: 0 }
  if (place.at === 'end') return { partition: lastPosition, position: 0 }
  if (place.at === 'time') throw invalidId()
  const { partition, position } = place.id
  return { partition, position: isExclusive ? position + 1 : position }
}

function endOf({ place, isExclusive }: RangeEnd): EntryId | undefined {
  if (place.at === 'end') return undefined
  if (place.at === 'start') return { partition: -1, position: 0 }
  if (place.at === 'time') throw invalidId()
  const { partition, position } = place.id
  return { partition, position: isExclusive ? position - 1 : position }
}

/** [count, first id, last id, [[consumer, count], ...]] */
function summary(group: StreamGroup | undefined, key: StreamKey): Reply {
  let count = 0
  let first: string | null = null
  let last: string | null = null
  const byName = new Map<string, number>()
  for (const { held, entry } of group?.pendingFrom(key, { partition: 0, position: 0 }) ?? []) {
    last = formatEntryId(held.owned.partition, entry.offset)
    first ??= last
    count++
    const name = entry.holder?.name ?? ''
    byName.set(name, (byName.get(name) ?? 0) + 1)
  }
  if (count === 0) return [0, null, null, null]
  const consumers = Array.from(byName, ([name, pending]): Reply => [name, String(pending)])
  return [count, first, last, consumers]
}

function idleOf(bytes: Buffer, text: string): number {
  const value = readInteger(bytes)
  if (value === undefined) throw new ReplyError(text)
  return Math.max(0, value)
}
