import { errorOf, type LetterChoice } from '../../app/index.ts'
import type { Cluster } from '../cluster.ts'
import { readLetters } from './read-letters.ts'

export interface LetterCount {
  readonly topic: string
  readonly group: string
  readonly error: string
  readonly reason: string
  readonly count: number
  /** Of them, how many came back from a redrive at least once. */
  readonly redriven: number
  readonly oldestMs: number
  readonly newestMs: number
}

/** Letters by topic, group, error and reason; the most frequent of a topic first. */
export async function countLetters(
  cluster: Cluster,
  topics: readonly string[],
  choice: LetterChoice,
  signal: AbortSignal,
): Promise<readonly LetterCount[]> {
  const counts: LetterCount[] = []
  for (const topic of topics) {
    const ofTopic = new Map<string, LetterCount>()
    for await (const { letter } of readLetters(cluster, topic, choice, signal)) {
      const { group = '-', reason = '-', timestamp } = letter
      const error = errorOf(letter)
      const name = JSON.stringify([group, error, reason])
      const known = ofTopic.get(name)
      ofTopic.set(name, {
        topic,
        group,
        error,
        reason,
        count: (known?.count ?? 0) + 1,
        redriven: (known?.redriven ?? 0) + (letter.redrives > 0 ? 1 : 0),
        oldestMs: Math.min(known?.oldestMs ?? Infinity, timestamp),
        newestMs: Math.max(known?.newestMs ?? -Infinity, timestamp),
      })
    }
    counts.push(...[...ofTopic.values()].toSorted((left, right) => right.count - left.count))
  }
  return counts
}
