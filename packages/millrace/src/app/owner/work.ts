import type { DeliveredMessage } from '../message/message.ts'
import type { AdmissionGate } from './admission.ts'
import type { Departures } from './departures.ts'
import type { JobRunner } from './job-runner.ts'
import type { PartitionState } from './partition-state.ts'

/**
 * How the messages in hand are worked on: one after the other, or in lanes. The owner's loop takes messages from the
 * source and gives them to it; what is finished leaves through `PartitionState`.
 */
export interface Work {
  /** Messages taken and not finished. */
  readonly size: number
  /** The first of them. */
  readonly oldest: DeliveredMessage | undefined
  /** How many it would take now; 0: it has enough. */
  readonly wants: number
  /** How many its next batch still lacks. */
  readonly lacks: number
  /** Something in hand could start now. */
  readonly canStart: boolean
  /** When something in hand may start again; Infinity: nothing waits for a time. */
  readonly dueMs: number
  /** Some of it waits for a back-off. */
  readonly isResting: boolean
  readonly lanes: { readonly busy: number; readonly size: number }
  add(message: DeliveredMessage): void
  /** It is finished. */
  remove(message: DeliveredMessage): void
  /** Hands over what may start. Resolves when it wants more messages, or the loop has to look at its state. */
  run(): Promise<void>
  /** Resolves when nothing runs. */
  settled(): Promise<void>
  /** Ends back-offs. */
  resume(): void
  /** Drops what is in hand. Nothing runs then. */
  clear(): void
}

/** What the work needs of the loop around it. */
export interface WorkHost {
  /** Handing over stops here: an end, a hold, or a seek that drops what is in hand. */
  isStopped(): boolean
  /** Ends at the time, or when somebody wakes the loop. */
  sleep(untilMs: number): Promise<void>
  /** Earlier wakes are done with: the state is about to be looked at. */
  forgetWakes(): void
  wake(): void
}

/** What either kind of work is made of. */
export interface WorkParts {
  readonly state: PartitionState
  readonly departures: Departures
  readonly gate: AdmissionGate | undefined
  readonly runner: JobRunner
  readonly host: WorkHost
  readonly breathe: (() => Promise<void> | undefined) | undefined
}
