import { defineOptions } from '../../config/index.ts'
import { metricsOptions } from '../metrics/index.ts'
import { tracingOptions } from '../tracing/index.ts'

/**
 * Settings of the whole process: configuration file, environment variable and flag come from here, and so does
 * what `millrace config` shows. Settings of single consumers stand in `defineConsumer`.
 */
export const appOptions = defineOptions({
  brokers: {
    type: 'list',
    default: ['localhost:9092'],
    env: 'KAFKA_URL',
    flag: '--brokers',
    about:
      'Where the cluster is: host:port, several separated by commas; kafka:// in front is understood.',
  },
  clientId: {
    type: 'text',
    default: 'millrace',
    env: 'MILLRACE_CLIENT_ID',
    flag: '--client-id',
    about: 'Names this application in the brokers’ logs, and in front of its group ids.',
  },
  createTopics: {
    type: 'flag',
    default: false,
    env: 'MILLRACE_CREATE_TOPICS',
    about: 'Create declared topics that are missing when the worker starts; for development.',
  },
  declared: {
    type: 'text',
    default: 'warn',
    choices: ['off', 'warn', 'require'],
    env: 'MILLRACE_DECLARED',
    about:
      'Compare declared topics with the cluster at start: say what differs, or refuse to start (`require`).',
  },
  strictNames: {
    type: 'flag',
    default: true,
    about: 'Refuse topic names that Kafka’s metrics cannot tell apart (. and _).',
  },
  instanceId: {
    type: 'text',
    env: 'MILLRACE_INSTANCE_ID',
    about:
      'Static membership (KIP-345): a restart within the session is no rebalance. `hostname` takes that.',
  },
  session: {
    type: 'duration',
    default: '45s',
    about: 'A member that is silent for so long has lost its partitions.',
  },
  heartbeat: {
    type: 'duration',
    default: '3s',
    about: 'Between heartbeats; at most a third of the session.',
  },
  'rebalance.drain': {
    type: 'duration',
    default: '30s',
    about: 'Longest wait for running handlers of partitions that move to another member.',
  },
  'fetch.maxBytes': {
    type: 'size',
    default: '10MiB',
    about: 'Most bytes of one answer of a broker.',
  },
  'fetch.perPartition': {
    type: 'size',
    default: '1MiB',
    about: 'Most bytes of one partition in an answer.',
  },
  'fetch.buffered': {
    type: 'size',
    default: '64MiB',
    env: 'MILLRACE_FETCH_BUFFERED',
    about:
      'Bytes fetched but not yet handled, over all partitions of a group. At the limit partitions stop fetching.',
  },
  'fetch.minBytes': {
    type: 'size',
    default: 1,
    about: 'Fewer bytes a broker holds back until `fetch.maxWait` has passed.',
  },
  'fetch.maxWait': {
    type: 'duration',
    default: '500ms',
    about: 'How long a broker may hold a fetch back while it has nothing.',
  },
  'connection.timeout': {
    type: 'duration',
    default: '10s',
    about: 'How long a connection to a broker may take to open.',
  },
  'connection.requestTimeout': {
    type: 'duration',
    default: '30s',
    about:
      'A request that is not answered by then closes its connection, and is made again on another.',
  },
  'connection.reconnect': {
    type: 'duration',
    default: '10s',
    about:
      'Longest wait between attempts to reach a broker that is away; the first waits are shorter.',
  },
  'worker.concurrency': {
    type: 'number',
    default: 8,
    env: 'MILLRACE_CONCURRENCY',
    flag: '--concurrency',
    about:
      'Handler calls at once in the process; keep it within the database pool. Where nobody sets it, it grows to the largest `concurrency` of a consumer.',
  },
  'worker.startTimeout': {
    type: 'duration',
    default: '10s',
    about: 'How long a start waits for its groups before it goes on trying in the background.',
  },
  'worker.shutdownTimeout': {
    type: 'duration',
    default: '60s',
    env: 'MILLRACE_SHUTDOWN_TIMEOUT',
    flag: '--shutdown-timeout',
    about: 'Bound of a graceful stop; past it the worker is terminated with exit code 2.',
  },
  'producer.acks': {
    type: 'text',
    default: 'all',
    choices: ['all', '1', '0'],
    about:
      'Who must have a message before `send` resolves: all in-sync replicas, the leader, nobody.',
  },
  'producer.compression': {
    type: 'text',
    default: 'none',
    choices: ['none', 'gzip', 'snappy', 'lz4', 'zstd'],
    about: 'Codec of what this application sends.',
  },
  'producer.linger': {
    type: 'duration',
    default: '0ms',
    about: 'How long a batch waits for more messages.',
  },
  'producer.buffer': {
    type: 'size',
    default: '32MiB',
    about:
      'Bytes sent and not acknowledged; at the limit `send` waits for `producer.maxBlock`, then fails.',
  },
  'producer.maxBlock': {
    type: 'duration',
    default: '10s',
    about: 'How long `send` may wait for room, or to learn about its topic.',
  },
  'producer.deliveryTimeout': {
    type: 'duration',
    default: '120s',
    about: 'A message has a verdict after this at the latest.',
  },
  'producer.maxMessageBytes': {
    type: 'size',
    default: 1_000_012,
    about:
      'A larger message is refused before it is sent. The default is what every Kafka takes; raise `max.message.bytes` of the topic as well.',
  },
  'producer.ids': {
    type: 'flag',
    default: true,
    about:
      'Give each message the header `millrace-id`, a UUID of version 7, so that consumers recognise a repeat. One that is there stays.',
  },
  'producer.deliveryThreshold': {
    type: 'number',
    default: 100,
    about: 'Background delivery begins at so many messages; 0 switches it off.',
  },
  'producer.deliveryInterval': {
    type: 'duration',
    default: '1s',
    about: 'Background delivery begins so long after the oldest message; 0 switches it off.',
  },
  'producer.queueLimit': {
    type: 'number',
    default: 10_000,
    about: 'Messages of background delivery without a verdict; at the limit `enqueue` throws.',
  },
  'health.port': {
    type: 'number',
    env: 'MILLRACE_HEALTH_PORT',
    flag: '--health-port',
    about:
      'Serves GET /healthz and /readyz there, for probes; 0 takes any free port. Off unless it is set.',
  },
  'health.host': {
    type: 'text',
    default: '127.0.0.1',
    env: 'MILLRACE_HEALTH_HOST',
    flag: '--health-host',
    about:
      'Where the health endpoint listens; 0.0.0.0 for probes from outside, as Kubernetes sends.',
  },
  'health.stalledAfter': {
    type: 'duration',
    default: '5m',
    about:
      'Not live: a partition with messages to handle, held by nothing, that did not move for so long.',
  },
  'health.stuckAfter': {
    type: 'duration',
    default: '5m',
    about: 'A message that fails for so long is an alarm; it is no reason for a restart.',
  },
  'health.lagInterval': {
    type: 'duration',
    default: '30s',
    about:
      'How often the brokers are asked for the lag of the partitions at hand, paused ones too.',
  },
  'patterns.interval': {
    type: 'duration',
    default: '60s',
    about: 'How often topics that match a pattern are looked for; every 5s in development.',
  },
  'swarm.reportEvery': {
    type: 'duration',
    default: '10s',
    about: 'With --processes: how often a child tells its parent how it is.',
  },
  'swarm.lookEvery': {
    type: 'duration',
    default: '30s',
    about: 'With --processes: how often the parent looks at its children.',
  },
  'swarm.silentAfter': {
    type: 'duration',
    default: '60s',
    about: 'With --processes: a child that tells nothing for so long is killed and started again.',
  },
  'swarm.restartAfter': {
    type: 'duration',
    default: '5s',
    about:
      'With --processes: before a child that ended is started again; doubled while it does not last.',
  },
  'swarm.crashLimit': {
    type: 'number',
    default: 5,
    about:
      'With --processes: a message that ended so many processes goes to the dead letter topic, or its partition is blocked.',
  },
  'swarm.memoryLimit': {
    type: 'size',
    env: 'MILLRACE_MEMORY_LIMIT',
    flag: '--memory-limit',
    about: 'With --processes: a child that takes more is stopped in good order and started again.',
  },
  'log.level': {
    type: 'text',
    default: 'info',
    choices: ['debug', 'info', 'warn', 'error', 'silent'],
    env: 'LOG_LEVEL',
    flag: '--log-level',
    about: 'Least level of a log line.',
  },
  'log.file': {
    type: 'text',
    env: 'MILLRACE_LOG_FILE',
    about:
      'Also write log lines there, as JSON; `true` is `log/<NODE_ENV>.log`. A path that cannot be written costs a warning.',
  },
  ...metricsOptions,
  ...tracingOptions,
})
