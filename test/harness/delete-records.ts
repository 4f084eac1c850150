import type { Client } from '../../packages/millrace/src/client/index.ts'
import { apis, kafkaErrorOf } from '../../packages/millrace/src/protocol/index.ts'

/** Moves the start of a partition's log up to an offset, as retention would. */
export async function deleteRecords(
  client: Client,
  topic: string,
  partition: number,
  offset: number,
): Promise<void> {
  const leader = await client.metadata.leader(topic, partition)
  const connection = await client.connections.connect(leader, 'data')
  const answer = await connection.request(apis.deleteRecords, {
    topics: [{ name: topic, partitions: [{ partitionIndex: partition, offset }] }],
    timeoutMs: 10_000,
  })
  const code = answer.topics[0]?.partitions[0]?.errorCode
  if (code !== 0) throw new Error(`DeleteRecords: ${kafkaErrorOf(code ?? -1).name}`)
}
