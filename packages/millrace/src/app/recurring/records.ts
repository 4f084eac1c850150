import { text, json } from '../topic/codec.ts'
import { defineTopic, type Topic } from '../topic/define-topic.ts'
import { scheduleOf, type RecurringJob, type RecurringSchedule, type RunReason } from './options.ts'
import type { JobState } from './policy.ts'

/** What lies in the topic of recurring jobs under the name of a job: its newest state. */
export type StateRecord = JobState & {
  readonly cron: string
  readonly timeZone: string
  readonly version: number
}

/** Under `enabled/NAME`. */
export interface EnabledRecord {
  readonly isEnabled: boolean
}

/** Under `request/NAME`. */
export interface RequestRecord {
  readonly id: string
}

/** One line of the run log. */
export interface RunRecord {
  readonly job: string
  readonly reason: RunReason
  /** `killed`: its worker is gone; it was not made up for. `dropped`: due times that nobody was there for. */
  readonly result: 'done' | 'failed' | 'killed' | 'dropped'
  readonly dueAt: string
  readonly startedAt: string | null
  readonly durationMs: number | null
  readonly worker: string
  readonly error: string | null
}

export interface RecurringTopics {
  /** One partition: its owner runs the jobs. Compacted. */
  readonly jobs: Topic
  readonly log: Topic
}

/** The topics of an app's recurring jobs, by its client id. */
export function recurringTopics(clientId: string): RecurringTopics {
  const prefix = clientId.replaceAll(/[^A-Za-z0-9._-]/g, '-')
  const options = { key: text(), value: json(), partitions: 1 }
  return {
    jobs: defineTopic(`${prefix}-recurring`, { ...options, compaction: true }),
    log: defineTopic(`${prefix}-recurring-log`, {
      ...options,
      retention: '30d',
    }),
  }
}

/** The topics that an app's recurring jobs need; none when it has no jobs. */
export function topicsOfRecurring(
  declared: readonly RecurringJob[] | RecurringSchedule | undefined,
  clientId: string,
): readonly Topic[] {
  if (scheduleOf(declared).jobs.length === 0) return []
  const { jobs, log } = recurringTopics(clientId)
  return [jobs, log]
}

export const recurringGroup = 'recurring'

/** Everything that the topic says, folded; the newest record of a key counts. */
export class RecurringRecords {
  readonly states = new Map<string, StateRecord>()
  readonly #enabled = new Map<string, boolean>()
  readonly #requests = new Map<string, RequestRecord>()

  /** Ignores what it cannot read: a newer version may have written it. */
  add(key: Buffer | null, value: Buffer | null): void {
    const [kind, name] = (key?.toString() ?? '').split('/', 2)
    if (name === undefined || name === '') return
    const record = recordOf(value)
    if (record === undefined) return
    if (kind === 'state') this.states.set(name, record as StateRecord)
    if (kind === 'enabled') this.#enabled.set(name, (record as EnabledRecord).isEnabled)
    if (kind === 'request') this.#requests.set(name, record as RequestRecord)
  }

  isEnabled(name: string): boolean {
    return this.#enabled.get(name) ?? true
  }

  request(name: string): RequestRecord | undefined {
    return this.#requests.get(name)
  }

  get names(): readonly string[] {
    return [...new Set([...this.states.keys(), ...this.#enabled.keys()])].toSorted()
  }
}

function recordOf(value: Buffer | null): object | undefined {
  if (value === null) return undefined
  try {
    const parsed = JSON.parse(value.toString()) as unknown
    return typeof parsed === 'object' && parsed !== null ? parsed : undefined
  } catch {
    return undefined
  }
}
