import type { Tracker } from '../tracker/tracker.ts'

/**
 * Which position of a partition may be committed. Chosen once at boot; the owner knows no more than this.
 */
export interface OffsetPolicy {
  /** The handler is done with a message. True when that marks it. */
  finished(offset: number): boolean
  /** The worker settled a message without the handler: skipped, or acknowledged as a dead letter. True when that marks it. */
  settled(offset: number): boolean
  /** The user's mark. False when it changes nothing. */
  mark(offset: number, options: { readonly rewind: boolean }): boolean
  /** The offset to commit, or undefined while nothing may be. */
  position(): number | undefined
  /** After a seek, marks start anew. */
  reset(position: number): void
}

/** What is finished is marked. A mark by hand finishes that message alone, so parallel work in a batch is safe. */
export function automaticOffsets(tracker: Tracker, handedOver: () => number): OffsetPolicy {
  return {
    finished: (offset) => tracker.finish(offset),
    settled: (offset) => tracker.finish(offset),
    mark: (offset) => tracker.finish(offset),
    // With nothing open, control records behind the last message are passed as well.
    position: () => (tracker.span === 0 ? handedOver() : tracker.position),
    reset: (position) => tracker.reset(position),
  }
}

/**
 * Only the user's marks count for commits; a mark covers everything up to its message. What is marked is finished
 * too: it is not handed over again, whatever becomes of the rest of its batch.
 */
export function manualOffsets(tracker: Tracker, committed: number | undefined): OffsetPolicy {
  let position = committed
  /** The newest message that was handled and is not covered by a mark. */
  let unmarked: number | undefined
  return {
    finished(offset) {
      if (tracker.finish(offset)) unmarked = offset
      return false
    },
    settled(offset) {
      tracker.finish(offset)
      // Behind open or unmarked messages it stays unmarked, or it would commit them.
      if (unmarked !== undefined || tracker.position <= offset) return false
      position = offset + 1
      return true
    },
    mark(offset, { rewind }) {
      if (position !== undefined && offset < position && !rewind) return false
      if (position === offset + 1) return false
      if (position !== undefined && offset < position) unmarked ??= position - 1
      else if (unmarked !== undefined && unmarked <= offset) unmarked = undefined
      position = offset + 1
      tracker.finishThrough(offset)
      return true
    },
    position: () => position,
    reset(to) {
      unmarked = undefined
      tracker.reset(to)
    },
  }
}
