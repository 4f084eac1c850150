/**
 * OffsetFetch (key 9).
 *
 * - An unknown group or partition has offset -1, code 0.
 * - v2: null topics mean all that the group has. v7 `requireStable`: nothing here is ever unstable, since
 *   there are no transactions. v8: several groups (KIP-709). v9: member ids and epochs, of newer groups only.
 */
import { apis, type RequestOf, type ResponseInput } from '../../protocol/index.ts'
import type { CommittedOffset } from '../groups/group-coordinator.ts'
import { defineHandler, type Call } from './define-handler.ts'

type AskedTopics = RequestOf<typeof apis.offsetFetch>['topics']
type TopicRows = NonNullable<ResponseInput<typeof apis.offsetFetch>['topics']>

export const offsetFetchHandler = defineHandler(
  apis.offsetFetch,
  { versions: [1, 9] },
  (request, call) => {
    if (call.version < 8) return { topics: offsetsOf(request.groupId, request.topics, call) }
    return {
      groups: request.groups.map(({ groupId, topics }) => ({
        groupId,
        topics: offsetsOf(groupId, topics, call),
      })),
    }
  },
)

function offsetsOf(groupId: string, asked: AskedTopics, { broker }: Call): TopicRows {
  const offsets = broker.groups.find(groupId)?.offsets
  if (asked === null) {
    return (offsets?.topics ?? []).map((name) => ({
      name,
      partitions: Array.from(offsets?.ofTopic(name) ?? [], ([index, committed]) =>
        rowOf(index, committed),
      ),
    }))
  }
  return asked.map(({ name, partitionIndexes }) => ({
    name,
    partitions: partitionIndexes.map((index) => rowOf(index, offsets?.get(name, index))),
  }))
}

function rowOf(
  partitionIndex: number,
  committed: CommittedOffset | undefined,
): NonNullable<TopicRows[number]['partitions']>[number] {
  return {
    partitionIndex,
    committedOffset: committed?.offset ?? -1,
    committedLeaderEpoch: committed?.leaderEpoch ?? -1,
    metadata: committed?.metadata ?? '',
  }
}
