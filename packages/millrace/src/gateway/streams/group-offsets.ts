/** A group exists for a topic when it has committed something there. */
import { ReplyError } from '../reply.ts'
import type { StreamKey } from './stream-key.ts'
import type { StreamsCore } from './streams-core.ts'

/** Committed positions of a key's partitions that have one. @throws MillraceError */
export async function committedPositions(
  { client, topics }: StreamsCore,
  groupId: string,
  key: StreamKey,
): Promise<ReadonlyMap<number, number>> {
  const partitions = await topics.partitionsOf(key)
  if (partitions.length === 0) return new Map()
  const committed = await client.admin.committedOffsets(
    groupId,
    [{ topic: key.topic, partitions }],
    { timeoutMs: 5000 },
  )
  const positions = new Map<number, number>()
  for (const { partition, offset, error } of committed) {
    if (error) throw error
    if (offset >= 0) positions.set(partition, offset)
  }
  return positions
}

/** In the words that XPENDING, XCLAIM and XAUTOCLAIM have for it. */
export function noGroup(key: string, groupId: string, where = ''): ReplyError {
  return new ReplyError(`NOGROUP No such key '${key}' or consumer group '${groupId}'${where}`)
}

/** In the words of XGROUP and XINFO. */
export function noSuchGroup(key: string, groupId: string): ReplyError {
  return new ReplyError(`NOGROUP No such consumer group '${groupId}' for key name '${key}'`)
}
