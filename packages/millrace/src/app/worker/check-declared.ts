import { failure, isFailure } from '../../errors/index.ts'
import { events } from '../../telemetry/index.ts'
import type { Clients } from '../clusters/index.ts'
import type { ResolvedConfig } from '../config/resolve-config.ts'
import { compareTopics, findTopics, wantedTopics, type TopicDifference } from '../declared/index.ts'

/**
 * Compares what is declared with what the clusters have, as the setting `declared` says: `warn` tells of it, `require`
 * refuses to start, `off` does not look.
 *
 * @throws MR_TOPICS_DIFFER with `require`; what the admin calls throw
 */
export async function checkDeclared(clients: Clients, resolved: ResolvedConfig): Promise<void> {
  const mode = resolved.options.declared
  if (mode === 'off') return
  const differences = await differencesOf(clients, resolved)
  if (differences.length === 0) return
  if (mode === 'require') throw failure('MR_TOPICS_DIFFER', { differences })
  events.topicsDiffer.publish({ differences })
}

/** In the background: a start waits for nothing that it does not need. */
export async function warnOfDeclared(clients: Clients, resolved: ResolvedConfig): Promise<void> {
  try {
    await checkDeclared(clients, resolved)
  } catch (error) {
    // Closed meanwhile, away, or not ours to look at: nothing is known then, and nothing is said.
    if (!isFailure(error, 'MR_CLIENT_CLOSED')) events.topicsUnchecked.publish({ error })
  }
}

async function differencesOf(
  clients: Clients,
  resolved: ResolvedConfig,
): Promise<readonly string[]> {
  const texts: string[] = []
  for (const [cluster, wanted] of Map.groupBy(wantedTopics(resolved), (one) => one.cluster)) {
    const found = await findTopics(clients.of(cluster).admin, wanted)
    texts.push(...compareTopics(wanted, found).map(differenceText))
  }
  return texts
}

function differenceText(difference: TopicDifference): string {
  const { topic } = difference
  switch (difference.kind) {
    case 'missing':
      return `${topic} is missing`
    case 'partitions':
    case 'fewer-partitions':
      return `${topic} has ${difference.before} partitions, declared are ${difference.after}`
    case 'replicas':
      return `${topic} has ${difference.before} replicas, declared are ${difference.after}`
    case 'setting':
      return `${topic} has ${difference.setting}=${difference.before}, declared is ${difference.after}`
  }
}
