/**
 * CreateTopics (key 19): one result per topic asked for, always.
 *
 * - -1 partitions or replicas mean the broker's default (KIP-464), below v4 too: kafkajs relies on it. One broker: any other number of
 *   replicas than 1 is 38; assignments must name it alone (39).
 * - A name asked for twice is answered once, with 42. v5 tells what was made (KIP-525), v7 its id (KIP-516).
 */
import { isFailure } from '../../errors/index.ts'
import { apis, errorCodes, type RequestOf, type ResponseInput } from '../../protocol/index.ts'
import { describeTopicConfigs } from '../topics/describe-configs.ts'
import { topicConfigFault } from '../topics/topic-configs.ts'
import { isTopicName } from '../../storage/index.ts'
import { mostPartitions } from '../topics/topics.ts'
import { defineHandler, type Call } from './define-handler.ts'

type Asked = RequestOf<typeof apis.createTopics>['topics'][number]
type Made = NonNullable<ResponseInput<typeof apis.createTopics>['topics']>[number]

/** A plan that may be carried out, or why not. */
type Plan =
  | { readonly partitions: number; readonly configs: Readonly<Record<string, string>> }
  | { readonly errorCode: number; readonly errorMessage: string }

export const createTopicsHandler = defineHandler(
  apis.createTopics,
  { versions: [2, 7] },
  async (request, call) => {
    const counts = new Map<string, number>()
    for (const { name } of request.topics) counts.set(name, (counts.get(name) ?? 0) + 1)
    const topics: Made[] = []
    for (const [name, count] of counts)
      if (count > 1)
        topics.push(refused(name, errorCodes.INVALID_REQUEST, 'the topic is named twice'))
    for (const asked of request.topics)
      if (counts.get(asked.name) === 1) topics.push(await create(asked, request.validateOnly, call))
    return { topics }
  },
)

async function create(asked: Asked, validateOnly: boolean, call: Call): Promise<Made> {
  const { name } = asked
  const plan = planOf(asked, call)
  if ('errorCode' in plan) return refused(name, plan.errorCode, plan.errorMessage)
  const { topics } = call.broker
  try {
    if (validateOnly) return made(name, undefined, plan.partitions, plan.configs)
    const topic = await topics.create({ name, ...plan })
    return made(name, topic.id, topic.partitions, topic.configs)
  } catch (error) {
    if (isFailure(error, 'MR_STORAGE_TOPIC_EXISTS')) return exists(name)
    if (isFailure(error)) return refused(name, errorCodes.KAFKA_STORAGE_ERROR, error.message)
    throw error
  }
}

function planOf(asked: Asked, { broker }: Call): Plan {
  const { name, assignments, numPartitions, replicationFactor } = asked
  if (!isTopicName(name)) {
    return fault(
      errorCodes.INVALID_TOPIC_EXCEPTION,
      'a name has 1 to 249 letters, digits, dots, underscores and hyphens',
    )
  }
  if (broker.topics.named(name) !== undefined)
    return fault(errorCodes.TOPIC_ALREADY_EXISTS, `there is a topic ${name} already`)
  const rival = broker.topics.collidingWith(name)
  if (rival !== undefined) {
    return fault(
      errorCodes.INVALID_TOPIC_EXCEPTION,
      `${name} and ${rival} would have the same name in metrics, where dots are underscores`,
    )
  }
  const configs: Record<string, string> = {}
  for (const { name: config, value } of asked.configs) {
    if (value === null) return fault(errorCodes.INVALID_CONFIG, `${config} has no value`)
    const wrong = topicConfigFault(config, value)
    if (wrong !== undefined) return fault(errorCodes.INVALID_CONFIG, wrong)
    configs[config] = value
  }
  if (assignments.length > 0) {
    if (numPartitions !== -1 || replicationFactor !== -1) {
      return fault(
        errorCodes.INVALID_REQUEST,
        'give either assignments or numbers of partitions and replicas',
      )
    }
    const { nodeId } = broker.store
    const isOurs = assignments.every(
      ({ brokerIds }) => brokerIds.length === 1 && brokerIds[0] === nodeId,
    )
    const indexes = new Set(assignments.map(({ partitionIndex }) => partitionIndex))
    const isGapless = assignments.every((_, index) => indexes.has(index))
    if (!isOurs || !isGapless) {
      return fault(
        errorCodes.INVALID_REPLICA_ASSIGNMENT,
        `partitions are numbered from 0, each on broker ${nodeId} alone`,
      )
    }
    return withPartitions(assignments.length, configs)
  }
  if (replicationFactor !== 1 && replicationFactor !== -1) {
    return fault(
      errorCodes.INVALID_REPLICATION_FACTOR,
      `there is one broker, so no ${replicationFactor} replicas`,
    )
  }
  if (numPartitions === -1) return { partitions: broker.settings.defaultPartitions, configs }
  return withPartitions(numPartitions, configs)
}

function withPartitions(partitions: number, configs: Readonly<Record<string, string>>): Plan {
  if (partitions >= 1 && partitions <= mostPartitions) return { partitions, configs }
  return fault(
    errorCodes.INVALID_PARTITIONS,
    `a topic has 1 to ${mostPartitions} partitions, not ${partitions}`,
  )
}

function fault(errorCode: number, errorMessage: string): Plan {
  return { errorCode, errorMessage }
}

function made(
  name: string,
  topicId: string | undefined,
  partitions: number,
  configs: Readonly<Record<string, string>>,
): Made {
  return {
    name,
    ...(topicId === undefined ? {} : { topicId }),
    errorMessage: null,
    numPartitions: partitions,
    replicationFactor: 1,
    configs: describeTopicConfigs(configs).map(({ name: config, value, source }) => ({
      name: config,
      value,
      configSource: source,
    })),
  }
}

function exists(name: string): Made {
  return refused(name, errorCodes.TOPIC_ALREADY_EXISTS, `there is a topic ${name} already`)
}

function refused(name: string, errorCode: number, errorMessage: string): Made {
  return { name, errorCode, errorMessage }
}
