import type { internals } from '../../app/index.ts'
import type { Admin, NewTopic } from '../../client/index.ts'
import { isFailure } from '../../errors/index.ts'
import type { DeclaredCluster } from './open-declared.ts'

type Difference = internals.TopicDifference
type Missing = Extract<Difference, { readonly kind: 'missing' }>

/**
 * Creates, widens, sets. Safe to run twice, and twice at once: what somebody else has done meanwhile is done.
 * Not atomic: a failure leaves what came before it in place.
 */
export async function applyDifferences(
  { admin }: DeclaredCluster,
  differences: readonly Difference[],
): Promise<void> {
  const missing = differences.filter((one) => one.kind === 'missing')
  await createTopics(
    admin,
    missing.filter(({ wanted }) => wanted.follows === undefined),
  )
  // They take as many partitions as the topics that they follow, which are there by now.
  await createTopics(
    admin,
    missing.filter(({ wanted }) => wanted.follows !== undefined),
  )
  await widen(admin, differences)
  await set(admin, differences)
}

export async function createTopics(admin: Admin, missing: readonly Missing[]): Promise<void> {
  if (missing.length === 0) return
  const followed = [...new Set(missing.flatMap(({ wanted }) => wanted.follows ?? []))]
  const described = followed.length === 0 ? [] : await admin.describeTopics(followed)
  const countOf = new Map(described.map(({ name, partitions }) => [name, partitions.length]))
  const topics = missing.map(({ wanted }): NewTopic => {
    const { name, partitions, replicas, configs, follows = '' } = wanted
    const count = partitions ?? countOf.get(follows)
    return {
      name,
      configs,
      ...(count === undefined || count === 0 ? {} : { partitions: count }),
      ...(replicas === undefined ? {} : { replicas }),
    }
  })
  for (const { error } of await admin.createTopics(topics))
    if (error && error.context['name'] !== 'TOPIC_ALREADY_EXISTS') throw error
}

async function widen(admin: Admin, differences: readonly Difference[]): Promise<void> {
  const wider = differences.filter((one) => one.kind === 'partitions')
  if (wider.length === 0) return
  const results = await admin.createPartitions(
    wider.map(({ topic, after }) => ({ name: topic, count: after })),
  )
  const failed = results.filter(({ error }) => error)
  if (failed.length === 0) return
  const now = await admin.describeTopics(failed.map(({ name }) => name))
  for (const [index, { name, error }] of failed.entries()) {
    const wanted = wider.find(({ topic }) => topic === name)?.after ?? 0
    if ((now[index]?.partitions.length ?? 0) < wanted) throw error
  }
}

async function set(admin: Admin, differences: readonly Difference[]): Promise<void> {
  const settings = differences.filter((one) => one.kind === 'setting')
  if (settings.length === 0) return
  const byTopic = [...Map.groupBy(settings, ({ topic }) => topic)]
  const results = await admin.alterConfigs(
    byTopic.map(([topic, list]) => ({
      topic,
      set: Object.fromEntries(list.map(({ setting, after }) => [setting, after])),
    })),
  )
  for (const { error } of results) if (error) throw error
}

/** How many messages from the end are looked at for a key. */
const looked = 20

/**
 * Whether messages of a topic carry keys: with more partitions, those to come go elsewhere than those that are there.
 * An empty topic has nothing that could be torn apart.
 */
export async function hasKeys({ client }: DeclaredCluster, topic: string): Promise<boolean> {
  await using reader = client.reader({ topics: [topic], from: -looked, to: 'end' })
  try {
    for await (const { key } of reader) if (key !== null) return true
  } catch (error) {
    // Gone meanwhile: whoever widens it will say so.
    if (!isFailure(error, 'MR_TOPIC_UNKNOWN')) throw error
  }
  return false
}
