/**
 * DescribeLogDirs (key 35): the size of each partition on disk; null topics mean all. v4 tells the room on the
 * volume, -1 where there is none to ask (a broker in memory).
 */
import { statfs } from 'node:fs/promises'
import { apis } from '../../protocol/index.ts'
import { defineHandler, type Call } from './define-handler.ts'

export const describeLogDirsHandler = defineHandler(
  apis.describeLogDirs,
  { versions: [1, 4] },
  async (request, call) => {
    const { broker, version } = call
    const { folder } = broker.store
    const asked =
      request.topics ??
      broker.topics.all.map(({ name, partitions }) => ({
        topic: name,
        partitions: Array.from({ length: partitions }, (_, index) => index),
      }))
    const room = version >= 4 ? await roomOn(folder) : undefined
    return {
      results: [
        {
          logDir: folder,
          topics: asked
            .map(({ topic, partitions }) => ({
              name: topic,
              partitions: sizesOf(topic, partitions, call),
            }))
            .filter(({ partitions }) => partitions.length > 0),
          ...room,
        },
      ],
    }
  },
)

function sizesOf(
  name: string,
  indexes: readonly number[],
  { broker }: Call,
): { partitionIndex: number; partitionSize: number; offsetLag: number; isFutureKey: boolean }[] {
  const topic = broker.topics.named(name)
  if (topic === undefined) return []
  return indexes.flatMap((partitionIndex) => {
    const log = broker.topics.partition(topic, partitionIndex)
    if (log === undefined) return []
    return [{ partitionIndex, partitionSize: log.sizeInBytes, offsetLag: 0, isFutureKey: false }]
  })
}

async function roomOn(
  folder: string,
): Promise<{ readonly totalBytes: number; readonly usableBytes: number } | undefined> {
  try {
    const { blocks, bavail, bsize } = await statfs(folder)
    return { totalBytes: blocks * bsize, usableBytes: bavail * bsize }
  } catch {
    // In memory there is no such folder: the answer keeps its -1, which means unknown.
    return undefined
  }
}
