import type { Admin } from '../../client/index.ts'
import { isFailure } from '../../errors/index.ts'
import type { FoundTopic } from './compare-topics.ts'
import type { WantedTopic } from './wanted-topics.ts'

/** What a cluster has of the wanted topics. @throws what the admin calls throw, but for topics that are not there */
export async function findTopics(
  admin: Admin,
  wanted: readonly WantedTopic[],
): Promise<ReadonlyMap<string, FoundTopic>> {
  if (wanted.length === 0) return new Map()
  const described = await admin.describeTopics(wanted.map(({ name }) => name))
  const found = await Promise.all(
    described.map(async ({ name, partitions, error }, index): Promise<FoundTopic | undefined> => {
      if (isFailure(error, 'MR_TOPIC_UNKNOWN')) return undefined
      if (error) throw error
      const names = Object.keys(wanted[index]?.configs ?? {})
      const configs =
        names.length === 0 ? [] : await admin.describeConfigs({ topic: name }, { names })
      return {
        name,
        partitions: partitions.length,
        replicas: partitions[0]?.replicas.length ?? 0,
        configs: new Map(configs.map((config) => [config.name, config.value ?? ''])),
      }
    }),
  )
  return new Map(found.flatMap((topic) => (topic === undefined ? [] : [[topic.name, topic]])))
}
