import type { AssignedPartitions } from '../../client/index.ts'
import { nearest } from '../../kit/index.ts'
import type { ConsumerPlan } from '../consumer/plan.ts'
import type { Topic } from '../topic/define-topic.ts'
import type { AssignedTopic, AssignmentPlan, AssignmentSettings } from './options.ts'

/** Undefined for a consumer that joins its group. */
export function planAssignment(
  { assign, positions }: AssignmentSettings,
  around: {
    readonly topics: readonly Topic[]
    readonly group: string
    readonly groupId: (group: string) => string
  },
): AssignmentPlan | undefined {
  if (assign === undefined) return undefined
  return {
    partitionsByTopic: new Map(around.topics.map(({ name }) => [name, assign])),
    groupId: positions === 'none' ? undefined : around.groupId(positions ?? around.group),
  }
}

/** The consumers of the named topics, with those partitions and no others: `--assign orders:0,1`. */
export function assignPlans(
  plans: readonly ConsumerPlan[],
  assigned: readonly AssignedTopic[],
): { readonly plans: readonly ConsumerPlan[]; readonly faults: readonly string[] } {
  const faults: string[] = []
  const names = plans.flatMap((plan) => plan.topics.map(({ name }) => name))
  const partitionsByTopic = new Map<string, AssignedPartitions>()
  for (const { topic, partitions } of assigned) {
    if (partitionsByTopic.has(topic)) faults.push(`assign: ${topic} is named twice`)
    partitionsByTopic.set(topic, partitions)
    if (names.includes(topic)) continue
    const near = nearest(topic, names)
    faults.push(
      `assign: no consumer here reads ${topic}${near === undefined ? '' : `; did you mean ${near}?`}`,
    )
  }
  const chosen = plans.flatMap((plan): readonly ConsumerPlan[] => {
    const own = plan.topics.filter(({ name }) => partitionsByTopic.has(name))
    if (own.length === 0) return []
    // Its retry topics have as many partitions as their sources, and go with them.
    const behind = plan.topics.filter(({ name }) => plan.retryTopics?.isRetryTopic(name) === true)
    const all = [...own, ...behind.filter((topic) => !own.includes(topic))]
    const first = partitionsByTopic.get(own[0]?.name ?? '') ?? 'all'
    const assignment: AssignmentPlan = {
      partitionsByTopic: new Map(
        all.map(({ name }) => [name, partitionsByTopic.get(name) ?? first]),
      ),
      groupId: plan.assignment === undefined ? plan.groupId : plan.assignment.groupId,
    }
    return [{ ...plan, topics: all, assignment }]
  })
  return { plans: chosen, faults }
}

/** A group either spreads partitions or has them assigned: commits of both would be refused to one. */
export function mixedGroupFaults(plans: readonly ConsumerPlan[]): string[] {
  const joining = new Map(
    plans.filter((one) => one.assignment === undefined).map((one) => [one.groupId, one.name]),
  )
  return plans.flatMap(({ name, assignment }) => {
    const other = assignment?.groupId === undefined ? undefined : joining.get(assignment.groupId)
    return other === undefined
      ? []
      : [
          `consumers.${name}.assign: its positions are kept in a group that ${other} joins, which refuses them; say positions`,
        ]
  })
}
