import { defineOptions, resolveOptions, type OptionValues } from '../config/index.ts'
import { failure } from '../errors/index.ts'

/** What can be set on an embedded broker. Where Apache Kafka has a property for it, the text names it. */
export const brokerOptions = defineOptions({
  autoCreateTopics: {
    type: 'flag',
    default: true,
    env: 'MILLRACE_BROKER_AUTO_CREATE_TOPICS',
    about:
      'Create a topic when a client that allows it asks for its metadata. Kafka: auto.create.topics.enable.',
  },
  defaultPartitions: {
    type: 'number',
    default: 4,
    env: 'MILLRACE_BROKER_DEFAULT_PARTITIONS',
    about:
      'Partitions of a topic that is created without a number, or by itself. Kafka: num.partitions.',
  },
  maxFrameBytes: {
    type: 'size',
    default: '100MiB',
    about: 'Largest request; a larger one closes its connection. Kafka: socket.request.max.bytes.',
  },
  maxUnsentBytes: {
    type: 'size',
    default: '4MiB',
    about:
      'Bytes of answers a client may leave unread before its requests are no longer read. One answer may be larger.',
  },
  maxPipelined: {
    type: 'number',
    default: 512,
    about: 'Requests of one connection that may wait for their answers at a time.',
  },
  maxConnections: {
    type: 'number',
    default: 10_000,
    about: 'Open connections; more are closed at once. Kafka: max.connections.',
  },
  connectionIdleMs: {
    type: 'duration',
    default: '10m',
    about:
      'A connection on which nothing moved for this long is closed. Kafka: connections.max.idle.ms.',
  },
  checkRecords: {
    type: 'flag',
    default: false,
    about:
      'Read every record of a produced batch and refuse what readers would stumble over. Off, the checksum and header are checked alone, which is many times faster for small records.',
  },
  fetchMaxBytes: {
    type: 'size',
    default: '55MiB',
    about: 'Most bytes of one Fetch answer, whatever the client allows. Kafka: fetch.max.bytes.',
  },
  fetchSessions: {
    type: 'number',
    default: 1000,
    about:
      'Fetch sessions kept; 0 turns them off. Kafka: max.incremental.fetch.session.cache.slots.',
  },
  groupInitialRebalanceDelayMs: {
    type: 'duration',
    default: 0,
    about:
      'How long an empty group waits for more members before the first assignment. Kafka: group.initial.rebalance.delay.ms (3 s there).',
  },
  groupAbsentGraceMs: {
    type: 'duration',
    default: '5s',
    about:
      'How long a rebalance waits for members whose connection is gone, such as a worker that was killed. 0 waits until their session ends, as Kafka does.',
  },
  groupMinSessionTimeoutMs: {
    type: 'duration',
    default: '2s',
    about:
      'Shortest session a member may ask for; Kafka allows no less than 6 s. Kafka: group.min.session.timeout.ms.',
  },
  groupMaxSessionTimeoutMs: {
    type: 'duration',
    default: '30m',
    about: 'Longest session a member may ask for. Kafka: group.max.session.timeout.ms.',
  },
  groupMaxSize: {
    type: 'number',
    default: 10_000,
    about: 'Most members of a group. Kafka: group.max.size.',
  },
  offsetMetadataMaxBytes: {
    type: 'size',
    default: 4096,
    about: 'Longest text beside a committed offset. Kafka: offset.metadata.max.bytes.',
  },
  offsetsRetentionMs: {
    type: 'duration',
    default: '7d',
    about:
      'How long the offsets of a group without members are kept. Kafka: offsets.retention.minutes.',
  },
  offsetsRetentionCheckMs: {
    type: 'duration',
    default: '10m',
    about: 'How often that is checked. Kafka: offsets.retention.check.interval.ms.',
  },
  retentionCheckMs: {
    type: 'duration',
    default: '5m',
    about:
      'How often segments past their retention are looked for. Kafka: log.retention.check.interval.ms.',
  },
})

export type BrokerSettings = OptionValues<typeof brokerOptions>

/**
 * Settings with the defaults filled in.
 * @throws MR_CONFIG_INVALID
 */
export function brokerSettings(given: Readonly<Record<string, unknown>> = {}): BrokerSettings {
  const { values, faults } = resolveOptions(brokerOptions, { file: given })
  if (faults.length > 0) throw failure('MR_CONFIG_INVALID', { faults })
  return values
}
