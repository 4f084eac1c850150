import type { DeliveredMessage } from '../message/message.ts'
import type { Admission, Pacing } from '../pacing/pacing.ts'
import type { Departures } from './departures.ts'
import type { PartitionState } from './partition-state.ts'

export interface Admitted {
  /** From the first on, those that may be handed over now. None: something else has happened to the first. */
  readonly admitted: readonly DeliveredMessage[]
  /** The pacing threw for the first: the wait before its next attempt. */
  readonly retryInMs?: number | undefined
  /** The first has to wait, with its partition. */
  readonly isHeldBack?: boolean
}

/**
 * The gate in front of the handler: asks the pacing about each message and carries out what it says. Those that may
 * go are handed back; the first one that may not ends the list, so that nothing overtakes it.
 */
export class AdmissionGate {
  readonly #state: PartitionState
  readonly #pacing: Pacing
  readonly #departures: Departures
  readonly #onThrow: (message: DeliveredMessage, error: unknown) => number | undefined

  constructor(
    state: PartitionState,
    pacing: Pacing,
    departures: Departures,
    onThrow: (message: DeliveredMessage, error: unknown) => number | undefined,
  ) {
    this.#state = state
    this.#pacing = pacing
    this.#departures = departures
    this.#onThrow = onThrow
  }

  admit(messages: readonly DeliveredMessage[]): Admitted {
    const admitted: DeliveredMessage[] = []
    for (const message of messages) {
      const nowMs = this.#state.now()
      const attempt = this.#state.attempts.failedAt(message.offset) + 1
      let admission: Admission
      try {
        admission = this.#pacing.admit(message, { nowMs, attempt })
      } catch (error) {
        // Asked about again once those before it are done.
        if (admitted.length > 0) return { admitted }
        return { admitted, retryInMs: this.#onThrow(message, error) }
      }
      if (admission.kind === 'go') {
        admitted.push(message)
      } else if (admission.kind === 'finish') {
        this.#state.pass(message, admission.reason, admission.detail)
      } else {
        if (admitted.length === 0) this.#carryOut(message, admission, attempt - 1)
        return { admitted, isHeldBack: admission.kind === 'wait' }
      }
    }
    return { admitted }
  }

  #carryOut(
    message: DeliveredMessage,
    admission: Exclude<Admission, { readonly kind: 'go' | 'finish' }>,
    attempts: number,
  ): void {
    switch (admission.kind) {
      case 'wait':
        this.#state.holds.holdBack(admission.reason, admission.untilMs)
        return
      case 'giveUp': {
        const { error, reason } = admission
        if (this.#state.plan.deadLetter === undefined) this.#state.pass(message, reason)
        else this.#departures.add({ kind: 'dead-letter', message, error, reason, attempts })
        return
      }
      case 'depart': {
        const { detour, error } = admission
        this.#departures.add({ kind: 'retry-topic', message, error, attempts, detour })
        return
      }
    }
  }
}
