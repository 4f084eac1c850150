import type { MillraceError } from '../../errors/index.ts'
import { apis, errorCodes } from '../../protocol/index.ts'
import type { ClientCore } from '../client-core.ts'
import { isRetriable, kafkaFailure } from '../kafka-failure.ts'
import { retrying } from '../retrying.ts'
import { askEach, lookUpMs, type AdminOptions, type Answer } from './ask-each.ts'
import { refusalOfGroup } from './coordinator.ts'

export interface CommittedOffset {
  readonly topic: string
  readonly partition: number
  /** The next offset to read; -1 when nothing is committed. */
  readonly offset: number
  /** -1 when unknown. */
  readonly leaderEpoch: number
  readonly metadata: string
  readonly error?: MillraceError
}

export interface OffsetEntry {
  readonly topic: string
  readonly partition: number
  /** The next offset to read. */
  readonly offset: number
  readonly metadata?: string
}

export interface SetOffset {
  readonly topic: string
  readonly partition: number
  readonly error?: MillraceError
}

/** Partitions of topics; without a list all that the group has committed. */
export type TopicPartitions = readonly {
  readonly topic: string
  readonly partitions: readonly number[]
}[]

/** By topic and partition. */
export async function committedOffsets(
  core: ClientCore,
  groupId: string,
  topics: TopicPartitions | undefined,
  { timeoutMs = core.apiTimeoutMs, signal }: AdminOptions,
): Promise<readonly CommittedOffset[]> {
  const { clock } = core
  const what = `committed offsets of group ${groupId}`
  const wanted =
    topics?.map(({ topic, partitions }) => ({ name: topic, partitionIndexes: partitions })) ?? null
  return retrying({ what, clock, timeoutMs, signal }, async (ending) => {
    const answer = await withCoordinator(core, groupId, ending, (connection) =>
      connection.request(
        apis.offsetFetch,
        // From v8 on many groups in one request (KIP-709); each version encodes the form it has.
        { groupId, topics: wanted, groups: [{ groupId, topics: wanted }] },
        { signal: ending, minVersion: wanted === null ? 2 : 1 },
      ),
    )
    const group = answer.groups[0] ?? answer
    if (group.errorCode !== 0) throw refusalOfGroup(core, what, groupId, group.errorCode).error
    const entries = group.topics.flatMap(({ name, partitions }) =>
      partitions.map((row) => ({
        topic: name,
        partition: row.partitionIndex,
        offset: row.committedOffset,
        leaderEpoch: row.committedLeaderEpoch,
        metadata: row.metadata ?? '',
        ...(row.errorCode === 0
          ? {}
          : { error: kafkaFailure(`${what}, ${name}/${row.partitionIndex}`, row.errorCode) }),
      })),
    )
    return entries.toSorted(byPlace)
  })
}

function byPlace(left: CommittedOffset, right: CommittedOffset): number {
  if (left.topic === right.topic) return left.partition - right.partition
  return left.topic < right.topic ? -1 : 1
}

/**
 * Sets the offsets of a group without members; one result an entry. The commit carries no member (generation -1), so the
 * coordinator refuses it with UNKNOWN_MEMBER_ID while somebody is in the group. A group that does not exist is made.
 */
export async function setOffsets(
  core: ClientCore,
  groupId: string,
  entries: readonly OffsetEntry[],
  options: AdminOptions,
): Promise<readonly SetOffset[]> {
  const what = `set offsets of group ${groupId}`
  const outcomes = await askEach(core, what, entries, options, async (open, signal) => {
    const byTopic = Map.groupBy(open, ({ topic }) => topic)
    const answer = await withCoordinator(core, groupId, signal, (connection) =>
      connection.request(
        apis.offsetCommit,
        {
          groupId,
          generationIdOrMemberEpoch: -1,
          memberId: '',
          topics: Array.from(byTopic, ([name, part]) => ({
            name,
            partitions: part.map(({ partition, offset, metadata }) => ({
              partitionIndex: partition,
              committedOffset: offset,
              committedMetadata: metadata ?? '',
            })),
          })),
        },
        { signal },
      ),
    )
    const codes = new Map<string, number>(
      answer.topics.flatMap(({ name, partitions }) =>
        partitions.map((row) => [`${name}/${row.partitionIndex}`, row.errorCode] as const),
      ),
    )
    return open.map(({ topic, partition }): Answer<SetOffset> => {
      const place = `${topic}/${partition}`
      const code = codes.get(place) ?? errorCodes.UNKNOWN_SERVER_ERROR
      if (code === 0) return { result: { topic, partition } }
      const hasMembers = code === errorCodes.UNKNOWN_MEMBER_ID
      const detail = hasMembers ? 'the group has members; stop them first' : null
      return refusalOfGroup(core, `${what}, ${place}`, groupId, code, detail)
    })
  })
  return entries.map(({ topic, partition }, index) => {
    const { error } = outcomes[index]!
    return error ? { topic, partition, error } : { topic, partition }
  })
}

/**
 * Forgets what a group has committed; one result a partition. Refused with GROUP_SUBSCRIBED_TO_TOPIC for topics that a
 * member of the group reads (KIP-496).
 */
export async function deleteOffsets(
  core: ClientCore,
  groupId: string,
  partitions: readonly { readonly topic: string; readonly partition: number }[],
  options: AdminOptions,
): Promise<readonly SetOffset[]> {
  const what = `forget offsets of group ${groupId}`
  const outcomes = await askEach(core, what, partitions, options, async (open, signal) => {
    const byTopic = Map.groupBy(open, ({ topic }) => topic)
    const answer = await withCoordinator(core, groupId, signal, (connection) =>
      connection.request(
        apis.offsetDelete,
        {
          groupId,
          topics: Array.from(byTopic, ([name, part]) => ({
            name,
            partitions: part.map(({ partition }) => ({ partitionIndex: partition })),
          })),
        },
        { signal },
      ),
    )
    const codes = new Map<string, number>()
    for (const { name, partitions: rows } of answer.topics)
      for (const row of rows) codes.set(`${name}/${row.partitionIndex}`, row.errorCode)
    return open.map(({ topic, partition }): Answer<SetOffset> => {
      const place = `${topic}/${partition}`
      const code = answer.errorCode || (codes.get(place) ?? errorCodes.UNKNOWN_SERVER_ERROR)
      if (code === 0) return { result: { topic, partition } }
      return refusalOfGroup(core, `${what}, ${place}`, groupId, code)
    })
  })
  return partitions.map(({ topic, partition }, index) => {
    const error = outcomes[index]?.error
    return error ? { topic, partition, error } : { topic, partition }
  })
}

type Connection = Awaited<ReturnType<ClientCore['connections']['connect']>>

/** One call to the group's coordinator; when it cannot be reached the next call looks for it again. */
async function withCoordinator<T>(
  core: ClientCore,
  groupId: string,
  signal: AbortSignal,
  call: (connection: Connection) => Promise<T>,
): Promise<T> {
  const { connections, metadata } = core
  const node = await metadata.coordinatorOf(groupId, { signal, timeoutMs: lookUpMs(core) })
  try {
    return await call(await connections.connect(node, 'data', { signal }))
  } catch (error) {
    if (isRetriable(error)) metadata.forgetCoordinator(groupId)
    throw error
  }
}
