import type { Clock } from '../../kit/index.ts'
import type { Letter } from './letter.ts'

/** Which letters; what is not given chooses all. All that is given must hold. */
export interface LetterChoice {
  readonly partitions?: readonly number[]
  /** Offsets in the dead letter topic, both included. */
  readonly offsets?: { readonly from?: number; readonly to?: number }
  /** When they died, from and before. */
  readonly time?: { readonly from?: Date; readonly before?: Date }
  /** The error's code, or its class where it has none. */
  readonly error?: string
  readonly reason?: 'error' | 'undecodable' | 'expired' | 'handler'
  /** The group that gave them up, as declared. */
  readonly group?: string
  /** As text. */
  readonly key?: string
  /** Headers and their values as text. */
  readonly headers?: Readonly<Record<string, string>>
}

export interface RedriveOptions {
  /** The dead letter topic. */
  readonly from: string
  /** Default: the topic that each letter came from. */
  readonly to?: string
  readonly where?: LetterChoice
  /** Consumers of other groups finish the copies unseen. Default true. */
  readonly onlyGroup?: boolean
  /** Most messages a second. Default as fast as it goes. */
  readonly rate?: number
  /** Reads and counts, sends nothing and records nothing. Default false. */
  readonly dryRun?: boolean
  /**
   * Progress is kept under this name: a job that was cancelled or killed goes on where it stood, and one that has ended takes
   * only what has come since. Default: made from everything above but `rate`, so that another choice is another job.
   */
  readonly job?: string
  /** Forgets the progress of an earlier run. Default false. */
  readonly again?: boolean
  /** Cancels after the batch at hand; the job can go on later. */
  readonly signal?: AbortSignal
  /** After each batch. */
  readonly onProgress?: (progress: RedriveProgress) => void
  readonly clock?: Clock
}

export interface RedriveProgress {
  readonly read: number
  readonly chosen: number
  readonly sent: number
}

export interface RedriveReport extends RedriveProgress {
  /** The group whose committed offsets are the progress. */
  readonly job: string
  readonly from: string
  readonly isDryRun: boolean
  /** False: cancelled. */
  readonly isComplete: boolean
  /** Chosen, but nobody knows where they came from; say `to`. They stay where they are. */
  readonly withoutTarget: number
  /** Of the chosen ones, the most frequent first. */
  readonly byError: readonly { readonly error: string; readonly count: number }[]
  readonly byTarget: readonly { readonly topic: string; readonly count: number }[]
  readonly byGroup: readonly { readonly group: string; readonly count: number }[]
  /** The first ten of them. */
  readonly sample: readonly Letter[]
  /** For the person who decides. */
  readonly notes: readonly string[]
}
