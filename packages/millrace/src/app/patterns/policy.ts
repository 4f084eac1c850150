import type { ConsumerPlan } from '../consumer/plan.ts'
import type { Topic } from '../topic/define-topic.ts'
import type { TopicMatch } from './pattern.ts'

export interface FoundTopic {
  /** As declared: without what the mapper of names adds. */
  readonly name: string
  readonly isInternal: boolean
}

export interface Route {
  readonly plan: ConsumerPlan
  readonly source: Topic
  readonly name: string
  readonly match: TopicMatch
}

/**
 * The topics that patterns take: each one once, the first pattern in the order of the consumers. Left out are topics of
 * Kafka itself, those that the group reads by name, and what these consumers write their failures to.
 */
export function matchTopics(
  patterns: readonly { readonly plan: ConsumerPlan; readonly topic: Topic }[],
  found: readonly FoundTopic[],
  readByName: ReadonlySet<string>,
): readonly Route[] {
  const routes: Route[] = []
  for (const { name, isInternal } of found) {
    if (isInternal || readByName.has(name)) continue
    for (const { plan, topic } of patterns) {
      const match = matchOf(topic, name)
      if (match === null) continue
      routes.push({ plan, source: topic, name, match })
      break
    }
  }
  const matched = new Set(routes.map(({ name }) => name))
  return routes.filter(({ name, plan }) => !isOwnOutput(name, plan, matched))
}

function matchOf({ pattern }: Topic, name: string): TopicMatch | null {
  if (pattern === undefined) return null
  // A regular expression with g or y remembers where it stood.
  pattern.lastIndex = 0
  return pattern.exec(name)
}

/** `audit.error-dlt` beside `audit.error`: what failed must not come back by way of the pattern. */
function isOwnOutput(name: string, plan: ConsumerPlan, matched: ReadonlySet<string>): boolean {
  for (const source of matched) {
    if (source === name) continue
    if (plan.deadLetter !== undefined && name === `${source}-dlt`) return true
    if (name.startsWith(`${source}-retry-`)) return true
  }
  return plan.deadLetter?.declared.some(({ topic }) => topic === name) === true
}
