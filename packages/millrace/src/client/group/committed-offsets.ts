import { backoffMs, sleep } from '../../kit/index.ts'
import { apis, errorCodes, kafkaErrorOf, type ResponseOf } from '../../protocol/index.ts'
import type { ClientCore } from '../client-core.ts'
import { isRetriable, kafkaFailure } from '../kafka-failure.ts'
import { requestBackoff } from '../retrying.ts'
import { partitionKey, type TopicPartition } from './assignors/index.ts'

export interface CommittedOffset {
  readonly offset: number
  readonly leaderEpoch: number
  readonly metadata: string
}

/**
 * What the group has committed for partitions, by `topic/partition`; a partition without a commit has
 * no entry. Waits for transactions that touch these offsets (KIP-447). Repeats until answered: only the
 * signal ends it. Sent on a shared connection, since the group's own may hold a waiting Join.
 *
 * @throws MR_KAFKA_ERROR for what no repeat can mend; the signal's reason
 */
export async function committedOffsets(
  core: ClientCore,
  groupId: string,
  partitions: readonly TopicPartition[],
  signal: AbortSignal,
): Promise<ReadonlyMap<string, CommittedOffset>> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await ask(core, groupId, partitions, signal)
    } catch (error) {
      signal.throwIfAborted()
      if (!isRetriable(error)) throw error
      core.metadata.forgetCoordinator(groupId)
    }
    await sleep(core.clock, backoffMs(requestBackoff, attempt), signal)
  }
}

async function ask(
  core: ClientCore,
  groupId: string,
  partitions: readonly TopicPartition[],
  signal: AbortSignal,
): Promise<ReadonlyMap<string, CommittedOffset>> {
  const topics = Array.from(
    Map.groupBy(partitions, ({ topic }) => topic),
    ([name, list]) => ({ name, partitionIndexes: list.map(({ partition }) => partition) }),
  )
  const node = await core.metadata.coordinatorOf(groupId, { signal })
  const connection = await core.connections.connect(node, 'data', { signal })
  const answer = await connection.request(
    apis.offsetFetch,
    { groupId, topics, groups: [{ groupId, memberId: null, topics }], requireStable: true },
    { signal },
  )
  const group = answer.groups.find((one) => one.groupId === groupId) ?? answer
  refuse(`offsets of group ${groupId}`, group.errorCode)
  return offsetsIn(groupId, group.topics)
}

function offsetsIn(
  groupId: string,
  topics: ResponseOf<typeof apis.offsetFetch>['topics'],
): ReadonlyMap<string, CommittedOffset> {
  const found = new Map<string, CommittedOffset>()
  for (const { name, partitions } of topics) {
    for (const one of partitions) {
      const key = partitionKey(name, one.partitionIndex)
      refuse(`offset of ${key} in group ${groupId}`, one.errorCode)
      if (one.committedOffset < 0) continue
      found.set(key, {
        offset: one.committedOffset,
        leaderEpoch: one.committedLeaderEpoch,
        metadata: one.metadata ?? '',
      })
    }
  }
  return found
}

function refuse(what: string, errorCode: number): void {
  if (errorCode === errorCodes.NONE) return
  throw kafkaFailure(what, errorCode, kafkaErrorOf(errorCode).message)
}
