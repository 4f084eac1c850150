import { failure } from '../../errors/index.ts'
import { Tracker } from '../tracker/tracker.ts'
import type { Runs } from '../../client/index.ts'

/**
 * Which position of a partition may be committed. Chosen once at boot; the owner knows no more than this.
 */
export interface OffsetPolicy {
  /** A message was taken into the hand. */
  started?(offset: number): void
  /** The handler is done with a message. True when that marks it. */
  finished(offset: number): boolean
  /** The worker settled a message without the handler: skipped, or acknowledged elsewhere. True when that marks it. */
  settled(offset: number): boolean
  /** The user's mark. False when it changes nothing. */
  mark(offset: number, options: { readonly rewind: boolean }): boolean
  /** The offset to commit, or undefined while nothing may be. */
  position(): number | undefined
  /** What is marked above the position: not to be handed over again. */
  ahead(): Runs
  /** After a seek, marks start anew. */
  reset(position: number): void
}

const none: Runs = []

/** What is finished is marked. A mark by hand finishes that message alone, so parallel work is safe. */
export function automaticOffsets(tracker: Tracker, handedOver: () => number): OffsetPolicy {
  return {
    finished: (offset) => tracker.finish(offset),
    settled: (offset) => tracker.finish(offset),
    mark: (offset) => tracker.finish(offset),
    // With nothing open, control records behind the last message are passed as well.
    position: () => (tracker.span === 0 ? handedOver() : tracker.position),
    ahead: () => tracker.finishedAhead(),
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
    ahead: () => none,
    reset(to) {
      unmarked = undefined
      tracker.reset(to)
    },
  }
}

/**
 * Manual marks where several messages run at once: a mark covers its message alone, since those before it may still
 * run. The position is the one after the highest contiguous mark.
 */
export function manualLaneOffsets(tracker: Tracker, committed: number | undefined): OffsetPolicy {
  // Handled and unmarked messages are the user's affair: they hold the position, not the lanes.
  const marks = new Tracker(tracker.next, Infinity)
  let hasMarks = committed !== undefined
  const mark = (offset: number): boolean => {
    const isNew = marks.finish(offset)
    if (isNew) hasMarks = true
    return isNew
  }
  return {
    started: (offset) => marks.start(offset),
    finished(offset) {
      tracker.finish(offset)
      return false
    },
    settled(offset) {
      tracker.finish(offset)
      return mark(offset)
    },
    mark(offset, { rewind }) {
      if (rewind) throw failure('MR_APP_REWIND_LANES', { offset })
      tracker.finish(offset)
      return mark(offset)
    },
    position: () => (hasMarks && marks.next >= 0 ? marks.position : committed),
    ahead: () => marks.finishedAhead(),
    reset(to) {
      tracker.reset(to)
      marks.reset(to)
    },
  }
}
