import type { CommittedOffset, DescribedGroup, ListedGroup } from '../../client/index.ts'
import { failure } from '../../errors/index.ts'
import { nearest, parseDuration, placeKey } from '../../kit/index.ts'
import type { AnyTopic } from '../topic/define-topic.ts'
import type { Connected } from './connect.ts'
import { watermarksOf, whole } from './watermarks.ts'

/** How far a group has come in a partition. */
export interface GroupLag {
  readonly topic: string
  readonly partition: number
  /** Null: nothing is committed. */
  readonly committed: number | null
  readonly end: number
  /** Offsets behind the end; all of the partition where nothing is committed. */
  readonly lag: number
  /** Client id and host of the member that reads it; undefined for nobody. */
  readonly member: string | undefined
}

/** Where a group's offset in a partition was, and where it goes. */
export interface OffsetMove {
  readonly topic: string
  readonly partition: number
  /** Null: nothing was committed. */
  readonly from: number | null
  readonly to: number
}

export interface SeekOptions {
  /** Default: every topic that the group has committed offsets of. */
  readonly topics?: readonly (AnyTopic | string)[]
  /** Of each topic; default all. */
  readonly partitions?: readonly number[]
  /** Only shows what would be done. */
  readonly dryRun?: boolean
}

/** Where offsets go: an offset, the first message at or after a time, an age as `'-1h'`, or an end of the log. */
export type GroupTarget = number | Date | 'earliest' | 'latest' | `-${string}`

export interface GroupAdmin {
  /** By id. */
  list(): Promise<readonly ListedGroup[]>
  /** @throws MR_ADMIN_GROUP_UNKNOWN with the nearest name */
  describe(group: string): Promise<DescribedGroup>
  lag(group: string): Promise<readonly GroupLag[]>
  /**
   * Moves committed offsets; one outside the log goes to its nearer end. A group that does not exist is made.
   * @throws MR_ADMIN_GROUP_LIVE while it has members
   */
  seek(group: string, to: GroupTarget, options?: SeekOptions): Promise<readonly OffsetMove[]>
  /** Gives a group, which must not be there, the offsets of another one. @throws MR_ADMIN_GROUP_TAKEN, MR_ADMIN_GROUP_UNKNOWN */
  copy(
    from: string,
    to: string,
    options?: Pick<SeekOptions, 'dryRun'>,
  ): Promise<readonly OffsetMove[]>
  /** A copy, then the old one is deleted. @throws MR_ADMIN_GROUP_LIVE, MR_ADMIN_GROUP_TAKEN, MR_ADMIN_GROUP_UNKNOWN */
  rename(
    from: string,
    to: string,
    options?: Pick<SeekOptions, 'dryRun'>,
  ): Promise<readonly OffsetMove[]>
  /** With its offsets. @throws MR_ADMIN_GROUP_LIVE, MR_ADMIN_GROUP_UNKNOWN */
  delete(group: string): Promise<void>
}

export function groupAdmin({ client, wireName, groupId }: Connected): GroupAdmin {
  const { admin } = client

  const find = async (group: string): Promise<DescribedGroup | undefined> => {
    const [described] = await admin.describeGroups([groupId(group)])
    const isUnknown = described?.error?.context['name'] === 'GROUP_ID_NOT_FOUND'
    if (isUnknown) return undefined
    if (described?.error !== undefined) throw described.error
    return described
  }
  const describe = async (group: string): Promise<DescribedGroup> => {
    const found = await find(group)
    if (found !== undefined) return found
    const known = (await admin.listGroups()).map((one) => one.groupId)
    const near = nearest(groupId(group), known)
    throw failure('MR_ADMIN_GROUP_UNKNOWN', { group: groupId(group), near })
  }
  const offsetsOf = async (group: string): Promise<readonly CommittedOffset[]> => {
    const all = await admin.committedOffsets(groupId(group))
    return all.filter(({ offset }) => offset >= 0)
  }
  const move = async (group: string, moves: readonly OffsetMove[]): Promise<void> => {
    const entries = moves.map(({ topic, partition, to }) => ({ topic, partition, offset: to }))
    whole(await admin.setOffsets(groupId(group), entries))
  }
  const copy = async (from: string, to: string, isDry: boolean): Promise<readonly OffsetMove[]> => {
    await describe(from)
    if ((await offsetsOf(to)).length > 0)
      throw failure('MR_ADMIN_GROUP_TAKEN', { group: groupId(to) })
    refuseLive(await find(to))
    const moves = (await offsetsOf(from)).map(({ topic, partition, offset }) => ({
      topic,
      partition,
      from: null,
      to: offset,
    }))
    if (!isDry) await move(to, moves)
    return moves
  }
  /** Partitions of topics that are still there; a group keeps offsets of others. */
  const placesOf = async (
    names: readonly string[],
    partitions: readonly number[] | undefined,
    isAsked: boolean,
  ): Promise<readonly { readonly topic: string; readonly partition: number }[]> => {
    const described = names.length === 0 ? [] : await admin.describeTopics(names)
    return described.flatMap(({ name, partitions: own, error }) => {
      if (error !== undefined && isAsked) throw error
      return own
        .filter(({ partition }) => partitions?.includes(partition) ?? true)
        .map(({ partition }) => ({ topic: name, partition }))
    })
  }

  return {
    list: () => admin.listGroups(),
    describe,
    async lag(group) {
      const { members } = await describe(group)
      const memberAt = new Map(
        members.flatMap(({ clientId, host, assignment }) =>
          assignment.map((at) => [placeKey(at), `${clientId} on ${host}`] as const),
        ),
      )
      const committed = new Map((await offsetsOf(group)).map((own) => [placeKey(own), own.offset]))
      const names = new Set([...committed.keys(), ...memberAt.keys()].map(topicOf))
      const places = await placesOf([...names], undefined, false)
      const wanted = places.filter(
        (at) => committed.has(placeKey(at)) || memberAt.has(placeKey(at)),
      )
      return (await watermarksOf(client, wanted)).map(({ topic, partition, start, end }) => {
        const key = placeKey({ topic, partition })
        const own = committed.get(key) ?? null
        const lag = Math.max(0, end - Math.max(start, own ?? start))
        return { topic, partition, committed: own, end, lag, member: memberAt.get(key) }
      })
    },
    async seek(group, to, { topics, partitions, dryRun = false } = {}) {
      if (!dryRun) refuseLive(await find(group))
      const committed = await offsetsOf(group)
      const names = topics?.map(wireName) ?? [...new Set(committed.map(({ topic }) => topic))]
      const places = await placesOf(names, partitions, topics !== undefined)
      const ranges = await watermarksOf(client, places)
      const at = timeOf(to)
      const times =
        at === undefined
          ? []
          : whole(await admin.listOffsets(places.map((place) => ({ ...place, at }))))
      const fromAt = new Map(committed.map((own) => [placeKey(own), own.offset]))
      const moves = ranges.map(({ topic, partition, start, end }, index): OffsetMove => {
        const asked = at === undefined ? endOf(to, start, end) : (times[index]?.offset ?? -1)
        // After the last message there is none: the end.
        const inside = Math.min(end, Math.max(start, asked < 0 ? end : asked))
        const from = fromAt.get(placeKey({ topic, partition })) ?? null
        return { topic, partition, from, to: inside }
      })
      if (!dryRun) await move(group, moves)
      return moves
    },
    copy: (from, to, { dryRun = false } = {}) => copy(from, to, dryRun),
    async rename(from, to, { dryRun = false } = {}) {
      refuseLive(await describe(from))
      const moves = await copy(from, to, dryRun)
      if (!dryRun) whole(await admin.deleteGroups([groupId(from)]))
      return moves
    },
    async delete(group) {
      refuseLive(await describe(group))
      whole(await admin.deleteGroups([groupId(group)]))
    },
  }
}

function refuseLive(group: DescribedGroup | undefined): void {
  if (group === undefined || group.members.length === 0) return
  const members = group.members.map(({ clientId, host }) => `${clientId} on ${host}`)
  throw failure('MR_ADMIN_GROUP_LIVE', { group: group.groupId, members })
}

function timeOf(to: GroupTarget): number | undefined {
  if (to instanceof Date) {
    if (Number.isNaN(to.getTime())) throw failure('MR_APP_SEEK_UNKNOWN', { to: 'an invalid date' })
    return to.getTime()
  }
  if (typeof to === 'number' || to === 'earliest' || to === 'latest') return undefined
  const ageMs = to.startsWith('-') ? parseDuration(to.slice(1)) : undefined
  if (ageMs === undefined) throw failure('MR_APP_SEEK_UNKNOWN', { to })
  return Date.now() - ageMs
}

function endOf(to: GroupTarget, start: number, end: number): number {
  if (to === 'earliest') return start
  return to === 'latest' ? end : Number(to)
}

function topicOf(key: string): string {
  return key.slice(0, key.lastIndexOf('/'))
}
