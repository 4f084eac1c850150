import type { Batch } from './batch.ts'

interface TopicData {
  readonly name: string
  readonly partitionData: { readonly index: number; readonly records: Buffer | null }[]
}

/** The batches of one Produce request by topic, as the request has them. */
export function topicDataOf(batches: readonly Batch[]): readonly TopicData[] {
  const byTopic = new Map<string, TopicData>()
  for (const { topic, partition, records } of batches) {
    let entry = byTopic.get(topic)
    if (!entry) byTopic.set(topic, (entry = { name: topic, partitionData: [] }))
    entry.partitionData.push({ index: partition, records: records ?? null })
  }
  return [...byTopic.values()]
}
