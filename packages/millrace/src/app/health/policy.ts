import { formatDuration } from '../../kit/index.ts'
import type { HealthFacts, PartitionFacts } from './facts.ts'

export interface HealthRules {
  /** A partition with lag that nothing holds must move within this. */
  readonly stalledAfterMs: number
  /** Twice what a rebalance may take: longer, and it has hung. */
  readonly unsteadyAfterMs: number
  /** An offset that fails for so long is listed as stuck. */
  readonly stuckAfterMs: number
}

export interface HealthVerdict {
  readonly isLive: boolean
  readonly isReady: boolean
  /** Why a restart would help. */
  readonly notLive: readonly string[]
  /** Why no work is expected of it now. */
  readonly notReady: readonly string[]
  /** For people: neither a restart nor waiting cures these. */
  readonly alarms: readonly string[]
}

/**
 * Live: a restart would cure nothing. Ready: it does its work now.
 *
 * Brokers that are away are a matter of readiness, since no restart brings them back; partitions that retry, are stuck
 * or blocked are an alarm, since a restart would meet the same message; lag is neither.
 */
export function judgeHealth(facts: HealthFacts, rules: HealthRules): HealthVerdict {
  const notLive = [
    ...(facts.fatal === undefined ? [] : [`the worker ends: ${facts.fatal}`]),
    ...facts.partitions.flatMap((one) => notLiveOf(one, rules)),
    ...facts.groups
      .filter(({ unsteadyMs }) => unsteadyMs > rules.unsteadyAfterMs)
      .map(
        ({ group, phase, unsteadyMs }) =>
          `the group ${group} has been ${phase} for ${formatDuration(unsteadyMs)}`,
      ),
    ...facts.runnables
      .filter(({ isLive }) => !isLive)
      .map(({ name, reasons }) => because(name, reasons)),
  ]
  const notReady = [
    ...(facts.state === 'running' ? [] : [`the worker is ${facts.state}`]),
    ...facts.clusters.flatMap(({ name, unreachableMs }) =>
      unreachableMs === undefined
        ? []
        : [`the cluster ${name} has been unreachable for ${formatDuration(unreachableMs)}`],
    ),
    ...facts.groups
      .filter(({ phase }) => phase !== 'steady' && phase !== 'assigned')
      .map(({ group, phase }) => `the group ${group} is ${phase}`),
    ...facts.runnables
      .filter(({ isReady }) => !isReady)
      .map(({ name, reasons }) => because(name, reasons)),
  ]
  const alarms = facts.partitions.flatMap((one) => alarmsOf(one, rules))
  return {
    isLive: notLive.length === 0,
    isReady: notReady.length === 0,
    notLive,
    notReady,
    alarms,
  }
}

function notLiveOf(facts: PartitionFacts, { stalledAfterMs }: HealthRules): string[] {
  const reasons: string[] = []
  const { topic, partition, state, lag, idleMs, slowAfterMs } = facts
  // One that runs or is held has a reason to stand still; one that drains is on its way out.
  const shouldMove = state.kind === 'waiting' || state.kind === 'assigned'
  if (shouldMove && lag > 0 && idleMs > stalledAfterMs)
    reasons.push(
      `${topic}/${partition} has ${lag} messages to handle and did not move for ${formatDuration(idleMs)}`,
    )
  for (const { text, ageMs } of facts.jobs)
    if (slowAfterMs !== undefined && ageMs > slowAfterMs)
      reasons.push(`${text} has been running for ${formatDuration(ageMs)}`)
  return reasons
}

function alarmsOf(
  { topic, partition, state, failingMs }: PartitionFacts,
  { stuckAfterMs }: HealthRules,
): string[] {
  if (state.kind === 'blocked') return [`${topic}/${partition} is blocked: ${state.code}`]
  if (failingMs > stuckAfterMs)
    return [
      `${topic}/${partition} is stuck: its next message has failed for ${formatDuration(failingMs)}`,
    ]
  return []
}

function because(name: string, reasons: readonly string[]): string {
  return reasons.length === 0 ? name : `${name}: ${reasons.join('; ')}`
}
