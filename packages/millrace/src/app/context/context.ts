import type { Duration } from '../../kit/index.ts'
import type { Message } from '../message/message.ts'
import type { Logger } from '../ports.ts'
import type { Send } from '../produce/sendable.ts'

/** Where a seek may go: an offset, a time, an age such as `'-1h'`, an end. */
export type SeekTo = number | Date | 'earliest' | 'latest' | `-${string}`

/** The messages that a responder sent, by topic, as written. */
export type Responses = Readonly<
  Record<string, readonly (readonly [string | Buffer | null, { readonly topic: string }])[]>
>

/**
 * What a handler may know and do besides its message. All members may be taken apart; `signal`, `stopping`,
 * `owned`, `attempt` and `lag` tell the state at the moment they are read.
 */
export interface Context<State = Record<string, unknown>, Tx = undefined> {
  readonly consumer: string
  readonly group: string
  /** True at once when a stop or the revocation of this partition begins: for loops. */
  readonly stopping: boolean
  /** Aborted at the end of the rebalance drain, at `timeout`, or 5 s before a stop's deadline. */
  readonly signal: AbortSignal
  /** False when the partition is not ours any more: nothing done now will be committed. */
  readonly owned: boolean
  /** From 1. */
  readonly attempt: number
  readonly retrying: boolean
  readonly log: Logger
  /** Belongs to the job: the message is finished only when this is acknowledged, and its failure is an attempt's. */
  readonly send: Send
  /** Calls the consumer's responder. @throws MR_RESPONDER_TOPIC_UNUSED and its siblings; nothing is sent then */
  readonly respondWith: (data: unknown) => Promise<Responses>
  /**
   * Counts a message as finished, in memory. Manual offsets: everything up to it, and back only with `rewind`.
   * Automatic offsets, and manual ones with `concurrency` above 1: that message alone. False when the partition is lost:
   * stop working. `metadata` (at most 4,086 bytes) goes into the first commit whose position is behind that message, stays
   * until another takes its place, and is read back in the hook `assigned`.
   * @throws MR_APP_METADATA_TOO_LONG; MR_APP_REWIND_LANES for `rewind` with `concurrency` above 1
   */
  readonly mark: (
    message?: Pick<Message, 'offset'>,
    options?: { readonly rewind?: boolean; readonly metadata?: string },
  ) => boolean
  /** Commits what is marked. False when the partition is lost. */
  readonly commit: () => Promise<boolean>
  /** After this job the partition goes on there; what is in hand is dropped unmarked. */
  readonly seek: (to: SeekTo) => void
  /**
   * The partition takes nothing for a while, or until `resume`. With `from` (a message or an offset) it goes on there
   * afterwards: what is in hand is dropped unmarked, the message of this call included.
   */
  readonly pause: (options?: {
    readonly for?: Duration
    readonly from?: number | Pick<Message, 'offset'>
  }) => void
  readonly resume: () => void
  /** Sends a message of this job to the dead letter topic and finishes it. */
  readonly deadLetter: (message: Pick<Message, 'offset'>, reason: string) => Promise<void>
  /** Messages between the first unfinished one and the end of the partition. */
  readonly lag: number
  /** For a topic found by a `pattern`: what its name gave to the groups. */
  readonly match: RegExpExecArray | undefined
  /** Yours, from assignment to revocation of the partition. */
  readonly state: State
  /** With `inbox`: the database transaction that the handler runs in; committed when it returns. */
  readonly tx: Tx
  readonly batch: {
    readonly createdAt: number
    readonly scheduledAt: number
    readonly startedAt: number
  }
}
