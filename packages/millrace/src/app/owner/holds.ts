import { events } from '../../telemetry/index.ts'
import type { WaitReason } from '../pacing/pacing.ts'
import type { Clock, SourcePartition } from '../ports.ts'
import type { Place } from './place.ts'

export type PauseReason = 'user' | 'storm' | 'critical'

export type Hold =
  | { readonly kind: 'blocked'; readonly code: string; readonly error: unknown }
  | {
      readonly kind: 'paused'
      readonly reason: PauseReason | WaitReason | 'quiet' | 'backoff'
      readonly untilMs: number
    }

const quietHold: Hold = { kind: 'paused', reason: 'quiet', untilMs: Infinity }

/** What these holds are about. */
export interface HeldPartition {
  readonly place: Place
  readonly source: SourcePartition
  readonly clock: Clock
  /** Offset of the message that is next. */
  headOffset(): number
  isHandEmpty(): boolean
}

/** What keeps a whole partition from handing over: pauses, a back-off, a block. They add up; each ends by itself. */
export class Holds {
  readonly #of: HeldPartition
  #retryAtMs = 0
  #heldBack: { readonly reason: WaitReason; readonly untilMs: number } | undefined
  #isQuiet = false
  #pause:
    | { readonly reason: PauseReason; readonly untilMs: number; readonly sinceMs: number }
    | undefined
  #blocked: { readonly code: string; readonly error: unknown } | undefined

  constructor(of: HeldPartition) {
    this.#of = of
  }

  get isQuiet(): boolean {
    return this.#isQuiet
  }

  get isRetrying(): boolean {
    return this.#now() < this.#retryAtMs
  }

  /** Nothing goes on before somebody acts. */
  get isForGood(): boolean {
    return this.#blocked !== undefined || this.#pause?.untilMs === Infinity
  }

  retryIn(delayMs: number): void {
    this.#retryAtMs = Math.max(this.#retryAtMs, this.#now() + delayMs)
  }

  /** The pacing lets nothing through until then. */
  holdBack(reason: WaitReason, untilMs: number): void {
    if (untilMs <= this.#now()) return
    this.#heldBack = { reason, untilMs }
    const forMs = untilMs - this.#now()
    const at = { ...this.#of.place, offset: this.#of.headOffset() }
    events.partitionPaused.publish({ ...at, reason, forMs })
    if (reason === 'throttle') events.consumerThrottled.publish({ ...at, untilMs })
  }

  get isHeldBack(): boolean {
    return this.#heldBack !== undefined
  }

  pause(reason: PauseReason, forMs: number | undefined): void {
    const sinceMs = this.#now()
    const untilMs = forMs === undefined ? Infinity : sinceMs + forMs
    this.#pause = { reason, untilMs, sinceMs: this.#pause?.sinceMs ?? sinceMs }
    const { place } = this.#of
    events.partitionPaused.publish({ ...place, offset: this.#of.headOffset(), reason, forMs })
  }

  /** Takes nothing more, for good: no pause or resume of somebody else ends this. */
  quiet(): void {
    if (this.#isQuiet) return
    this.#isQuiet = true
    const at = { ...this.#of.place, offset: this.#of.headOffset() }
    events.partitionPaused.publish({ ...at, reason: 'quiet', forMs: undefined })
  }

  block(error: unknown, offset: number): void {
    const code = codeOf(error)
    this.#blocked = { code, error }
    events.partitionBlocked.publish({ ...this.#of.place, offset, code, error })
  }

  /** Ends a pause, a back-off or a block. */
  resume(): void {
    const wasHeld = this.#pause !== undefined || this.#blocked !== undefined
    const pausedMs = this.#pausedMs()
    this.#pause = undefined
    this.#blocked = undefined
    this.#retryAtMs = 0
    this.#of.source.resume()
    if (wasHeld) events.partitionResumed.publish({ ...this.#of.place, pausedMs })
  }

  /** After a seek: what held the messages of before is over; a pause stays. */
  startOver(): void {
    this.#retryAtMs = 0
    this.#blocked = undefined
    this.#heldBack = undefined
  }

  /** What holds the partition now; a pause that has run out ends here. */
  current(): Hold | undefined {
    if (this.#blocked !== undefined) return { kind: 'blocked', ...this.#blocked }
    // Quiet lets what is in hand finish, at its own pace; every other pause holds it too.
    const quiet = this.#isQuiet && this.#of.isHandEmpty() ? quietHold : undefined
    if (this.#retryAtMs === 0 && this.#pause === undefined && this.#heldBack === undefined)
      return quiet
    const now = this.#now()
    if (this.#pause !== undefined && now >= this.#pause.untilMs) {
      const pausedMs = this.#pausedMs()
      this.#pause = undefined
      events.partitionResumed.publish({ ...this.#of.place, pausedMs })
    }
    if (quiet !== undefined) return quiet
    if (this.#pause !== undefined) {
      const { reason, untilMs } = this.#pause
      return { kind: 'paused', reason, untilMs }
    }
    if (now < this.#retryAtMs)
      return { kind: 'paused', reason: 'backoff', untilMs: this.#retryAtMs }
    if (this.#heldBack === undefined) return undefined
    if (now < this.#heldBack.untilMs) return { kind: 'paused', ...this.#heldBack }
    this.#heldBack = undefined
    return undefined
  }

  #now(): number {
    return this.#of.clock.now()
  }

  #pausedMs(): number {
    return this.#pause === undefined ? 0 : this.#now() - this.#pause.sinceMs
  }
}

function codeOf(error: unknown): string {
  if (typeof error === 'object' && error !== null && 'code' in error) return String(error.code)
  return error instanceof Error ? error.constructor.name : 'unknown'
}
