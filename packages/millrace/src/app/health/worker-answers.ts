import { formatDuration } from '../../kit/index.ts'
import type { PartitionRow } from '../control/index.ts'
import type { PartitionFacts } from './facts.ts'
import type { WorkerHealth } from './health-monitor.ts'
import type { HealthAnswer } from './health-server.ts'

/** `/healthz`: whether a restart would help. */
export function liveAnswer(health: WorkerHealth): HealthAnswer {
  return { isOk: health.isLive, body: { ...head(health.isLive, health.notLive), ...rest(health) } }
}

/** `/readyz`: whether it does its work now. */
export function readyAnswer(health: WorkerHealth): HealthAnswer {
  return {
    isOk: health.isReady,
    body: { ...head(health.isReady, health.notReady), ...rest(health) },
  }
}

function head(isOk: boolean, reasons: readonly string[]): object {
  return { status: isOk ? 'ok' : 'failing', reasons }
}

function rest({ alarms, state, clusters, groups, partitions, runnables }: WorkerHealth): object {
  return {
    alarms,
    state,
    clusters: clusters.map(({ name, unreachableMs }) => ({
      name,
      isReachable: unreachableMs === undefined,
    })),
    groups: groups.map(({ group, groupId, cluster, phase }) => ({
      group,
      groupId,
      cluster,
      state: phase,
    })),
    partitions: partitions.map(partitionRow),
    runnables,
  }
}

/** A partition in JSON: for the endpoint, the control socket and the dump. */
export function partitionRow(facts: PartitionFacts): PartitionRow {
  const { group, consumer, topic, partition, state, position, lag, brokerLag, failingMs } = facts
  return {
    group,
    consumer,
    topic,
    partition,
    state: state.kind,
    ...(state.kind === 'paused' ? { reason: state.reason } : {}),
    ...(state.kind === 'blocked' ? { reason: state.code } : {}),
    position,
    lag,
    ...(brokerLag === undefined ? {} : { brokerLag }),
    ...(failingMs > 0 ? { failingFor: formatDuration(failingMs) } : {}),
    ...(facts.lanes.size > 1 ? { lanes: facts.lanes } : {}),
    jobs: facts.jobs.map(({ text, ageMs }) => `${text} for ${formatDuration(ageMs)}`),
  }
}
