import type { CronTimes } from './cron.ts'
import type { RunReason } from './options.ts'

/** Where a job stands. Kept in the topic, so that whoever runs it next knows. */
export interface JobState {
  /** Due times up to here are dealt with: run, made up for, or dropped. */
  readonly throughMs: number
  /** The run that was begun and has not ended. */
  readonly running: {
    readonly dueMs: number
    readonly startedAtMs: number
    readonly worker: string
  } | null
  /** The last request by hand that was dealt with. */
  readonly requestId: string | null
}

/** What was asked for by hand, and not yet dealt with. */
export interface RunRequest {
  readonly id: string
}

export interface Situation {
  readonly state: JobState
  readonly times: CronTimes
  readonly missed: 'once' | 'none'
  readonly isEnabled: boolean
  readonly request: RunRequest | undefined
  readonly nowMs: number
}

export type Decision =
  | { readonly kind: 'wait' }
  | { readonly kind: 'run'; readonly reason: RunReason; readonly dueMs: number }
  /** Nothing runs, and due times through here are done with. */
  | { readonly kind: 'drop'; readonly throughMs: number; readonly isKilled: boolean }

/** A due time counts as met when it is seen within this: a tick, and some slack. */
const freshMs = 60_000

/** A job that has never been seen begins now: nothing before its first deploy was missed. */
export function newJob(nowMs: number): JobState {
  return { throughMs: nowMs, running: null, requestId: null }
}

/**
 * What to do about a job that does not run here. A run that is marked as begun was begun by somebody who is gone:
 * there is one owner at a time, and this is he.
 */
export function decide({ state, times, missed, isEnabled, request, nowMs }: Situation): Decision {
  if (request !== undefined && request.id !== state.requestId)
    return { kind: 'run', reason: 'hand', dueMs: nowMs }
  const { running, throughMs } = state
  if (running !== null) {
    if (missed === 'once' && isEnabled)
      return { kind: 'run', reason: 'again', dueMs: running.dueMs }
    return { kind: 'drop', throughMs, isKilled: true }
  }
  const last = times.last(nowMs)
  if (last === undefined || last <= throughMs) return { kind: 'wait' }
  if (!isEnabled) return { kind: 'drop', throughMs: last, isKilled: false }
  if (nowMs - last < freshMs) {
    const isOnly = times.next(throughMs) === last
    return { kind: 'run', reason: isOnly || missed === 'none' ? 'due' : 'missed', dueMs: last }
  }
  if (missed === 'once') return { kind: 'run', reason: 'missed', dueMs: last }
  return { kind: 'drop', throughMs: last, isKilled: false }
}
