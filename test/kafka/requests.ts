import {
  BatchBuilder,
  apis,
  type RequestInput,
} from '../../packages/millrace/src/protocol/index.ts'
import { unique } from '../harness/unique.ts'
import type { Side } from './both-engines.ts'

/** What the scripts ask with: requests that are whole unless a script breaks them. */
/** Young enough for retention to leave it alone. */
export const startMs = Date.now() - 60_000
export const orders = unique('orders')
export const absent = unique('absent')

/** An id that no topic has. */
export const nobodysId = 'A1A1A1A1A1A1A1A1A1A1Aw'

type CreatableTopic = NonNullable<RequestInput<typeof apis.createTopics>['topics']>[number]

export function topicOf(
  name: string,
  numPartitions: number,
  replicationFactor = 1,
): CreatableTopic {
  return { name, numPartitions, replicationFactor, assignments: [], configs: [] }
}

export function batchOf(
  values: readonly string[],
  timestamp = startMs,
  identity = { producerId: -1, producerEpoch: -1, baseSequence: -1 },
): Buffer {
  const builder = new BatchBuilder()
  for (const value of values) builder.append({ key: null, value, timestamp })
  return builder.build({ compression: 'none', ...identity })
}

export function produceTo(
  side: Side,
  name: string,
  index: number,
  records: Buffer,
): RequestInput<typeof apis.produce> {
  return {
    transactionalId: null,
    acks: -1,
    timeoutMs: 10_000,
    topicData: [
      {
        name,
        topicId: side.memory.get(name) ?? nobodysId,
        partitionData: [{ index, records }],
      },
    ],
  }
}

export function joinOf(
  groupId: string,
  changes: Partial<RequestInput<typeof apis.joinGroup>> = {},
): RequestInput<typeof apis.joinGroup> {
  return {
    groupId,
    sessionTimeoutMs: 30_000,
    rebalanceTimeoutMs: 30_000,
    memberId: '',
    protocolType: 'consumer',
    protocols: [{ name: 'range', metadata: Buffer.from('m') }],
    ...changes,
  }
}

export function commitOf(
  groupId: string,
  committedOffset: number,
  committedMetadata = 'note',
): RequestInput<typeof apis.offsetCommit> {
  return {
    groupId,
    memberId: '',
    topics: [
      { name: orders, partitions: [{ partitionIndex: 0, committedOffset, committedMetadata }] },
    ],
  }
}

export function offsetsOf(groupId: string): RequestInput<typeof apis.offsetFetch> {
  const topics = [{ name: orders, partitionIndexes: [0, 1] }]
  return { groupId, topics, groups: [{ groupId, topics }] }
}
