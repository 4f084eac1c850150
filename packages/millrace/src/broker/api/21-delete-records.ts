/**
 * DeleteRecords (key 21): moves the start of partitions; -1 means the high watermark. It never moves back.
 *
 * - Beyond the high watermark 1, unknown 3. Internal topics 17; topics that are compacted alone 44, as in Kafka:
 *   what is kept there is kept by key.
 */
import { isFailure } from '../../errors/index.ts'
import { apis, errorCodes } from '../../protocol/index.ts'
import type { TopicRecord } from '../../storage/index.ts'
import { defineHandler, type Call } from './define-handler.ts'

interface Row {
  readonly partitionIndex: number
  readonly lowWatermark: number
  readonly errorCode: number
}

export const deleteRecordsHandler = defineHandler(
  apis.deleteRecords,
  { versions: [0, 2] },
  async (request, call) => {
    const topics: { name: string; partitions: Row[] }[] = []
    for (const { name, partitions } of request.topics) {
      const topic = call.broker.topics.named(name)
      const rows: Row[] = []
      for (const { partitionIndex, offset } of partitions)
        rows.push(await deleteBefore(topic, partitionIndex, offset, call))
      topics.push({ name, partitions: rows })
    }
    return { topics }
  },
)

async function deleteBefore(
  topic: TopicRecord | undefined,
  partitionIndex: number,
  offset: number,
  { broker }: Call,
): Promise<Row> {
  const refuse = (errorCode: number): Row => ({ partitionIndex, lowWatermark: -1, errorCode })
  const log = topic === undefined ? undefined : broker.topics.partition(topic, partitionIndex)
  if (topic === undefined || log === undefined) return refuse(errorCodes.UNKNOWN_TOPIC_OR_PARTITION)
  if (topic.isInternal) return refuse(errorCodes.INVALID_TOPIC_EXCEPTION)
  if (!(topic.configs['cleanup.policy'] ?? 'delete').includes('delete'))
    return refuse(errorCodes.POLICY_VIOLATION)
  if (offset < -1 || offset > log.highWatermark) return refuse(errorCodes.OFFSET_OUT_OF_RANGE)
  try {
    const lowWatermark = await broker.store.deleteRecords(topic.name, partitionIndex, offset)
    return { partitionIndex, lowWatermark, errorCode: errorCodes.NONE }
  } catch (error) {
    if (isFailure(error, 'MR_STORAGE_OFFSET_OUT_OF_RANGE'))
      return refuse(errorCodes.OFFSET_OUT_OF_RANGE)
    if (isFailure(error, 'MR_STORAGE_TOPIC_UNKNOWN'))
      return refuse(errorCodes.UNKNOWN_TOPIC_OR_PARTITION)
    if (isFailure(error)) return refuse(errorCodes.KAFKA_STORAGE_ERROR)
    throw error
  }
}
