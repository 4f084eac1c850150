import type { Client } from '../client/index.ts'

/** What one look found: where each partition ends, and what is not finished, a line a partition. */
export interface Look {
  readonly ends: string
  readonly open: readonly string[]
}

/** What a test application's groups read, by the names of the wire. */
export type GroupTopics = ReadonlyMap<string, ReadonlySet<string>>

/**
 * Holds committed offsets against the ends of the logs. Ends are read first: what is sent meanwhile shows in the next
 * look, so two looks with the same ends and nothing open mean that everything is done.
 */
export async function lookForOpen(
  client: Client,
  groups: GroupTopics,
  isExcused: (groupId: string, topic: string, partition: number) => boolean,
): Promise<Look> {
  const names = [...new Set(Array.from(groups.values(), (own) => [...own]).flat())]
  const ends = await endsOf(client, names)
  const open: string[] = []
  for (const [groupId, topics] of groups) {
    const committed = await client.admin.committedOffsets(groupId)
    for (const { topic, partition, offset } of ends) {
      if (offset <= 0 || !topics.has(topic) || isExcused(groupId, topic, partition)) continue
      const own = committed.find((one) => one.topic === topic && one.partition === partition)
      if ((own?.offset ?? -1) < offset)
        open.push(`${groupId} ${topic}/${partition}: ${own?.offset ?? 'none'} of ${offset}`)
    }
  }
  return { ends: ends.map(({ offset }) => offset).join(), open }
}

async function endsOf(
  client: Client,
  names: readonly string[],
): Promise<
  readonly { readonly topic: string; readonly partition: number; readonly offset: number }[]
> {
  if (names.length === 0) return []
  const described = await client.admin.describeTopics(names)
  return client.admin.listOffsets(
    described.flatMap(({ name, partitions }) =>
      partitions.map(({ partition }) => ({ topic: name, partition, at: 'latest' as const })),
    ),
  )
}
