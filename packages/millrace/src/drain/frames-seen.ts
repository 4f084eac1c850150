/**
 * Which frames have been taken, so that a sender's second and third copy changes nothing.
 *
 * A frame's lines go to several partitions; a crash, or a refusal by the broker, may leave only some of them
 * written. So the lines are remembered by index, and a copy is asked only for those that are missing.
 * Bounded twice: by time (a sender keeps an id for seconds), and by frames of one source.
 */
export interface FramesSeenOptions {
  readonly windowMs: number
  /** Frames remembered for one source; the oldest go first. */
  readonly framesPerSource: number
}

interface Entry {
  /** How many lines with an index of their own the frame has; undefined until somebody knows. */
  count: number | undefined
  written: Set<number>
  /** Ends when the copy that is being written now has settled. */
  writing: Promise<void> | undefined
  atMs: number
}

const allWritten: ReadonlySet<number> = new Set()

export class FramesSeen {
  readonly #options: FramesSeenOptions
  readonly #sources = new Map<string, Map<string, Entry>>()

  constructor(options: FramesSeenOptions) {
    this.#options = options
  }

  /** A line found in a topic at start, written by a predecessor. */
  remember(source: string, id: string, index: number, count: number, atMs: number): void {
    const entry = this.#entry(source, id, atMs)
    entry.count = count
    entry.written.add(index)
    this.#settle(entry)
  }

  isComplete(source: string, id: string): boolean {
    const entry = this.#sources.get(source)?.get(id)
    return entry !== undefined && entry.written === allWritten
  }

  /** The promise to wait for before this frame may be looked at again, or undefined when nobody is writing it. */
  writing(source: string, id: string): Promise<void> | undefined {
    return this.#sources.get(source)?.get(id)?.writing
  }

  /** Indexes that are written already. Claims the frame until `settled`; never claim one that is being written. */
  claim(source: string, id: string, atMs: number, settled: Promise<void>): ReadonlySet<number> {
    const entry = this.#entry(source, id, atMs)
    entry.writing = settled
    return entry.written
  }

  /** Ends a claim. `count` is undefined when the frame was not even read. */
  release(source: string, id: string, written: Iterable<number>, count: number | undefined): void {
    const entry = this.#sources.get(source)?.get(id)
    if (!entry) return
    entry.writing = undefined
    entry.count ??= count
    if (entry.written !== allWritten) for (const index of written) entry.written.add(index)
    this.#settle(entry)
  }

  /** Frames remembered, over all sources. */
  get size(): number {
    let size = 0
    for (const frames of this.#sources.values()) size += frames.size
    return size
  }

  /** A complete frame needs no indexes any more. A loss notice has index -1 and does not count. */
  #settle(entry: Entry): void {
    if (entry.count === undefined || entry.written === allWritten) return
    let missing = entry.count
    for (const index of entry.written) if (index >= 0) missing--
    if (missing <= 0) entry.written = allWritten as Set<number>
  }

  #entry(source: string, id: string, atMs: number): Entry {
    let frames = this.#sources.get(source)
    if (!frames) {
      frames = new Map()
      this.#sources.set(source, frames)
    }
    const known = frames.get(id)
    if (known) return known
    this.#forget(source, frames, atMs)
    const entry: Entry = { count: undefined, written: new Set(), writing: undefined, atMs }
    frames.set(id, entry)
    return entry
  }

  /** Frames lie in order of their arrival, so the old ones are in front. One being written stays. */
  #forget(source: string, frames: Map<string, Entry>, nowMs: number): void {
    for (const [id, entry] of frames) {
      const isOld = entry.atMs < nowMs - this.#options.windowMs
      const isTooMany = frames.size >= this.#options.framesPerSource
      if ((!isOld && !isTooMany) || entry.writing) break
      frames.delete(id)
    }
    if (this.#sources.size <= mostSources) return
    for (const [other, held] of this.#sources) {
      if (other === source) continue
      const isQuiet = [...held.values()].every(
        (entry) => !entry.writing && entry.atMs < nowMs - this.#options.windowMs,
      )
      if (isQuiet) this.#sources.delete(other)
    }
  }
}

/** Above this many sources the quiet ones are let go. */
const mostSources = 1000
