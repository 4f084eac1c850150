import type { Detour } from '../owner/departures.ts'
import type { DeliveredMessage } from '../message/message.ts'
import type { Logger } from '../ports.ts'

/** Whose messages a pacing looks at: one partition, from assignment to revocation. */
export interface PacingPlace {
  readonly group: string
  readonly consumer: string
  readonly topic: string
  readonly partition: number
  /** The partition's `ctx.state`. */
  readonly state: Record<string, unknown>
  readonly log: Logger
}

/**
 * Delay, filter, throttle and expiry of one partition: says what becomes of a message before it is handed over.
 * Made by `plan.makePacing`; a consumer without it pays nothing.
 */
export interface Pacing {
  /**
   * Asked before a message gets its handler call, at each attempt, in the order of offsets within an order scope.
   * Synchronous. Each `go` is followed by the handler call, except when the partition goes first.
   * A throw is a failed attempt of this message.
   */
  admit(message: DeliveredMessage, at: AdmissionTime): Admission
  /** The message is finished, however. Called in the order in which messages are finished. */
  finished?(message: DeliveredMessage): void
  /** Nothing from this offset on may be committed yet, although it may be finished. Undefined: nothing holds. */
  commitBelow?(): number | undefined
  /** The tenure is over. */
  close?(): void
}

export interface AdmissionTime {
  readonly nowMs: number
  /** From 1. */
  readonly attempt: number
}

export type Admission =
  | { readonly kind: 'go' }
  /** The partition pauses until then; afterwards the same message is asked about again. What runs goes on. */
  | { readonly kind: 'wait'; readonly untilMs: number; readonly reason: WaitReason }
  /** Finished without the handler; published as `consumer.filtered` and counted. */
  | {
      readonly kind: 'finish'
      readonly reason: 'filtered' | 'expired'
      readonly detail?: string | undefined
    }
  /** To the dead letter topic; finished without one, as `finish`. */
  | { readonly kind: 'giveUp'; readonly reason: 'expired'; readonly error: unknown }
  /** Written elsewhere, then finished. */
  | { readonly kind: 'depart'; readonly detour: Detour; readonly error?: unknown }

export type WaitReason = 'delay' | 'throttle'

/** The answer of most messages, so that none is made for each. */
export const go: Admission = { kind: 'go' }
