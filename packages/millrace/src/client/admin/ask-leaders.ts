import type { ClientCore } from '../client-core.ts'
import {
  answerOf,
  askByNode,
  askEach,
  lookUpMs,
  type AdminOptions,
  type Answer,
  type Outcome,
} from './ask-each.ts'

export interface TopicPartition {
  readonly topic: string
  readonly partition: number
}

/** As `askEach`, with each item sent to the leader of its partition; leaders that have moved are looked up again. */
export async function askLeaders<I extends TopicPartition, R>(
  core: ClientCore,
  what: string,
  items: readonly I[],
  options: AdminOptions,
  ask: (leader: number, part: readonly I[], signal: AbortSignal) => Promise<readonly Answer<R>[]>,
): Promise<readonly Outcome<R>[]> {
  const stale = new Set<string>()
  return askEach<I, R>(core, what, items, options, async (open, signal) => {
    if (stale.size > 0) {
      await core.metadata.refresh([...stale], { signal, reason: 'leaders have moved' })
      stale.clear()
    }
    return askByNode(
      open,
      await leadersOf(core, open, signal),
      async (leader, part) => {
        const answers = await ask(leader, part, signal)
        for (const [index, answer] of answers.entries())
          if ('error' in answer && answer.isPassing === true) stale.add(part[index]!.topic)
        return answers
      },
      (part) => part.forEach(({ topic }) => stale.add(topic)),
    )
  })
}

async function leadersOf(
  core: ClientCore,
  items: readonly TopicPartition[],
  signal: AbortSignal,
): Promise<readonly (number | Answer<never>)[]> {
  return Promise.all(
    items.map(async ({ topic, partition }) => {
      const known = core.metadata.leaderOf(topic, partition)
      if (known !== undefined) return known
      try {
        return await core.metadata.leader(topic, partition, { signal, timeoutMs: lookUpMs(core) })
      } catch (error) {
        signal.throwIfAborted()
        return answerOf(error)
      }
    }),
  )
}
