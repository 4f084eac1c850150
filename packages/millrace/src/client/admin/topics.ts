import { failure, type MillraceError } from '../../errors/index.ts'
import { apis, errorCodes, type ResponseOf } from '../../protocol/index.ts'
import type { ClientCore } from '../client-core.ts'
import { kafkaFailure } from '../kafka-failure.ts'
import { retrying } from '../retrying.ts'
import { askEach, type AdminOptions, type Answer, type Ask, type Outcome } from './ask-each.ts'

export interface DescribedPartition {
  readonly partition: number
  /** -1 while there is none. */
  readonly leader: number
  readonly leaderEpoch: number
  readonly replicas: readonly number[]
  readonly isr: readonly number[]
}

export interface DescribedTopic {
  readonly name: string
  readonly id: string
  readonly isInternal: boolean
  /** By number, without gaps; empty when there is an error. */
  readonly partitions: readonly DescribedPartition[]
  readonly error?: MillraceError
}

export interface NewTopic {
  readonly name: string
  /** Default: the broker's num.partitions. */
  readonly partitions?: number
  /** Default: the broker's default.replication.factor. */
  readonly replicas?: number
  readonly configs?: Readonly<Record<string, string>>
}

export interface CreatedTopic {
  readonly name: string
  /** Null before CreateTopics v7 (Kafka 2.8) and on error. */
  readonly id: string | null
  /** -1 when the broker is too old to say (below 2.4), and on error. */
  readonly partitions: number
  readonly replicas: number
  readonly error?: MillraceError
}

export interface NamedResult {
  readonly name: string
  readonly error?: MillraceError
}

export interface ValidateOptions extends AdminOptions {
  /** The broker only checks; nothing changes. */
  readonly validateOnly?: boolean
}

/** Topics by name, in the order asked; all that the client may see, by name, when none are named. */
export async function describeTopics(
  core: ClientCore,
  names: readonly string[] | undefined,
  { timeoutMs = core.apiTimeoutMs, signal }: AdminOptions,
): Promise<readonly DescribedTopic[]> {
  const { clock, connections } = core
  const retry = { what: 'describe topics', clock, timeoutMs, signal }
  const answer = await retrying(retry, async (ending) => {
    const connection = await connections.connect('any', 'data', { signal: ending })
    const topics = names === undefined ? null : names.map((name) => ({ name }))
    const body = { topics, allowAutoTopicCreation: false }
    // v0 has no null list, and its empty one means all.
    const bounds = { minVersion: 1, signal: ending }
    const described = await connection.request(apis.metadata, body, bounds)
    if (described.errorCode !== 0) throw kafkaFailure('describe topics', described.errorCode)
    return described
  })
  const found = answer.topics.map(toDescribedTopic)
  if (names === undefined) return found.toSorted((left, right) => (left.name < right.name ? -1 : 1))
  const byName = new Map(found.map((topic) => [topic.name, topic]))
  return names.map((name) => byName.get(name) ?? unknownTopic(name))
}

type MetadataTopic = ResponseOf<typeof apis.metadata>['topics'][number]

function toDescribedTopic({
  name,
  topicId,
  isInternal,
  errorCode,
  partitions,
}: MetadataTopic): DescribedTopic {
  const known = name ?? ''
  if (errorCode === errorCodes.UNKNOWN_TOPIC_OR_PARTITION) return unknownTopic(known)
  return {
    name: known,
    id: topicId,
    isInternal,
    partitions: partitions
      .map(({ partitionIndex, leaderId, leaderEpoch, replicaNodes, isrNodes }) => ({
        partition: partitionIndex,
        leader: leaderId,
        leaderEpoch,
        replicas: replicaNodes,
        isr: isrNodes,
      }))
      .toSorted((left, right) => left.partition - right.partition),
    ...(errorCode === 0 ? {} : { error: kafkaFailure(`describe ${known}`, errorCode) }),
  }
}

function unknownTopic(name: string): DescribedTopic {
  const error = failure('MR_TOPIC_UNKNOWN', { topic: name })
  return { name, id: noTopicId, isInternal: false, partitions: [], error }
}

const noTopicId = 'AAAAAAAAAAAAAAAAAAAAAA'

/**
 * Creates topics; one result each. After a lost answer the call is repeated, so a topic that this very call made can
 * come back as TOPIC_ALREADY_EXISTS, as from the Java client.
 */
export async function createTopics(
  core: ClientCore,
  topics: readonly NewTopic[],
  options: ValidateOptions,
): Promise<readonly CreatedTopic[]> {
  const outcomes = await askController(core, 'create topics', topics, options, async (open, to) => {
    const usesDefaults = open.some(
      ({ partitions, replicas }) => partitions === undefined || replicas === undefined,
    )
    const answer = await to.connection.request(
      apis.createTopics,
      {
        topics: open.map(({ name, partitions = -1, replicas = -1, configs = {} }) => ({
          name,
          numPartitions: partitions,
          replicationFactor: replicas,
          configs: Object.entries(configs).map(([key, value]) => ({ name: key, value })),
        })),
        timeoutMs: core.requestTimeoutMs,
        validateOnly: options.validateOnly === true,
      },
      // -1 for the broker's own defaults came with v4 (KIP-464).
      { signal: to.signal, minVersion: usesDefaults ? 4 : 2 },
    )
    const byName = new Map(answer.topics.map((topic) => [topic.name, topic]))
    return open.map(({ name }): Answer<CreatedTopic> => {
      const topic = byName.get(name)
      if (topic?.errorCode !== 0) return refusal(`create ${name}`, topic)
      return {
        result: {
          name,
          id: topic.topicId === noTopicId ? null : topic.topicId,
          partitions: topic.numPartitions,
          replicas: topic.replicationFactor,
        },
      }
    })
  })
  return topics.map(({ name }, index) => {
    const { result, error } = outcomes[index]!
    return result ?? { name, id: null, partitions: -1, replicas: -1, error }
  })
}

/** Deletes topics with all their messages; one result each. */
export async function deleteTopics(
  core: ClientCore,
  names: readonly string[],
  options: AdminOptions,
): Promise<readonly NamedResult[]> {
  const outcomes = await askController(core, 'delete topics', names, options, async (open, to) => {
    const answer = await to.connection.request(
      apis.deleteTopics,
      {
        topicNames: open,
        topics: open.map((name) => ({ name })),
        timeoutMs: core.requestTimeoutMs,
      },
      { signal: to.signal },
    )
    const byName = new Map(answer.responses.map((topic) => [topic.name, topic]))
    return open.map((name): Answer<string> => {
      const topic = byName.get(name)
      if (topic?.errorCode === errorCodes.UNKNOWN_TOPIC_OR_PARTITION)
        return { error: failure('MR_TOPIC_UNKNOWN', { topic: name }) }
      if (topic?.errorCode !== 0) return refusal(`delete ${name}`, topic)
      core.metadata.forget(name)
      return { result: name }
    })
  })
  return named(names, outcomes)
}

/** Raises the number of partitions; one result each. Messages stay where they are, keys may move from now on. */
export async function createPartitions(
  core: ClientCore,
  topics: readonly { readonly name: string; readonly count: number }[],
  options: ValidateOptions,
): Promise<readonly NamedResult[]> {
  const what = 'create partitions'
  const outcomes = await askController(core, what, topics, options, async (open, to) => {
    const answer = await to.connection.request(
      apis.createPartitions,
      {
        topics: open.map(({ name, count }) => ({ name, count, assignments: null })),
        timeoutMs: core.requestTimeoutMs,
        validateOnly: options.validateOnly === true,
      },
      { signal: to.signal },
    )
    const byName = new Map(answer.results.map((topic) => [topic.name, topic]))
    return open.map(({ name }): Answer<string> => {
      const topic = byName.get(name)
      if (topic?.errorCode === errorCodes.UNKNOWN_TOPIC_OR_PARTITION)
        return { error: failure('MR_TOPIC_UNKNOWN', { topic: name }) }
      if (topic?.errorCode !== 0) return refusal(`create partitions of ${name}`, topic)
      if (core.metadata.peek(name)) core.metadata.requestRefresh('partitions were created', [name])
      return { result: name }
    })
  })
  return named(
    topics.map(({ name }) => name),
    outcomes,
  )
}

function named(
  names: readonly string[],
  outcomes: readonly Outcome<unknown>[],
): readonly NamedResult[] {
  return names.map((name, index) => {
    const error = outcomes[index]?.error
    return error ? { name, error } : { name }
  })
}

interface ControllerCall {
  readonly connection: Awaited<ReturnType<ClientCore['connections']['connect']>>
  readonly signal: AbortSignal
}

/** Changes of topics go to the controller; brokers of a KRaft cluster pass them on, older ones answer 41. */
function askController<I, R>(
  core: ClientCore,
  what: string,
  items: readonly I[],
  options: AdminOptions,
  ask: (open: readonly I[], to: ControllerCall) => Promise<readonly Answer<R>[]>,
): Promise<readonly Outcome<R>[]> {
  const { connections, metadata } = core
  const once: Ask<I, R> = async (open, signal) => {
    if (metadata.controllerId < 0 || isStale)
      await metadata.refresh([], { signal, reason: 'the controller is wanted' })
    // Set first: an answer lost on the way may mean that the controller is another now.
    isStale = true
    const node = metadata.controllerId < 0 ? 'any' : metadata.controllerId
    const connection = await connections.connect(node, 'data', { signal })
    const answers = await ask(open, { connection, signal })
    isStale = answers.some((answer) => 'error' in answer && answer.isPassing === true)
    return answers
  }
  let isStale = false
  return askEach(core, what, items, options, once)
}

/** Only "another controller" and "you are throttled" are worth another round, as in the Java client. */
const passing: ReadonlySet<number> = new Set([
  errorCodes.NOT_CONTROLLER,
  errorCodes.THROTTLING_QUOTA_EXCEEDED,
])

function refusal(
  what: string,
  row: { readonly errorCode: number; readonly errorMessage: string | null } | undefined,
): { error: MillraceError; isPassing: boolean } {
  if (!row) {
    const missing = 'the answer does not mention it'
    return {
      error: kafkaFailure(what, errorCodes.UNKNOWN_SERVER_ERROR, missing),
      isPassing: false,
    }
  }
  const { errorCode, errorMessage } = row
  return { error: kafkaFailure(what, errorCode, errorMessage), isPassing: passing.has(errorCode) }
}
