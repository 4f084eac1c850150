import type { MillraceError } from '../../errors/index.ts'
import type { ClientMessage, Committed, SeekTarget } from '../fetcher/index.ts'

/**
 * A partition while this member holds it without a break: one tenure. A partition that comes back
 * later is another object. Its functions may be taken apart.
 */
export interface OwnedPartition {
  readonly topic: string
  readonly partition: number
  /** False once it was given back or lost: stop working on its messages, nothing can be committed. */
  readonly isOwned: boolean
  /** Offset of the next message to hand over; -1 until it is known. */
  readonly position: number
  /** What the group had committed when the tenure began. */
  readonly committed: Committed | null
  /** -1 until the first answer, as the next two. */
  readonly highWatermark: number
  readonly logStartOffset: number
  /** Messages between the position and the end that the isolation allows to read. */
  readonly lag: number
  /** Messages fetched and not yet taken. */
  readonly buffered: number
  readonly isPaused: boolean
  /**
   * Why it stands still: a batch that cannot be read, a position outside the log. `resume` or `seek` tries again;
   * where no position could be found at all, only `seek`.
   */
  readonly failure: MillraceError | null
  /** Up to `max` messages, at once and in order; empty when none is buffered, when paused, when not owned. */
  readonly take: (max: number) => readonly ClientMessage[]
  /** Resolves when `take` may give something or the tenure has ended. @throws the `failure`; the signal's reason */
  readonly available: (signal?: AbortSignal) => Promise<void>
  /** Nothing is fetched or taken until `resume`, over rebalances too while the tenure lasts. */
  readonly pause: () => void
  readonly resume: () => void
  /** Drops what is buffered and goes on elsewhere. Ends of the log and times are looked up first. */
  readonly seek: (to: SeekTarget) => Promise<void>
}
