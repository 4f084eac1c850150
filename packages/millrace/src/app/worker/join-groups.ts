import { isFailure } from '../../errors/index.ts'
import { sleep, type Clock } from '../../kit/index.ts'
import { events } from '../../telemetry/index.ts'
import { mainCluster, type Clients } from '../clusters/index.ts'
import type { ResolvedConfig } from '../config/resolve-config.ts'
import type { ConsumerPlan } from '../consumer/plan.ts'
import { checkDeclared } from './check-declared.ts'
import { createDeclaredTopics } from './create-topics.ts'
import { GroupRunner, type WorkerEnvironment } from './group-runner.ts'

/** A group is a member in each cluster that its topics are in; what leaves by being written stays in that cluster. */
export function groupRunners(
  resolved: ResolvedConfig,
  environment: WorkerEnvironment,
  onFatal: (error: unknown) => void,
): readonly GroupRunner[] {
  // Each that takes its partitions itself stands alone: it shares nothing with others of its group.
  const memberOf = (plan: ConsumerPlan): string =>
    plan.assignment === undefined ? `group ${plan.group}` : `consumer ${plan.name}`
  return [...Map.groupBy(resolved.plans, memberOf).values()].flatMap((plans) => {
    const topics = plans.flatMap((plan) => plan.topics)
    const clusters = new Set(topics.map((topic) => resolved.clusterOf(topic)))
    return Array.from(clusters, (cluster) => {
      const { sendLetter: send } = environment
      const env: WorkerEnvironment =
        cluster === mainCluster
          ? environment
          : { ...environment, sendLetter: (letter) => send({ ...letter, cluster }) }
      return new GroupRunner(plans, resolved, env, onFatal, cluster)
    })
  })
}

/** Waits for the groups, but not for ever: with the brokers away they go on in the background. */
export async function joinAll(
  groups: readonly GroupRunner[],
  resolved: ResolvedConfig,
  around: {
    readonly clients: Clients
    readonly clock: Clock
    readonly isDevelopment: boolean
    readonly fail: (error: unknown) => void
  },
): Promise<void> {
  const { clients, clock, isDevelopment, fail } = around
  const timeoutMs = resolved.options['worker.startTimeout']
  const join = async (): Promise<void> => {
    if (isDevelopment) await createTopics(clients, resolved)
    if (resolved.options.declared === 'require')
      await untilReachable(() => checkDeclared(clients, resolved))
    await Promise.all(groups.map((group) => group.join(clients.of(group.cluster))))
  }
  const limit = new AbortController()
  // One that is told to stop meanwhile has ended with its groups: no failure of the start.
  const joined = join().catch((error: unknown) => {
    if (!isFailure(error, 'MR_GROUP_CLOSED', 'MR_CLIENT_CLOSED')) throw error
  })
  try {
    await Promise.race([joined, sleep(clock, timeoutMs, limit.signal)])
  } finally {
    limit.abort(new Error('joined'))
  }
  // A group that cannot be joined ends the worker, early or late.
  joined.catch(fail)
}

/** Tries for as long as the brokers are away. */
async function untilReachable(work: () => Promise<void>): Promise<void> {
  for (;;) {
    try {
      await work()
      return
    } catch (error) {
      if (!isFailure(error) || !error.retriable || isFailure(error, 'MR_CLIENT_CLOSED')) throw error
    }
  }
}

/** Tries for as long as the brokers are away: a group that came first would let the broker create topics as it likes. */
async function createTopics(clients: Clients, resolved: ResolvedConfig): Promise<void> {
  for (;;) {
    try {
      for (const [cluster, { admin }] of clients.all)
        await createDeclaredTopics(admin, resolved, { timeoutMs: 30_000, cluster })
      return
    } catch (error) {
      if (isFailure(error, 'MR_CLIENT_CLOSED')) throw error
      if (isFailure(error) && error.retriable) continue
      // Refused, as where this application may not create topics; its groups find them when somebody has.
      events.error.publish({ type: 'topics', error })
      return
    }
  }
}
