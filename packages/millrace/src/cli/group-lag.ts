import type { DescribedGroup } from '../client/index.ts'
import type { Cluster } from './cluster.ts'

export interface PartitionLag {
  readonly topic: string
  readonly partition: number
  /** Null: nothing committed yet. */
  readonly committed: number | null
  /** Null: the partition is not there any more, or its leader does not answer. */
  readonly end: number | null
  /** Null where one of the two is. */
  readonly lag: number | null
  /** Empty: nobody reads it now. */
  readonly member: string
  readonly host: string
}

interface Place {
  readonly topic: string
  readonly partition: number
  readonly committed: number | null
  readonly member: string
  readonly host: string
}

/** Every partition that the group has committed or holds now, by topic and partition. */
export async function groupLags(
  { admin }: Cluster,
  group: Pick<DescribedGroup, 'groupId' | 'members'>,
): Promise<readonly PartitionLag[]> {
  const places = new Map<string, Place>()
  for (const { topic, partition, offset, error } of await admin.committedOffsets(group.groupId)) {
    if (error) throw error
    if (offset < 0) continue
    const place = { topic, partition, committed: offset, member: '', host: '' }
    places.set(`${topic}/${partition}`, place)
  }
  for (const { memberId, host, assignment } of group.members) {
    for (const { topic, partition } of assignment) {
      const key = `${topic}/${partition}`
      const committed = places.get(key)?.committed ?? null
      places.set(key, { topic, partition, committed, member: memberId, host })
    }
  }
  const wanted = [...places.values()].toSorted(byPlace)
  const ends = await admin.listOffsets(
    wanted.map(({ topic, partition }) => ({ topic, partition, at: 'latest' as const })),
  )
  return wanted.map((place, index) => {
    const listed = ends[index]
    const end = listed === undefined || listed.error ? null : listed.offset
    const { committed } = place
    const lag = committed === null || end === null ? null : Math.max(0, end - committed)
    const { topic, partition, member, host } = place
    return { topic, partition, committed, end, lag, member, host }
  })
}

function byPlace(left: Place, right: Place): number {
  if (left.topic === right.topic) return left.partition - right.partition
  return left.topic < right.topic ? -1 : 1
}
