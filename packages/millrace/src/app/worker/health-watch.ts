import type { Clock } from '../../kit/index.ts'
import type { Clients } from '../clusters/index.ts'
import type { ResolvedConfig } from '../config/resolve-config.ts'
import {
  HealthMonitor,
  LagWatch,
  type HealthSnapshot,
  type JobAge,
  type WorkerHealth,
} from '../health/index.ts'
import type { PartitionOwner } from '../owner/partition-owner.ts'
import type { Runnable } from '../ports.ts'
import type { GroupRunner } from './group-runner.ts'
import type { WorkerState } from './worker.ts'

/** What health is read from. */
export interface WatchedWorker {
  readonly clock: Clock
  readonly resolved: ResolvedConfig
  readonly clients: Clients
  readonly groups: readonly GroupRunner[]
  readonly runnables: readonly Runnable[]
}

interface Now {
  readonly state: WorkerState
  readonly fatal: string | undefined
}

/** The health of one worker. Costs nothing before it is started or first asked. */
export class HealthWatch {
  readonly #parts: WatchedWorker
  readonly #now: () => Now
  readonly #monitor: HealthMonitor
  readonly #lags: LagWatch

  constructor(parts: WatchedWorker, now: () => Now) {
    const { clock, resolved } = parts
    const { options } = resolved
    this.#parts = parts
    this.#now = now
    const rules = {
      stalledAfterMs: options['health.stalledAfter'],
      stuckAfterMs: options['health.stuckAfter'],
      unsteadyAfterMs: 2 * (options['rebalance.drain'] + 30_000),
    }
    this.#monitor = new HealthMonitor(clock, rules, () => this.#snapshot())
    this.#lags = new LagWatch(clock, options['health.lagInterval'], () => this.#asked())
  }

  /** Idempotent. */
  start(): void {
    this.#monitor.start()
    this.#lags.start()
  }

  stop(): void {
    this.#monitor.stop()
    this.#lags.stop()
  }

  /** Undefined until the brokers have answered. */
  brokerLagOf(groupId: string, topic: string, partition: number): number | undefined {
    return this.#lags.lagOf(groupId, topic, partition)
  }

  look(): WorkerHealth {
    this.start()
    return this.#monitor.look()
  }

  #snapshot(): HealthSnapshot {
    const { clients, groups, runnables } = this.#parts
    return {
      ...this.#now(),
      clusters: Array.from(clients.all, ([name, { connections }]) => ({
        name,
        unreachableMs: connections.unreachableMs,
      })),
      groups: groups.map(({ group, groupId, cluster, state }) => ({
        group,
        groupId,
        cluster,
        phase: state,
      })),
      partitions: groups.flatMap((group) =>
        Array.from(group.owners, (owner) => this.#partition(group, owner)),
      ),
      runnables: runnables.map((one) => ({ name: one.name, ...one.health() })),
    }
  }

  #partition(group: GroupRunner, owner: PartitionOwner): HealthSnapshot['partitions'][number] {
    const { plan, topic, source } = owner
    const { failingSinceMs, jobs, lanes } = factsOf(owner)
    return {
      group: plan.group,
      consumer: plan.name,
      topic: topic.name,
      partition: source.partition,
      state: owner.status,
      position: source.position,
      lag: owner.lag,
      brokerLag: this.#lags.lagOf(group.groupId, source.topic, source.partition),
      failingMs: failingSinceMs === undefined ? 0 : this.#parts.clock.now() - failingSinceMs,
      jobs,
      slowAfterMs: plan.slowAfterMs,
      lanes,
    }
  }

  #asked(): ReturnType<ConstructorParameters<typeof LagWatch>[2]> {
    const { clients, groups } = this.#parts
    return groups
      .filter(({ keepsPositions }) => keepsPositions)
      .map(({ group, groupId, cluster, owners }) => ({
        admin: clients.of(cluster).admin,
        partitions: Array.from(owners, ({ source: { topic, partition } }) => ({
          group,
          groupId,
          topic,
          partition,
        })),
      }))
  }
}

interface OwnerFacts {
  readonly failingSinceMs: number | undefined
  readonly jobs: readonly JobAge[]
  readonly lanes: { readonly busy: number; readonly size: number }
}

function factsOf(owner: PartitionOwner): OwnerFacts {
  const { jobs, failing, lanes } = owner.report()
  const { topic, source, plan } = owner
  return {
    failingSinceMs: failing?.sinceMs,
    lanes,
    jobs: jobs.map(({ offset, ageMs }) => ({
      text: `${plan.title} ${topic.name}/${source.partition}:${offset}`,
      ageMs,
    })),
  }
}
