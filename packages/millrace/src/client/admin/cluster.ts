import { failure, type MillraceError } from '../../errors/index.ts'
import { apis, errorCodes } from '../../protocol/index.ts'
import type { ClientCore } from '../client-core.ts'
import { kafkaFailure } from '../kafka-failure.ts'
import { retrying } from '../retrying.ts'
import type { AdminOptions } from './ask-each.ts'

export interface DescribedBroker {
  readonly nodeId: number
  readonly host: string
  readonly port: number
  readonly rack: string | null
}

export interface DescribedCluster {
  readonly clusterId: string | null
  /** -1 when the answering broker knew of none. */
  readonly controllerId: number
  /** By node id. */
  readonly brokers: readonly DescribedBroker[]
}

/** DescribeCluster where it is offered (Kafka 2.8), else what Metadata says. */
export async function describeCluster(
  core: ClientCore,
  { timeoutMs = core.apiTimeoutMs, signal }: AdminOptions,
): Promise<DescribedCluster> {
  const { clock, connections } = core
  const what = 'describe cluster'
  return retrying({ what, clock, timeoutMs, signal }, async (ending) => {
    const connection = await connections.connect('any', 'data', { signal: ending })
    if (connection.versionOf(apis.describeCluster) === undefined) {
      const answer = await connection.request(
        apis.metadata,
        { topics: [], allowAutoTopicCreation: false },
        { minVersion: 1, signal: ending },
      )
      if (answer.errorCode !== 0) throw kafkaFailure(what, answer.errorCode)
      const { clusterId, controllerId, brokers } = answer
      return { clusterId, controllerId, brokers: sorted(brokers) }
    }
    const answer = await connection.request(apis.describeCluster, {}, { signal: ending })
    if (answer.errorCode !== 0) throw kafkaFailure(what, answer.errorCode, answer.errorMessage)
    const { clusterId, controllerId, brokers } = answer
    const named = brokers.map(({ brokerId, host, port, rack }) => ({
      nodeId: brokerId,
      host,
      port,
      rack,
    }))
    return { clusterId, controllerId, brokers: sorted(named) }
  })
}

function sorted(brokers: readonly DescribedBroker[]): readonly DescribedBroker[] {
  return brokers
    .map(({ nodeId, host, port, rack }) => ({ nodeId, host, port, rack }))
    .toSorted((left, right) => left.nodeId - right.nodeId)
}

/** Where a setting's value comes from: Kafka's config sources by the words of this library. */
export type ConfigSource = 'topic' | 'broker' | 'cluster' | 'file' | 'default' | 'unknown'

const sourceByCode: Readonly<Record<number, ConfigSource>> = {
  1: 'topic',
  2: 'broker',
  3: 'cluster',
  4: 'file',
  5: 'default',
}

export interface DescribedConfig {
  readonly name: string
  /** Null when it is sensitive or unset. */
  readonly value: string | null
  readonly source: ConfigSource
  readonly isSensitive: boolean
  readonly isReadOnly: boolean
  /** Null when not asked for or not known (DescribeConfigs below v3). */
  readonly documentation: string | null
}

export type ConfigResource = { readonly topic: string } | { readonly broker: number }

export interface DescribeConfigsOptions extends AdminOptions {
  /** Only these settings. */
  readonly names?: readonly string[]
  readonly withDocumentation?: boolean
}

const topicResource = 2
const brokerResource = 4

/** Every setting of a topic or broker with its value and where that comes from, by name. */
export async function describeConfigs(
  core: ClientCore,
  resource: ConfigResource,
  options: DescribeConfigsOptions,
): Promise<readonly DescribedConfig[]> {
  const { clock, connections, metadata } = core
  const { timeoutMs = core.apiTimeoutMs, signal } = options
  const isTopic = 'topic' in resource
  const name = isTopic ? resource.topic : String(resource.broker)
  const what = `describe configs of ${isTopic ? 'topic' : 'broker'} ${name}`
  return retrying({ what, clock, timeoutMs, signal }, async (ending) => {
    // Only the broker itself knows what its file says.
    const node = isTopic ? 'any' : resource.broker
    if (node !== 'any' && !metadata.broker(node))
      await metadata.refresh([], { signal: ending, reason: 'a broker is wanted' })
    const connection = await connections.connect(node, 'data', { signal: ending })
    const answer = await connection.request(
      apis.describeConfigs,
      {
        resources: [
          {
            resourceType: isTopic ? topicResource : brokerResource,
            resourceName: name,
            configurationKeys: options.names ?? null,
          },
        ],
        includeDocumentation: options.withDocumentation === true,
      },
      { signal: ending },
    )
    const [result] = answer.results
    // Kafka calls this one passing, since a topic may be on its way; here it is the answer.
    if (isTopic && result?.errorCode === errorCodes.UNKNOWN_TOPIC_OR_PARTITION)
      throw failure('MR_TOPIC_UNKNOWN', { topic: name })
    if (result?.errorCode !== 0)
      throw refused(what, result?.errorCode ?? errorCodes.UNKNOWN_SERVER_ERROR, result)
    return result.configs
      .map((config) => ({
        name: config.name,
        value: config.value,
        source: sourceByCode[config.configSource] ?? 'unknown',
        isSensitive: config.isSensitive,
        isReadOnly: config.readOnly,
        documentation: config.documentation === '' ? null : config.documentation,
      }))
      .toSorted((left, right) => (left.name < right.name ? -1 : 1))
  })
}

function refused(
  what: string,
  errorCode: number,
  row: { readonly errorMessage: string | null } | undefined,
): MillraceError {
  return kafkaFailure(what, errorCode, row?.errorMessage)
}
