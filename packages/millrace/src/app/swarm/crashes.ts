/**
 * Messages that kill their process, one after the other: counted by the parent, set aside by the child.
 *
 * After an abrupt end the next process runs one handler at a time and notes, in a file and at once, which message it is
 * about to handle: what stands there when it ends abruptly as well is what killed it. So a process that does not crash
 * pays nothing, and the first end of a message is not counted. Handlers of batches are not watched: which of their
 * messages it was, nobody can tell.
 */
import { closeSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs'

import { failure } from '../../errors/index.ts'
import { events } from '../../telemetry/index.ts'
import type { ResolvedConfig } from '../config/resolve-config.ts'
import type { ConsumerPlan } from '../consumer/plan.ts'
import type { Job } from '../middleware/middleware.ts'
import type { ChildEnd } from './child.ts'

export interface CrashPlace {
  readonly group: string
  /** As declared. */
  readonly topic: string
  readonly partition: number
  readonly offset: number
}

/** A message that has ended so many processes, not counting the first. */
export interface Killer extends CrashPlace {
  readonly crashes: number
}

/** Not asked for, and not by the worker's own will: 0, 1, 2 and 3 are said by a worker that knows what it does. */
export function isAbrupt({ code, signal }: ChildEnd): boolean {
  return signal !== null || (code !== null && code > 3)
}

/** Keeps the count of each message over the processes of one child. */
export class CrashCounts {
  readonly #limit: number
  readonly #counts = new Map<string, Killer>()

  constructor(limit: number) {
    this.#limit = limit
  }

  /** What was running when a watched process ended abruptly. */
  add(place: CrashPlace): void {
    const key = keyOf(place)
    this.#counts.set(key, { ...place, crashes: (this.#counts.get(key)?.crashes ?? 0) + 1 })
  }

  /** The ones that have reached the limit. */
  get killers(): readonly Killer[] {
    return [...this.#counts.values()].filter(({ crashes }) => crashes >= this.#limit)
  }

  clear(): void {
    this.#counts.clear()
  }
}

/** What a watched process noted last, and the end of the note. */
export function takeNote(path: string): CrashPlace | undefined {
  try {
    const text = readFileSync(path, 'utf8')
    rmSync(path, { force: true })
    const place = JSON.parse(text.slice(0, text.indexOf('\n'))) as CrashPlace | null
    return place ?? undefined
  } catch {
    // None was written, or it was cut short.
    return undefined
  }
}

/** In the child: notes each single message that a handler is called for. Returns what ends it. */
export function noteRunning(path: string): () => void {
  const file = openSync(path, 'w', 0o600)
  const write = (place: CrashPlace | null): void => {
    // Written before the handler runs, and in the system's hands at once: the process may be gone in a moment.
    writeSync(file, `${JSON.stringify(place)}\n`, 0)
  }
  const ends = [
    events.jobStarted.subscribe(({ group, topic, partition, offset, messages }) => {
      if (messages === 1) write({ group, topic, partition, offset })
    }),
    events.jobFinished.subscribe(() => write(null)),
  ]
  return () => {
    for (const end of ends) end()
    closeSync(file)
    rmSync(path, { force: true })
  }
}

/** Consumers that hand these messages to nobody: to the dead letter topic, or the partition is blocked. */
export function withoutKillers(
  resolved: ResolvedConfig,
  killers: readonly Killer[],
): ResolvedConfig {
  if (killers.length === 0) return resolved
  const byKey = new Map(killers.map((killer) => [keyOf(killer), killer]))
  const plans = resolved.plans.map((plan): ConsumerPlan => {
    if (!killers.some(({ group }) => group === plan.group)) return plan
    const { retry, wrap } = plan
    return {
      ...plan,
      retry: { ...retry, nonRetryable: [...retry.nonRetryable, 'MR_WORKER_KILLED'] },
      wrap: (handler) => {
        const inner = wrap(handler)
        return (job) => {
          const killer = byKey.get(keyOf(placeOf(job, plan.group)))
          if (killer === undefined || job.messages.length > 1) return inner(job)
          throw failure('MR_WORKER_KILLED', killer)
        }
      },
    }
  })
  return { ...resolved, plans }
}

function placeOf({ topic, partition, messages }: Job, group: string): CrashPlace {
  return { group, topic, partition, offset: messages[0]?.offset ?? -1 }
}

function keyOf({ group, topic, partition, offset }: CrashPlace): string {
  return `${group} ${topic}/${partition}@${offset}`
}
