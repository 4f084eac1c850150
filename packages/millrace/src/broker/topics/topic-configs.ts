/**
 * Kafka's topic configs, by their own names, with the defaults of this broker.
 *
 * All that Kafka knows can be set and is given back, so that tools and code meant for a cluster work;
 * what one node has no use for is marked `isIdle`. The default of `segment.bytes` differs from Kafka's
 * (1 GiB there): retention, compaction and recovery then work in small steps.
 */
export type ConfigType = 'boolean' | 'string' | 'int' | 'long' | 'double' | 'list'

export interface TopicConfig {
  readonly type: ConfigType
  /** As DescribeConfigs shows it; null: none. */
  readonly default: string | null
  readonly min?: number
  readonly max?: number
  readonly choices?: readonly string[]
  /** The broker's property that gives the default in Kafka, unless it takes the first of several. */
  readonly synonym?: string
  /** Kept and shown, without effect here. */
  readonly isIdle?: true
  readonly about: string
}

const forever = '9223372036854775807'

export const topicConfigs = {
  'cleanup.policy': {
    type: 'list',
    default: 'delete',
    choices: ['compact', 'delete'],
    synonym: 'log.cleanup.policy',
    about: 'delete drops old segments; compact keeps the last record of each key; both may be set.',
  },
  'compression.gzip.level': {
    type: 'int',
    default: '-1',
    min: -1,
    max: 9,
    synonym: 'compression.gzip.level',
    isIdle: true,
    about: 'Level when the broker compresses with gzip itself.',
  },
  'compression.lz4.level': {
    type: 'int',
    default: '9',
    min: 1,
    max: 17,
    synonym: 'compression.lz4.level',
    isIdle: true,
    about: 'Level when the broker compresses with lz4 itself.',
  },
  'compression.type': {
    type: 'string',
    default: 'producer',
    choices: ['uncompressed', 'zstd', 'lz4', 'snappy', 'gzip', 'producer'],
    synonym: 'compression.type',
    about: 'Codec in which batches are stored; producer leaves them as they come.',
  },
  'compression.zstd.level': {
    type: 'int',
    default: '3',
    min: -131_072,
    max: 22,
    synonym: 'compression.zstd.level',
    isIdle: true,
    about: 'Level when the broker compresses with zstd itself.',
  },
  'delete.retention.ms': {
    type: 'long',
    default: '86400000',
    min: 0,
    synonym: 'log.cleaner.delete.retention.ms',
    isIdle: true,
    about: 'How long compaction keeps a tombstone, so that late readers learn of the deletion.',
  },
  'errors.deadletterqueue.group.enable': {
    type: 'boolean',
    default: 'false',
    isIdle: true,
    about: 'Whether share groups may use this topic for dead letters.',
  },
  'file.delete.delay.ms': {
    type: 'long',
    default: '60000',
    min: 0,
    synonym: 'log.segment.delete.delay.ms',
    isIdle: true,
    about: 'Wait between dropping a segment and removing its files.',
  },
  'flush.messages': {
    type: 'long',
    default: forever,
    min: 1,
    synonym: 'log.flush.interval.messages',
    isIdle: true,
    about: 'Sync after this many records; the durability of this broker is set for all topics.',
  },
  'flush.ms': {
    type: 'long',
    default: forever,
    min: 0,
    isIdle: true,
    about: 'Sync after this time; the durability of this broker is set for all topics.',
  },
  'follower.replication.throttled.replicas': {
    type: 'list',
    default: '',
    isIdle: true,
    about: 'Replicas whose replication is slowed down on the follower.',
  },
  'index.interval.bytes': {
    type: 'int',
    default: '4096',
    min: 0,
    synonym: 'log.index.interval.bytes',
    isIdle: true,
    about: 'Bytes of log between two entries of the offset index.',
  },
  'leader.replication.throttled.replicas': {
    type: 'list',
    default: '',
    isIdle: true,
    about: 'Replicas whose replication is slowed down on the leader.',
  },
  'local.retention.bytes': {
    type: 'long',
    default: '-2',
    min: -2,
    synonym: 'log.local.retention.bytes',
    isIdle: true,
    about: 'Size kept on the broker with tiered storage; -2 means retention.bytes.',
  },
  'local.retention.ms': {
    type: 'long',
    default: '-2',
    min: -2,
    synonym: 'log.local.retention.ms',
    isIdle: true,
    about: 'Time kept on the broker with tiered storage; -2 means retention.ms.',
  },
  'max.compaction.lag.ms': {
    type: 'long',
    default: forever,
    min: 1,
    synonym: 'log.cleaner.max.compaction.lag.ms',
    isIdle: true,
    about: 'Longest time a record may stay without being looked at by compaction.',
  },
  'max.decompressed.message.bytes': {
    type: 'int',
    default: '2147483639',
    min: 1,
    max: 2_147_483_639,
    synonym: 'max.decompressed.message.bytes',
    isIdle: true,
    about: 'Largest batch once unfolded.',
  },
  'max.message.bytes': {
    type: 'int',
    default: '1048588',
    min: 0,
    synonym: 'message.max.bytes',
    about: 'Largest batch that is taken, compressed.',
  },
  'message.timestamp.after.max.ms': {
    type: 'long',
    default: '3600000',
    min: 0,
    synonym: 'log.message.timestamp.after.max.ms',
    about:
      'How far a record may be ahead of the clock of the broker; one clock far ahead would hold back retention by time.',
  },
  'message.timestamp.before.max.ms': {
    type: 'long',
    default: forever,
    min: 0,
    synonym: 'log.message.timestamp.before.max.ms',
    about: 'How far a record may be behind the clock of the broker.',
  },
  'message.timestamp.type': {
    type: 'string',
    default: 'CreateTime',
    choices: ['CreateTime', 'LogAppendTime'],
    synonym: 'log.message.timestamp.type',
    about: 'Whether records keep the time of the producer or get that of the append.',
  },
  'min.cleanable.dirty.ratio': {
    type: 'double',
    default: '0.5',
    min: 0,
    max: 1,
    synonym: 'log.cleaner.min.cleanable.ratio',
    isIdle: true,
    about: 'Share of a log that must be new before it is compacted again.',
  },
  'min.compaction.lag.ms': {
    type: 'long',
    default: '0',
    min: 0,
    synonym: 'log.cleaner.min.compaction.lag.ms',
    isIdle: true,
    about: 'Time for which compaction leaves a record alone.',
  },
  'min.insync.replicas': {
    type: 'int',
    default: '1',
    min: 1,
    synonym: 'min.insync.replicas',
    isIdle: true,
    about: 'Replicas that must have a record before it is acknowledged; here there is one.',
  },
  preallocate: {
    type: 'boolean',
    default: 'false',
    synonym: 'log.preallocate',
    isIdle: true,
    about: 'Whether the file of a segment is made in its full size.',
  },
  'remote.copy.lag.bytes': {
    type: 'long',
    default: '-1',
    min: -1,
    synonym: 'log.remote.copy.lag.bytes',
    isIdle: true,
    about: 'How much may wait before it is copied to tiered storage.',
  },
  'remote.copy.lag.ms': {
    type: 'long',
    default: '0',
    min: -1,
    synonym: 'log.remote.copy.lag.ms',
    isIdle: true,
    about: 'How long a segment may wait before it is copied to tiered storage.',
  },
  'remote.log.copy.disable': {
    type: 'boolean',
    default: 'false',
    isIdle: true,
    about: 'Whether copying to tiered storage is stopped.',
  },
  'remote.log.delete.on.disable': {
    type: 'boolean',
    default: 'false',
    isIdle: true,
    about: 'Whether tiered data goes when tiering is switched off.',
  },
  'remote.storage.enable': {
    type: 'boolean',
    default: 'false',
    isIdle: true,
    about: 'Whether old segments go to tiered storage.',
  },
  'retention.bytes': {
    type: 'long',
    default: '-1',
    synonym: 'log.retention.bytes',
    about: 'Size of a partition above which its oldest segments are dropped; -1 is no limit.',
  },
  'retention.ms': {
    type: 'long',
    default: '604800000',
    min: -1,
    about: 'Age above which segments are dropped; -1 keeps them for ever.',
  },
  'segment.bytes': {
    type: 'int',
    default: '67108864',
    min: 1_048_576,
    synonym: 'log.segment.bytes',
    about:
      'Size at which the log goes on in a new file; retention and compaction drop whole files.',
  },
  'segment.index.bytes': {
    type: 'int',
    default: '10485760',
    min: 4,
    synonym: 'log.index.size.max.bytes',
    isIdle: true,
    about: 'Room for the index of one segment.',
  },
  'segment.jitter.ms': {
    type: 'long',
    default: '0',
    min: 0,
    isIdle: true,
    about: 'Random time taken off segment.ms, so that not all topics roll at once.',
  },
  'segment.ms': {
    type: 'long',
    default: '604800000',
    min: 1,
    about: 'Age at which the log goes on in a new file, full or not.',
  },
  'unclean.leader.election.enable': {
    type: 'boolean',
    default: 'false',
    synonym: 'unclean.leader.election.enable',
    isIdle: true,
    about: 'Whether a replica that misses records may lead.',
  },
} as const satisfies Readonly<Record<string, TopicConfig>>

const configByName: ReadonlyMap<string, TopicConfig> = new Map(Object.entries(topicConfigs))

export function topicConfigNamed(name: string): TopicConfig | undefined {
  return configByName.get(name)
}

/** What is wrong with a value, or undefined when it may stand. */
export function topicConfigFault(name: string, value: string): string | undefined {
  const config = configByName.get(name)
  if (config === undefined) return `there is no topic config ${name}`
  const { type, min, max, choices } = config
  switch (type) {
    case 'boolean':
      return value === 'true' || value === 'false'
        ? undefined
        : `${name} must be true or false, not ${JSON.stringify(value)}`
    case 'string':
      return choices === undefined || choices.includes(value)
        ? undefined
        : `${name} must be one of ${choices.join(', ')}, not ${JSON.stringify(value)}`
    case 'list': {
      const wrong = value
        .split(',')
        .map((part) => part.trim())
        .filter((part) => part !== '' && choices !== undefined && !choices.includes(part))
      if (wrong.length > 0) return `${name} knows ${choices?.join(', ')}, not ${wrong.join(', ')}`
      return choices !== undefined && value.trim() === '' ? `${name} may not be empty` : undefined
    }
    case 'int':
    case 'long': {
      const limit = type === 'int' ? 2_147_483_647 : 2 ** 63
      if (!/^-?\d{1,19}$/.test(value))
        return `${name} must be a whole number, not ${JSON.stringify(value)}`
      return rangeFault(name, Number(value), min ?? -limit, max ?? limit)
    }
    case 'double': {
      const number = Number(value)
      if (value.trim() === '' || !Number.isFinite(number))
        return `${name} must be a number, not ${JSON.stringify(value)}`
      return rangeFault(name, number, min ?? -Infinity, max ?? Infinity)
    }
  }
}

function rangeFault(name: string, value: number, min: number, max: number): string | undefined {
  if (value < min) return `${name} must be at least ${min}, not ${value}`
  if (value > max) return `${name} must be at most ${max}, not ${value}`
  return undefined
}

/** The number that DescribeConfigs gives for a type. */
export const configTypeIds: Readonly<Record<ConfigType, number>> = {
  boolean: 1,
  string: 2,
  int: 3,
  long: 5,
  double: 6,
  list: 7,
}
