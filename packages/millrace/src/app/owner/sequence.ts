import type { ConsumerPlan } from '../consumer/plan.ts'
import type { DeliveredMessage } from '../message/message.ts'
import type { AdmissionGate } from './admission.ts'
import type { Departures } from './departures.ts'
import type { JobRunner } from './job-runner.ts'
import type { PartitionState } from './partition-state.ts'
import type { Work, WorkHost, WorkParts } from './work.ts'

const oneLane = { busy: 1, size: 1 } as const
const freeLane = { busy: 0, size: 1 } as const

/** The messages of a partition one after the other, or batch after batch: a failure holds all that is behind it. */
export class Sequence implements Work {
  readonly #plan: ConsumerPlan
  readonly #state: PartitionState
  readonly #departures: Departures
  readonly #gate: AdmissionGate | undefined
  readonly #runner: JobRunner
  readonly #host: WorkHost
  readonly #breathe: (() => Promise<void> | undefined) | undefined
  #hand: DeliveredMessage[] = []
  #sinceMs = 0

  readonly canStart = false
  readonly dueMs = Infinity
  readonly isResting = false

  constructor(parts: WorkParts) {
    this.#plan = parts.state.plan
    this.#state = parts.state
    this.#departures = parts.departures
    this.#gate = parts.gate
    this.#runner = parts.runner
    this.#host = parts.host
    this.#breathe = parts.breathe
  }

  get size(): number {
    return this.#hand.length
  }

  get oldest(): DeliveredMessage | undefined {
    return this.#hand[0]
  }

  get wants(): number {
    return this.#hand.length === 0 ? this.#plan.maxMessages : 0
  }

  get lacks(): number {
    return this.#plan.maxMessages - this.#hand.length
  }

  get lanes(): { readonly busy: number; readonly size: number } {
    return this.#runner.running.size > 0 ? oneLane : freeLane
  }

  add(message: DeliveredMessage): void {
    if (this.#hand.length === 0) this.#sinceMs = this.#state.now()
    this.#hand.push(message)
  }

  remove(message: DeliveredMessage): void {
    if (this.#hand[0] === message) this.#hand.shift()
    else this.#hand = this.#hand.filter((own) => own !== message)
  }

  async run(): Promise<void> {
    while (this.#hand.length > 0 && !this.#host.isStopped()) {
      const breath = this.#breathe?.()
      if (breath !== undefined) {
        // Long enough for somebody to stop it.
        await breath
        continue
      }
      const retryInMs = await this.#step()
      if (retryInMs !== undefined) this.#state.holds.retryIn(retryInMs)
    }
  }

  settled(): Promise<void> {
    return Promise.resolve()
  }

  resume(): void {}

  clear(): void {
    this.#hand = []
  }

  /** Departures that wait come first, since they hold their message's place. The wait for the next attempt, if any. */
  #step(): Promise<number | undefined> | number | undefined {
    if (!this.#departures.isEmpty) return this.#departures.sendAll(this.#hand)
    const head = this.#hand[0] as DeliveredMessage
    const isSingle = this.#plan.mode === 'each' || this.#state.isAlone(head)
    const next = isSingle ? [head] : this.#hand.slice()
    if (this.#gate !== undefined) {
      const { admitted, retryInMs } = this.#gate.admit(next)
      if (admitted.length === 0) return retryInMs
      return this.#run(admitted)
    }
    return this.#run(next)
  }

  #run(messages: readonly DeliveredMessage[]): Promise<number | undefined> {
    return this.#runner.tryTakeSlot()
      ? this.#runner.run(messages, this.#sinceMs)
      : this.#runWithSlot(messages)
  }

  async #runWithSlot(messages: readonly DeliveredMessage[]): Promise<number | undefined> {
    if (!(await this.#runner.waitForSlot())) return undefined
    return this.#runner.run(messages, this.#sinceMs)
  }
}
