import { failure, type MillraceError } from '../../errors/index.ts'
import { apis, errorCodes } from '../../protocol/index.ts'
import type { ClientCore } from '../client-core.ts'
import { kafkaFailure } from '../kafka-failure.ts'
import { retrying } from '../retrying.ts'
import { askEach, type AdminOptions, type Answer } from './ask-each.ts'
import type { NamedResult, ValidateOptions } from './topics.ts'

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

/** What to change in the settings of a topic: all of it or nothing. */
export interface ConfigChange {
  readonly topic: string
  readonly set?: Readonly<Record<string, string>>
  /** Back to the broker's default. */
  readonly unset?: readonly string[]
}

const setOperation = 0
const deleteOperation = 1

/** Changes single settings and leaves the others (KIP-339); one result a topic. */
export async function alterConfigs(
  core: ClientCore,
  changes: readonly ConfigChange[],
  options: ValidateOptions,
): Promise<readonly NamedResult[]> {
  const outcomes = await askEach(core, 'alter configs', changes, options, async (open, signal) => {
    const connection = await core.connections.connect('any', 'data', { signal })
    const answer = await connection.request(
      apis.incrementalAlterConfigs,
      {
        resources: open.map(({ topic, set = {}, unset = [] }) => ({
          resourceType: topicResource,
          resourceName: topic,
          configs: [
            ...Object.entries(set).map(([name, value]) => ({
              name,
              value,
              configOperation: setOperation,
            })),
            ...unset.map((name) => ({ name, value: null, configOperation: deleteOperation })),
          ],
        })),
        validateOnly: options.validateOnly === true,
      },
      { signal },
    )
    const byName = new Map(answer.responses.map((row) => [row.resourceName, row]))
    return open.map(({ topic }): Answer<string> => {
      const row = byName.get(topic)
      const code = row?.errorCode ?? errorCodes.UNKNOWN_SERVER_ERROR
      if (code === 0) return { result: topic }
      if (code === errorCodes.UNKNOWN_TOPIC_OR_PARTITION)
        return { error: failure('MR_TOPIC_UNKNOWN', { topic }) }
      return {
        error: refused(`alter configs of topic ${topic}`, code, row),
        isPassing: code === errorCodes.NOT_CONTROLLER,
      }
    })
  })
  return changes.map(({ topic }, index) => {
    const error = outcomes[index]?.error
    return error ? { name: topic, error } : { name: topic }
  })
}
