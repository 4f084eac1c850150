import type { Readings } from '../metrics/index.ts'
import type { ConsumerPlan } from '../consumer/plan.ts'
import type { GroupRunner } from './group-runner.ts'
import type { HealthWatch } from './health-watch.ts'

/** What metrics read of a worker when somebody asks: its partitions, and its background delivery. */
export function workerReadings(
  clientId: string,
  plans: readonly ConsumerPlan[],
  groups: readonly GroupRunner[],
  producer: { readonly queued: number },
  health: HealthWatch,
): Readings {
  const nameByTitle = new Map(plans.map(({ title, name }) => [title, name]))
  return {
    nameOf: (title) => nameByTitle.get(title),
    process: () => ({ clientId, queued: producer.queued }),
    *partitions() {
      for (const group of groups)
        for (const { plan, topic, source, lag, timeLagMs, status } of group.owners)
          yield {
            clientId,
            groupId: plan.groupId,
            consumer: plan.name,
            topic: topic.name,
            partition: source.partition,
            lag,
            timeLagMs,
            brokerLag: health.brokerLagOf(plan.groupId, source.topic, source.partition),
            position: source.position,
            state: status.kind,
          }
    },
  }
}
