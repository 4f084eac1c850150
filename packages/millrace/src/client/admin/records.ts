import type { MillraceError } from '../../errors/index.ts'
import { apis, errorCodes, kafkaErrorOf } from '../../protocol/index.ts'
import type { ClientCore } from '../client-core.ts'
import { kafkaFailure } from '../kafka-failure.ts'
import { retrying } from '../retrying.ts'
import type { AdminOptions, Answer } from './ask-each.ts'
import { askLeaders, type TopicPartition } from './ask-leaders.ts'

export interface DeleteRecordsEntry extends TopicPartition {
  /** Messages below this offset go; `end` deletes all that there are now. */
  readonly before: number | 'end'
}

export interface DeletedRecords extends TopicPartition {
  /** Where the log starts now; -1 on error. */
  readonly logStartOffset: number
  readonly error?: MillraceError
}

/** Moves the start of logs forward; one result an entry. What is deleted is gone. */
export async function deleteRecords(
  core: ClientCore,
  entries: readonly DeleteRecordsEntry[],
  options: AdminOptions,
): Promise<readonly DeletedRecords[]> {
  const outcomes = await askLeaders<DeleteRecordsEntry, DeletedRecords>(
    core,
    'delete records',
    entries,
    options,
    async (leader, part, signal) => {
      const connection = await core.connections.connect(leader, 'data', { signal })
      const byTopic = Map.groupBy(part, ({ topic }) => topic)
      const answer = await connection.request(
        apis.deleteRecords,
        {
          topics: Array.from(byTopic, ([name, list]) => ({
            name,
            partitions: list.map(({ partition, before }) => ({
              partitionIndex: partition,
              offset: before === 'end' ? -1 : before,
            })),
          })),
          timeoutMs: core.requestTimeoutMs,
        },
        { signal },
      )
      const rows = new Map<string, { readonly lowWatermark: number; readonly errorCode: number }>()
      for (const { name, partitions } of answer.topics)
        for (const row of partitions) rows.set(`${name}/${row.partitionIndex}`, row)
      return part.map(({ topic, partition }): Answer<DeletedRecords> => {
        const row = rows.get(`${topic}/${partition}`)
        const code = row?.errorCode ?? errorCodes.UNKNOWN_SERVER_ERROR
        if (row && code === 0)
          return { result: { topic, partition, logStartOffset: row.lowWatermark } }
        return {
          error: kafkaFailure(`delete records of ${topic}/${partition}`, code),
          isPassing: kafkaErrorOf(code).retriable,
        }
      })
    },
  )
  return entries.map(({ topic, partition }, index) => {
    const { result, error } = outcomes[index]!
    return result ?? { topic, partition, logStartOffset: -1, error }
  })
}

/** How much of a broker's disk a replica takes. */
export interface ReplicaSize extends TopicPartition {
  readonly broker: number
  readonly bytes: number
}

/** The size of every replica on every broker that answers the question. */
export async function replicaSizes(
  core: ClientCore,
  { timeoutMs = core.apiTimeoutMs, signal }: AdminOptions,
): Promise<readonly ReplicaSize[]> {
  const { clock, connections, metadata } = core
  const what = 'sizes of replicas'
  return retrying({ what, clock, timeoutMs, signal }, async (ending) => {
    await metadata.refresh([], { signal: ending, reason: 'sizes are asked for' })
    const sizes = await Promise.all(
      metadata.brokers.map(async ({ nodeId }) => {
        const connection = await connections.connect(nodeId, 'data', { signal: ending })
        const body = { topics: null }
        const answer = await connection.request(apis.describeLogDirs, body, { signal: ending })
        if (answer.errorCode !== 0) throw kafkaFailure(what, answer.errorCode)
        // A folder that has failed has no sizes; the replicas in it are offline.
        return answer.results.flatMap(({ topics }) =>
          topics.flatMap(({ name, partitions }) =>
            partitions.map(({ partitionIndex, partitionSize }) => ({
              topic: name,
              partition: partitionIndex,
              broker: nodeId,
              bytes: partitionSize,
            })),
          ),
        )
      }),
    )
    return sizes.flat()
  })
}
