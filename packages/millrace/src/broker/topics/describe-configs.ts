import type { BrokerCore } from '../broker-core.ts'
import { configTypeIds, topicConfigs, type ConfigType, type TopicConfig } from './topic-configs.ts'

/** Kafka's numbers for where a value comes from. */
export const configSources = {
  topic: 1,
  staticBroker: 4,
  default: 5,
} as const

export interface ConfigRow {
  readonly name: string
  readonly value: string | null
  readonly source: number
  readonly isReadOnly: boolean
  readonly typeId: number
  readonly about: string
  /** From the nearest to the farthest, the value's own source first. */
  readonly synonyms: readonly {
    readonly name: string
    readonly value: string | null
    readonly source: number
  }[]
}

/** Every config of a topic: what it sets, and the defaults of the rest. */
export function describeTopicConfigs(overrides: Readonly<Record<string, string>>): ConfigRow[] {
  return Object.entries(topicConfigs).map(([name, config]: [string, TopicConfig]): ConfigRow => {
    const own = overrides[name]
    const byDefault = {
      name: config.synonym ?? name,
      value: config.default,
      source: configSources.default,
    }
    return {
      name,
      value: own ?? config.default,
      source: own === undefined ? configSources.default : configSources.topic,
      isReadOnly: false,
      typeId: configTypeIds[config.type],
      about: config.isIdle === true ? `${config.about} Kept, without effect here.` : config.about,
      synonyms: [
        ...(own === undefined ? [] : [{ name, value: own, source: configSources.topic }]),
        ...(config.synonym === undefined ? [] : [byDefault]),
      ],
    }
  })
}

/** What tools look for on a broker, by Kafka's names. Nothing of it can be changed over the wire. */
export function describeBrokerConfigs(
  broker: BrokerCore,
  advertised: { readonly host: string; readonly port: number },
): ConfigRow[] {
  const { settings, store } = broker
  const address = `PLAINTEXT://${advertised.host}:${advertised.port}`
  const rows: readonly (readonly [name: string, type: ConfigType, value: string, about: string])[] =
    [
      ['advertised.listeners', 'string', address, 'Where clients reach the broker.'],
      [
        'auto.create.topics.enable',
        'boolean',
        String(settings.autoCreateTopics),
        'Whether a topic is made when a client asks for it.',
      ],
      ['broker.id', 'int', String(store.nodeId), 'Number of the broker.'],
      [
        'connections.max.idle.ms',
        'long',
        String(settings.connectionIdleMs),
        'An idle connection is closed after this time.',
      ],
      ['default.replication.factor', 'int', '1', 'Replicas of a topic; there is one broker.'],
      ['delete.topic.enable', 'boolean', 'true', 'Whether topics can be deleted.'],
      ['fetch.max.bytes', 'int', String(settings.fetchMaxBytes), 'Most bytes of one fetch.'],
      [
        'group.initial.rebalance.delay.ms',
        'int',
        String(settings.groupInitialRebalanceDelayMs),
        'How long an empty group waits for more members.',
      ],
      [
        'group.max.session.timeout.ms',
        'int',
        String(settings.groupMaxSessionTimeoutMs),
        'Longest session of a member.',
      ],
      ['group.max.size', 'int', String(settings.groupMaxSize), 'Most members of a group.'],
      [
        'group.min.session.timeout.ms',
        'int',
        String(settings.groupMinSessionTimeoutMs),
        'Shortest session of a member.',
      ],
      ['log.dirs', 'string', store.folder, 'Where the data lies.'],
      ['log.retention.ms', 'long', topicConfigs['retention.ms'].default, 'Age of what is dropped.'],
      [
        'log.segment.bytes',
        'int',
        topicConfigs['segment.bytes'].default,
        'Size at which a log goes on in a new file.',
      ],
      ['message.max.bytes', 'int', topicConfigs['max.message.bytes'].default, 'Largest batch.'],
      ['min.insync.replicas', 'int', '1', 'Replicas that must have a record.'],
      ['node.id', 'int', String(store.nodeId), 'Number of the broker.'],
      [
        'num.partitions',
        'int',
        String(settings.defaultPartitions),
        'Partitions of a topic that is made without a number.',
      ],
      [
        'offset.metadata.max.bytes',
        'int',
        String(settings.offsetMetadataMaxBytes),
        'Longest text beside an offset.',
      ],
      [
        'offsets.retention.minutes',
        'int',
        String(Math.round(settings.offsetsRetentionMs / 60_000)),
        'How long the offsets of an empty group are kept.',
      ],
      ['offsets.topic.replication.factor', 'int', '1', 'Replicas of __consumer_offsets.'],
      [
        'socket.request.max.bytes',
        'int',
        String(settings.maxFrameBytes),
        'Largest request that is taken.',
      ],
    ]
  return rows.map(([name, type, value, about]) => ({
    name,
    value,
    source: configSources.staticBroker,
    isReadOnly: true,
    typeId: configTypeIds[type],
    about,
    synonyms: [{ name, value, source: configSources.staticBroker }],
  }))
}
