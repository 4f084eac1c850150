import { failure, isFailure } from '../../errors/index.ts'
import { sleep, systemClock } from '../../kit/index.ts'
import { openCluster, type Cluster } from '../cluster.ts'
import { defineCommand } from '../command.ts'
import { conditionsOf, type WaitCondition } from '../wait-conditions.ts'

export const wait = defineCommand({
  arguments: {},
  options: {
    broker: { type: 'flag', about: 'a broker answers' },
    topic: { type: 'list', about: 'this topic is there; may be repeated' },
    group: { type: 'list', about: 'this group is there; may be repeated' },
    state: {
      type: 'text',
      choices: ['stable', 'empty'],
      about: 'and the groups are in this state',
    },
    lag: { type: 'number', about: 'and no partition of theirs is further behind, as 0' },
    timeout: { type: 'duration', default: '60s', about: 'then it has failed' },
    interval: { type: 'duration', default: '500ms', about: 'between two looks' },
  },
  examples: [
    'millrace wait --broker --topic orders --timeout 30s',
    'millrace wait --group billing --state empty --topic orders',
  ],

  async run(input, { print, env, folder, globals, signal }) {
    const conditions = conditionsOf(input)
    if (conditions.length === 0)
      throw failure('MR_CLI_USAGE', { reason: 'name what to wait for: --broker, --topic, --group' })
    const deadlineMs = systemClock.monotonicMs() + input.timeout
    const seen = new Set<WaitCondition>()
    let open = conditions
    let cluster: Cluster | undefined
    try {
      for (;;) {
        try {
          cluster ??= await openCluster({ ...globals, env, folder }, signal)
          // All of them at one look: what held a minute ago may not hold now.
          const held = await Promise.all(conditions.map(({ holds }) => holds(cluster!)))
          open = conditions.filter((_, index) => held[index] !== true)
        } catch (error) {
          // A cluster that does not answer yet is what this is for.
          signal.throwIfAborted()
          if (!isFailure(error) || !error.retriable) throw error
          open = conditions
        }
        for (const condition of conditions) {
          if (open.includes(condition) || seen.has(condition)) continue
          seen.add(condition)
          await print.row({ condition: condition.what }, () => condition.what)
        }
        if (open.length === 0) return
        if (systemClock.monotonicMs() + input.interval > deadlineMs) break
        await sleep(systemClock, input.interval, signal)
      }
    } finally {
      await cluster?.close()
    }
    const still = open.map(({ what }) => what)
    throw failure('MR_CLI_WAIT_TIMEOUT', { open: still, timeoutMs: input.timeout })
  },
})
