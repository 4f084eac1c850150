import { openClient, type Client } from '../../client/index.ts'
import { failure } from '../../errors/index.ts'
import { currentConfig } from '../config/current-config.ts'
import type { MillraceConfig } from '../config/define-config.ts'
import { resolveConfig } from '../config/resolve-config.ts'
import type { AnyTopic } from '../topic/define-topic.ts'

/** Where something outside of a worker connects to. */
export interface ConnectOptions {
  /** Default: the one that this process has defined. */
  readonly config?: MillraceConfig
  /** Instead of a configuration: `host:port`, and names as they are at the broker. */
  readonly brokers?: readonly string[]
  /** Of the configuration's clusters; default `main`. */
  readonly cluster?: string
}

export interface Connected {
  readonly client: Client
  /** A topic's name at the broker. */
  readonly wireName: (topic: AnyTopic | string) => string
  /** Kafka's id of a declared group; any other name is one already. */
  readonly groupId: (group: string) => string
}

/** @throws MR_APP_NO_CONFIG, MR_CONFIG_INVALID, MR_ADMIN_CLUSTER_UNKNOWN */
export function connect(options: ConnectOptions, topic?: AnyTopic): Connected {
  const nameOf = (one: AnyTopic | string): string => (typeof one === 'string' ? one : one.name)
  if (options.brokers !== undefined) {
    const client = openClient({ brokers: options.brokers, clientId: 'millrace' })
    return { client, wireName: nameOf, groupId: (group) => group }
  }
  const config = options.config ?? currentConfig()
  const resolved = resolveConfig(config, { env: process.env })
  const wanted = options.cluster ?? (topic === undefined ? 'main' : resolved.clusterOf(topic))
  const cluster = resolved.clusters.find(({ name }) => name === wanted)
  if (cluster === undefined) {
    const known = resolved.clusters.map(({ name }) => name)
    throw failure('MR_ADMIN_CLUSTER_UNKNOWN', { cluster: wanted, known })
  }
  const { brokers, tls } = cluster
  const clientId = resolved.options.clientId ?? 'millrace'
  const groupIds = new Map(resolved.plans.map(({ group, groupId }) => [group, groupId]))
  return {
    client: openClient({ brokers, clientId, ...(tls === undefined ? {} : { tls }) }),
    wireName: (one) => resolved.wireName(nameOf(one)),
    groupId: (group) => groupIds.get(group) ?? group,
  }
}
