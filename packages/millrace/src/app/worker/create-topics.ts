import type { Admin, NewTopic } from '../../client/index.ts'
import { parseDuration } from '../../kit/index.ts'
import { events } from '../../telemetry/index.ts'
import { mainCluster } from '../clusters/index.ts'
import type { ResolvedConfig } from '../config/resolve-config.ts'
import type { AnyTopic, Topic, TopicOptions } from '../topic/define-topic.ts'

/** Creates declared topics that are missing, and the dead letter topics of consumers with as many partitions. */
export async function createDeclaredTopics(
  admin: Admin,
  { topics, plans, wireName, clusterOf }: ResolvedConfig,
  options: { readonly timeoutMs: number; readonly cluster?: string },
): Promise<void> {
  const { cluster = mainCluster } = options
  const isHere = (topic: AnyTopic | string): boolean => clusterOf(topic) === cluster
  const wanted = topics.filter(isHere).map((topic) => newTopic(topic, wireName))
  const created = await createMissing(admin, wanted, options)
  const letters = plans
    .flatMap(({ deadLetter, retryTopics }) => [
      ...(deadLetter?.declared ?? []),
      ...(retryTopics?.declared ?? []),
    ])
    .filter(({ source }) => isHere(source))
  const sources = [...new Set(letters.map(({ source }) => wireName(source)))]
  const described = sources.length === 0 ? [] : await admin.describeTopics(sources, options)
  const countOf = new Map(described.map(({ name, partitions }) => [name, partitions.length]))
  const deadLetterTopics = letters.map(({ topic, source, partitions, configs }): NewTopic => {
    const count = partitions ?? countOf.get(wireName(source))
    return {
      name: wireName(topic),
      ...(count === undefined || count === 0 ? {} : { partitions: count }),
      configs,
    }
  })
  created.push(...(await createMissing(admin, deadLetterTopics, options)))
  if (created.length > 0) events.topicsCreated.publish({ topics: created })
}

async function createMissing(
  admin: Admin,
  wanted: readonly NewTopic[],
  options: { readonly timeoutMs: number },
): Promise<string[]> {
  if (wanted.length === 0) return []
  const known = await admin.describeTopics(
    wanted.map(({ name }) => name),
    options,
  )
  const missing = wanted.filter((_, index) => known[index]?.error !== undefined)
  if (missing.length === 0) return []
  const results = await admin.createTopics(missing, options)
  for (const { error } of results) {
    // Another worker that starts at the same moment may have been first.
    const isThere = error?.context['name'] === 'TOPIC_ALREADY_EXISTS'
    if (error !== undefined && !isThere) throw error
  }
  return results.flatMap(({ name, error }) => (error === undefined ? [name] : []))
}

function newTopic({ name, options }: Topic, wireName: (name: string) => string): NewTopic {
  const { partitions, replicas } = options
  return {
    name: wireName(name),
    ...(partitions === undefined ? {} : { partitions }),
    ...(replicas === undefined ? {} : { replicas }),
    configs: topicConfigs(options),
  }
}

/** Kafka's settings of a declared topic. */
export function topicConfigs({
  retention,
  compaction,
  config,
}: TopicOptions): Readonly<Record<string, string>> {
  const configs: Record<string, string> = {}
  if (retention === 'forever') configs['retention.ms'] = '-1'
  else if (retention !== undefined) configs['retention.ms'] = String(parseDuration(retention) ?? -1)
  if (compaction === true) configs['cleanup.policy'] = 'compact'
  for (const [key, value] of Object.entries(config ?? {})) configs[key] = String(value)
  return configs
}
