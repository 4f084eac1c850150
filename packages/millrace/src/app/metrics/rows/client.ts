import { events } from '../../../telemetry/index.ts'
import { defineMetric, on, type MetricRow } from '../define-metric.ts'

/** Requests, connections, and the group's membership. */
export const clientMetrics: readonly MetricRow[] = [
  defineMetric(
    {
      name: 'client.request',
      type: 'timer',
      about: 'Time until a broker answered a request, by API. Fetch and JoinGroup wait there.',
      labels: ['client', 'broker', 'api'],
    },
    on(events.requestAnswered, ({ durationMs }) => durationMs),
  ),
  defineMetric(
    {
      name: 'client.unreachable',
      type: 'gauge',
      about: '1 while no broker of the cluster can be reached, else 0.',
      labels: ['client', 'cluster'],
    },
    on(events.clusterUnreachable, () => 1),
    on(events.clusterReachable, () => 0),
  ),
  defineMetric(
    {
      name: 'client.connections_opened',
      type: 'counter',
      about: 'Connections to a broker that were made.',
      labels: ['client', 'broker'],
    },
    on(events.connectionOpened),
  ),
  defineMetric(
    {
      name: 'client.connections_closed',
      type: 'counter',
      about: 'Connections to a broker that ended, by either side.',
      labels: ['client', 'broker'],
    },
    on(events.connectionClosed),
  ),
  defineMetric(
    {
      name: 'fetch.latency',
      type: 'timer',
      about: 'Time until a broker answered a fetch; it waits while there is nothing.',
      labels: ['client', 'broker'],
    },
    on(events.fetchReceived, ({ latencyMs }) => latencyMs),
  ),
  defineMetric(
    {
      name: 'fetch.messages',
      type: 'counter',
      about: 'Messages that were fetched.',
      labels: ['client', 'broker'],
    },
    on(events.fetchReceived, ({ messages }) => messages),
  ),
  defineMetric(
    {
      name: 'fetch.received',
      type: 'counter',
      unit: 'bytes',
      about: 'Bytes of record batches that were fetched, compressed as they came.',
      labels: ['client', 'broker'],
    },
    on(events.fetchReceived, ({ bytes }) => bytes),
  ),
  defineMetric(
    {
      name: 'group.join',
      type: 'timer',
      about: 'Time until the coordinator let a member in; it waits for the other members there.',
      labels: ['client', 'group'],
    },
    on(events.groupJoined, ({ durationMs }) => durationMs),
  ),
  defineMetric(
    {
      name: 'group.sync',
      type: 'timer',
      about: 'Time until a member had its assignment, after it was let in.',
      labels: ['client', 'group'],
    },
    on(events.groupSynced, ({ durationMs }) => durationMs),
  ),
  defineMetric(
    {
      name: 'group.leave',
      type: 'timer',
      about: 'Time that a member took to end: last handlers, commits, leaving.',
      labels: ['client', 'group'],
    },
    on(events.groupLeft, ({ durationMs }) => durationMs),
  ),
  defineMetric(
    {
      name: 'group.heartbeat',
      type: 'timer',
      about: 'Time until the coordinator answered a heartbeat.',
      labels: ['client', 'group'],
    },
    on(events.heartbeat, ({ latencyMs }) => latencyMs),
  ),
  defineMetric(
    {
      name: 'group.rebalances',
      type: 'counter',
      about: 'Rebalances that this process took part in.',
      labels: ['client', 'group'],
    },
    on(events.groupJoined),
  ),
  defineMetric(
    {
      name: 'group.lost',
      type: 'counter',
      about: 'Partitions that were gone without having been given back.',
      labels: ['client', 'group'],
    },
    on(events.groupLost, ({ partitions }) => partitions.length),
  ),
  defineMetric(
    {
      name: 'offsets.commit',
      type: 'timer',
      about: 'Time until the coordinator had stored a commit.',
      labels: ['client', 'group'],
    },
    on(events.offsetsCommitted, ({ latencyMs }) => latencyMs),
  ),
  defineMetric(
    {
      name: 'offsets.commit_failed',
      type: 'counter',
      about: 'Commits that were refused or not answered.',
      labels: ['client', 'group'],
    },
    on(events.offsetsCommitFailed),
  ),
  defineMetric(
    {
      name: 'offsets.lost',
      type: 'counter',
      about: 'Messages that retention removed before the group had read them.',
      labels: ['client', 'topic', 'partition'],
    },
    on(events.offsetsLost, ({ count }) => count),
  ),
]
