/**
 * XINFO: streams, groups with their lag, consumers.
 *
 * Groups are looked for among all of the cluster: those that have committed something in the topic. Pending entries and
 * consumers are this process's.
 */
import type { Command } from '../command.ts'
import { MapReply, ReplyError, type Reply } from '../reply.ts'
import type { Session } from '../session.ts'
import { bytesOf, isWord, syntaxError, unknownSubcommand, wrongArity } from './arguments.ts'
import { committedPositions, noSuchGroup } from './group-offsets.ts'
import type { StreamGroups } from './groups.ts'
import type { Ranges } from './range.ts'
import { refusalOf } from './refusal.ts'
import { permit } from './rights.ts'
import { parseStreamKey, type StreamKey } from './stream-key.ts'
import type { StreamsCore } from './streams-core.ts'
import type { Bounds } from './topics.ts'

/** Groups that are asked at a time for what they have committed. */
const askedAtOnce = 16

const help = [
  'XINFO <subcommand> [<arg> [value] [opt] ...]. Subcommands are:',
  'CONSUMERS <key> <groupname>',
  'GROUPS <key>',
  'STREAM <key>',
]

export class InfoCommands {
  readonly #core: StreamsCore
  readonly #groups: StreamGroups
  readonly #ranges: Ranges

  constructor(core: StreamsCore, groups: StreamGroups, ranges: Ranges) {
    this.#core = core
    this.#groups = groups
    this.#ranges = ranges
  }

  readonly xinfo = async (command: Command, session: Session): Promise<Reply> => {
    const args = bytesOf(command.args)
    if (args.length === 0) throw wrongArity('xinfo')
    const name = args[0]!.toString('latin1')
    const rest = args.slice(1)
    try {
      switch (name.toUpperCase()) {
        case 'STREAM':
          return await this.#stream(rest, session)
        case 'GROUPS':
          return await this.#groupsOf(rest, session)
        case 'CONSUMERS':
          return await this.#consumers(rest, session)
        case 'HELP':
          return help
        default:
          throw unknownSubcommand('XINFO', name)
      }
    } catch (error) {
      throw refusalOf(error)
    }
  }

  async #stream(args: readonly Buffer[], session: Session): Promise<Reply> {
    if (args.length === 0) throw wrongArity('xinfo|stream')
    // FULL lists everything that is pending; XPENDING and XINFO GROUPS have it.
    if (args.length > 1 && !isWord(args[1], 'FULL')) throw syntaxError()
    const key = parseStreamKey(args[0]!)
    const bounds = await this.#boundsOf(key, session)
    const [groups, first, last] = await Promise.all([
      this.#committedBy(key, session),
      this.#ranges.outermost(key, false),
      this.#ranges.outermost(key, true),
    ])
    const length = bounds.reduce((sum, { start, end }) => sum + Math.max(0, end - start), 0)
    return new MapReply([
      ['length', length],
      ['last-generated-id', lastId(bounds)],
      ['groups', groups.length],
      ['first-entry', first ?? null],
      ['last-entry', last ?? null],
      ['partitions', bounds.length],
    ])
  }

  async #groupsOf(args: readonly Buffer[], session: Session): Promise<Reply> {
    if (args.length !== 1) throw wrongArity('xinfo|groups')
    const key = parseStreamKey(args[0]!)
    const bounds = await this.#boundsOf(key, session)
    const groups = await this.#committedBy(key, session)
    return groups.map(({ groupId, committed }) => {
      const group = this.#groups.find(groupId)
      let pending = 0
      for (const { ledger } of group?.partitionsOf(key) ?? []) pending += ledger.pending
      const positions = bounds.map(({ partition }) => committed.get(partition) ?? -1)
      return new MapReply([
        ['name', groupId],
        ['consumers', group?.consumers.size ?? 0],
        ['pending', pending],
        ['last-delivered-id', lastDelivered(bounds, positions)],
        ['entries-read', null],
        ['lag', lagOf(bounds, positions)],
        [
          'positions',
          bounds.flatMap(({ partition }, index) =>
            positions[index]! < 0 ? [] : `${partition}-${positions[index]!}`,
          ),
        ],
      ])
    })
  }

  async #consumers(args: readonly Buffer[], session: Session): Promise<Reply> {
    if (args.length !== 2) throw wrongArity('xinfo|consumers')
    const key = parseStreamKey(args[0]!)
    const groupId = args[1]!.toString('utf8')
    permit(session, 'consume', { topic: key.topic, group: groupId })
    const group = this.#groups.find(groupId)
    if (group?.hasReaders(key.topic) !== true) {
      if ((await this.#core.topics.partitionsOf(key)).length === 0) throw noSuchKey()
      if ((await committedPositions(this.#core, groupId, key)).size === 0)
        throw noSuchGroup(key.text, groupId)
    }
    const nowMs = this.#core.clock.monotonicMs()
    return Array.from(
      group?.consumers.values() ?? [],
      ({ name, pending, usedAtMs, activeAtMs }) =>
        new MapReply([
          ['name', name],
          ['pending', pending],
          ['idle', Math.floor(nowMs - usedAtMs)],
          ['inactive', activeAtMs < 0 ? -1 : Math.floor(nowMs - activeAtMs)],
        ]),
    )
  }

  async #boundsOf(key: StreamKey, session: Session): Promise<readonly Bounds[]> {
    permit(session, 'consume', { topic: key.topic })
    const { topics } = this.#core
    const partitions = await topics.partitionsOf(key)
    if (partitions.length === 0) throw noSuchKey()
    return topics.bounds(key.topic, partitions)
  }

  async #committedBy(
    key: StreamKey,
    { user }: Session,
  ): Promise<{ readonly groupId: string; readonly committed: ReadonlyMap<number, number> }[]> {
    const { topic } = key
    const listed = await this.#core.client.admin.listGroups({ timeoutMs: 5000 })
    const open = listed.filter(
      ({ groupId, protocolType }) =>
        (protocolType === 'consumer' || protocolType === '') &&
        user.may('consume', { topic, group: groupId }),
    )
    const found: { groupId: string; committed: ReadonlyMap<number, number> }[] = []
    const ask = async (): Promise<void> => {
      for (let next = open.pop(); next !== undefined; next = open.pop()) {
        const { groupId } = next
        const committed = await committedPositions(this.#core, groupId, key)
        if (committed.size > 0) found.push({ groupId, committed })
      }
    }
    await Promise.all(Array.from({ length: askedAtOnce }, ask))
    return found.toSorted((left, right) => (left.groupId < right.groupId ? -1 : 1))
  }
}

function noSuchKey(): ReplyError {
  return new ReplyError('ERR no such key')
}

/** Of the last partition that has entries. */
function lastId(bounds: readonly Bounds[]): string {
  const last = bounds.findLast(({ start, end }) => end > start)
  return last === undefined ? '0-0' : `${last.partition}-${last.end}`
}

/** An id is a position in one partition; of several, the last that has been read from. `positions` has them all. */
function lastDelivered(bounds: readonly Bounds[], positions: readonly number[]): string {
  const index = positions.findLastIndex((position) => position > 0)
  return index < 0 ? '0-0' : `${bounds[index]!.partition}-${positions[index]!}`
}

function lagOf(bounds: readonly Bounds[], positions: readonly number[]): number {
  let lag = 0
  for (const [index, { start, end }] of bounds.entries())
    lag += Math.max(0, end - Math.max(start, positions[index]!))
  return lag
}
