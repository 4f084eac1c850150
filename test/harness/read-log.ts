import type { Client } from '../../packages/millrace/src/client/index.ts'
import {
  apis,
  decodeRecords,
  hasValidCrc,
  isControl,
  kafkaErrorOf,
  readBatchHeader,
  splitBatches,
  type WireRecord,
} from '../../packages/millrace/src/protocol/index.ts'

/** The last Fetch version that names topics instead of giving their ids. */
const byName = { maxVersion: 12 } as const
const bytesPerFetch = 4 * 1024 * 1024

export interface PartitionContent {
  readonly logStartOffset: number
  readonly highWatermark: number
  /** All records from the log start to the high watermark, markers of transactions left out. */
  readonly records: readonly WireRecord[]
}

/**
 * What a partition holds, read with bare Fetch requests: an answer that does not depend on the reader under test.
 * Checks every batch's checksum on the way.
 */
export async function readLog(
  client: Client,
  topic: string,
  partition: number,
): Promise<PartitionContent> {
  const leader = await client.metadata.leader(topic, partition)
  const connection = await client.connections.connect(leader, 'data')
  const starts = await connection.request(apis.listOffsets, {
    replicaId: -1,
    topics: [{ name: topic, partitions: [{ partitionIndex: partition, timestamp: -2 }] }],
  })
  let offset = starts.topics[0]?.partitions[0]?.offset ?? 0
  const logStartOffset = offset
  const records: WireRecord[] = []
  for (;;) {
    const answer = await connection.request(
      apis.fetch,
      {
        replicaId: -1,
        maxWaitMs: 0,
        minBytes: 0,
        maxBytes: bytesPerFetch,
        isolationLevel: 0,
        sessionId: 0,
        sessionEpoch: -1,
        topics: [
          {
            topic,
            partitions: [
              {
                partition,
                fetchOffset: offset,
                partitionMaxBytes: bytesPerFetch,
                currentLeaderEpoch: -1,
              },
            ],
          },
        ],
      },
      byName,
    )
    const read = answer.responses[0]?.partitions[0]
    if (read === undefined) throw new Error(`Fetch of ${topic}/${partition} answered nothing`)
    if (read.errorCode !== 0) {
      throw new Error(`Fetch of ${topic}/${partition}: ${kafkaErrorOf(read.errorCode).name}`)
    }
    for (const batch of splitBatches(read.records ?? Buffer.alloc(0))) {
      if (!hasValidCrc(batch, 0, batch.length)) throw new Error(`a checksum fails at ${offset}`)
      const header = readBatchHeader(batch)
      const from = offset
      offset = header.baseOffset + header.lastOffsetDelta + 1
      if (isControl(header.attributes)) continue
      records.push(...decodeRecords(batch).filter((record) => record.offset >= from))
    }
    if (offset >= read.highWatermark) {
      return { logStartOffset, highWatermark: read.highWatermark, records }
    }
  }
}
