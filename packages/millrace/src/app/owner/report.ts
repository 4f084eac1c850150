import type { Failing } from './attempts.ts'
import type { Hold } from './holds.ts'

export type OwnerState =
  | { readonly kind: 'assigned' | 'waiting' | 'running' | 'draining' | 'gone' }
  | Hold

/** One handler call that runs. */
export interface RunningJob {
  readonly offset: number
  readonly messages: number
  /** From 1. */
  readonly attempt: number
  /** Epoch milliseconds. */
  readonly startedAtMs: number
  readonly ageMs: number
}

/** What is known of a partition at a moment, for status and health. */
export interface OwnerReport {
  readonly state: OwnerState
  readonly lanes: { readonly busy: number; readonly size: number }
  readonly jobs: readonly RunningJob[]
  /** When its loop last had a turn, epoch milliseconds: of a live partition that is held by nothing, not long ago. */
  readonly lastPollAtMs: number
  /** The offset that has been failing for longest. */
  readonly failing: Failing | undefined
  /** The same, once that is more than five minutes. */
  readonly stuck: Failing | undefined
}
