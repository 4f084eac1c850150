import { partitionRanges, placesNamed, type PartitionRange } from '../cluster-facts.ts'
import type { Cluster } from '../cluster.ts'
import type { Place } from '../parse-places.ts'
import { readOffsetsFile, type FileOffset } from './offsets-file.ts'
import type { ResetTarget } from './target.ts'

export interface PlannedOffset {
  readonly topic: string
  readonly partition: number
  /** Null: nothing committed so far. */
  readonly before: number | null
  readonly after: number
  /** How many messages it goes forward, or back when negative; from the start of the log where nothing was committed. */
  readonly delta: number
}

/**
 * What a reset would do, partition by partition; nothing is changed. Offsets outside the log go to its nearer end.
 * @param places - none: every partition that the group has committed, or that file or other group name
 * @throws MR_CLI_TOPIC_UNKNOWN, MR_CLI_FILE
 */
export async function planReset(
  cluster: Cluster,
  group: string,
  places: readonly Place[],
  target: ResetTarget,
): Promise<readonly PlannedOffset[]> {
  const committed = await committedOf(cluster, group)
  const named = await namedBy(cluster, target)
  const ranges = await partitionRanges(
    cluster,
    places.length > 0
      ? await placesNamed(cluster, places)
      : await stillThere(cluster, named ?? committed),
  )
  const times = await offsetsAt(cluster, ranges, target)
  const plan = new Map<string, PlannedOffset>()
  for (const range of ranges) {
    const key = keyOf(range)
    const before = committed.get(key) ?? null
    const asked = named ? named.get(key) : targetOf(target, range, before, times.get(key))
    if (asked === undefined) continue
    const after = Math.min(range.end, Math.max(range.start, asked))
    const { topic, partition } = range
    plan.set(key, { topic, partition, before, after, delta: after - (before ?? range.start) })
  }
  return [...plan.values()]
}

interface Chosen {
  readonly name: string
  readonly partitions: readonly { readonly partition: number }[]
}

/** A group keeps offsets of topics that were deleted; there is nothing to move them to. */
async function stillThere({ admin }: Cluster, offsets: Offsets): Promise<readonly Chosen[]> {
  const names = new Set(Array.from(offsets.keys(), (key) => key.slice(0, key.lastIndexOf(':'))))
  const topics = await admin.describeTopics([...names])
  return topics
    .filter(({ error }) => !error)
    .map(({ name, partitions }) => ({
      name,
      partitions: partitions.filter(({ partition }) => offsets.has(`${name}:${partition}`)),
    }))
}

type Offsets = ReadonlyMap<string, number>

function keyOf({
  topic,
  partition,
}: {
  readonly topic: string
  readonly partition: number
}): string {
  return `${topic}:${partition}`
}

async function committedOf({ admin }: Cluster, group: string): Promise<Offsets> {
  const offsets = new Map<string, number>()
  for (const entry of await admin.committedOffsets(group)) {
    if (entry.error) throw entry.error
    if (entry.offset >= 0) offsets.set(keyOf(entry), entry.offset)
  }
  return offsets
}

/** Offsets that another group or a file names, or undefined for targets that name none. */
async function namedBy(cluster: Cluster, target: ResetTarget): Promise<Offsets | undefined> {
  if (target.to === 'group') return committedOf(cluster, target.group)
  if (target.to !== 'file') return undefined
  const offsets: readonly FileOffset[] = await readOffsetsFile(target.path)
  return new Map(offsets.map((entry) => [keyOf(entry), entry.offset]))
}

async function offsetsAt(
  { admin }: Cluster,
  ranges: readonly PartitionRange[],
  target: ResetTarget,
): Promise<Offsets> {
  if (target.to !== 'time') return new Map()
  const at = target.timestampMs
  const listed = await admin.listOffsets(
    ranges.map(({ topic, partition }) => ({ topic, partition, at })),
  )
  const offsets = new Map<string, number>()
  for (const one of listed) {
    if (one.error) throw one.error
    // After the last message there is none: the end.
    offsets.set(keyOf(one), one.offset < 0 ? Infinity : one.offset)
  }
  return offsets
}

function targetOf(
  target: ResetTarget,
  range: PartitionRange,
  before: number | null,
  atTime: number | undefined,
): number | undefined {
  switch (target.to) {
    case 'start':
      return range.start
    case 'end':
      return range.end
    case 'offset':
      return target.offset
    case 'shift':
      return (before ?? range.start) + target.by
    case 'time':
      return atTime
    case 'group':
    case 'file':
      return undefined
  }
}
