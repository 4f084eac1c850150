import { LaneSchedule, type LaneJob } from '../lanes/index.ts'
import type { DeliveredMessage } from '../message/message.ts'
import type { AdmissionGate } from './admission.ts'
import type { Departures } from './departures.ts'
import type { JobRunner } from './job-runner.ts'
import type { PartitionState } from './partition-state.ts'
import type { Work, WorkHost, WorkParts } from './work.ts'

/** What becomes of a job's scopes that are not done. */
interface Rest {
  readonly forMs?: number | undefined
  /** They have not had their turn, so they come first again. */
  readonly isFirst?: boolean | undefined
}

/** Bytes in hand at which a search for messages of other keys ends; some that run may be larger together. */
const handBytesLimit = 16 * 1024 * 1024

/**
 * Several messages of a partition at once. A message that fails holds its scope (its key), not its partition; the
 * tracker holds the position, and the window ends the distance between the two.
 */
export class Lanes implements Work {
  readonly #state: PartitionState
  readonly #departures: Departures
  readonly #gate: AdmissionGate | undefined
  readonly #runner: JobRunner
  readonly #host: WorkHost
  readonly #breathe: (() => Promise<void> | undefined) | undefined
  readonly #schedule: LaneSchedule
  readonly #inHand = new Set<DeliveredMessage>()
  readonly #maxMessages: number
  readonly #isBatch: boolean
  #size = 0
  #bytes = 0
  #sinceMs = 0
  #onSettled: (() => void)[] = []

  constructor(parts: WorkParts) {
    const { state, departures } = parts
    this.#state = state
    this.#departures = departures
    this.#gate = parts.gate
    this.#runner = parts.runner
    this.#host = parts.host
    this.#breathe = parts.breathe
    const { lanes, maxMessages, mode } = state.plan
    this.#maxMessages = maxMessages
    this.#isBatch = mode === 'batch'
    this.#schedule = new LaneSchedule({
      size: lanes.size,
      orderBy: lanes.orderBy,
      maxMessages: this.#isBatch ? maxMessages : 1,
      isAlone: (message) => state.isAlone(message) || departures.has(message.offset),
    })
  }

  get size(): number {
    return this.#size
  }

  get wants(): number {
    const schedule = this.#schedule
    if (this.#state.holds.isQuiet || !schedule.hasFreeLane || this.#bytes > handBytesLimit) return 0
    const hasEnough = this.#isBatch
      ? schedule.readyMessages >= this.#maxMessages
      : schedule.readyScopes >= schedule.size - schedule.busy
    return hasEnough ? 0 : Math.min(this.#maxMessages, this.#state.tracker.room)
  }

  get lacks(): number {
    return Math.min(this.wants, this.#maxMessages - this.#schedule.readyMessages)
  }

  get canStart(): boolean {
    this.#schedule.wake(this.#state.now())
    return this.#schedule.hasFreeLane && this.#schedule.readyScopes > 0
  }

  get dueMs(): number {
    return this.#schedule.nextDueMs
  }

  get isResting(): boolean {
    return this.#schedule.isResting
  }

  get lanes(): { readonly busy: number; readonly size: number } {
    const { busy, size } = this.#schedule
    return { busy, size }
  }

  /** A set keeps the order in which its members came: that of their offsets. */
  get oldest(): DeliveredMessage | undefined {
    return this.#inHand.values().next().value
  }

  add(message: DeliveredMessage): void {
    if (this.#size === 0) this.#sinceMs = this.#state.now()
    this.#inHand.add(message)
    this.#size++
    this.#bytes += bytesOf(message)
    this.#schedule.add(message)
  }

  remove(message: DeliveredMessage): void {
    this.#inHand.delete(message)
    this.#size--
    this.#bytes -= bytesOf(message)
  }

  async run(): Promise<void> {
    const host = this.#host
    for (;;) {
      host.forgetWakes()
      if (host.isStopped()) return
      if (this.canStart) {
        const breath = this.#breathe?.()
        if (breath !== undefined) await breath
        else if (this.#runner.tryTakeSlot() || (await this.#runner.waitForSlot())) this.#start()
      } else if (this.wants > 0) {
        return
      } else {
        await host.sleep(this.dueMs)
      }
    }
  }

  settled(): Promise<void> {
    if (this.#schedule.busy === 0) return Promise.resolve()
    return new Promise((resolve) => {
      this.#onSettled.push(resolve)
    })
  }

  resume(): void {
    this.#schedule.wakeAll()
  }

  clear(): void {
    this.#schedule.clear()
    this.#inHand.clear()
    this.#size = 0
    this.#bytes = 0
  }

  /** With a slot in hand. */
  #start(): void {
    const job = this.#schedule.take()
    if (job === undefined) this.#runner.releaseSlot()
    else void this.#runLane(job)
  }

  /** Never rejects: what goes wrong here blocks the partition. */
  async #runLane(job: LaneJob): Promise<void> {
    let rest: Rest = {}
    try {
      rest = await this.#work(job.messages)
    } catch (error) {
      this.#state.holds.block(error, job.messages[0]?.offset ?? this.#state.headOffset)
    }
    const { forMs, isFirst = false } = rest
    const untilMs = forMs === undefined ? undefined : this.#state.now() + forMs
    this.#schedule.release(job, untilMs, isFirst)
    this.#host.wake()
    if (this.#schedule.busy > 0) return
    const settled = this.#onSettled
    this.#onSettled = []
    for (const resolve of settled) resolve()
  }

  async #work(messages: readonly DeliveredMessage[]): Promise<Rest> {
    if (!this.#departures.hasAny(messages)) {
      if (this.#gate === undefined)
        return { forMs: await this.#runner.run(messages, this.#sinceMs) }
      const { admitted, retryInMs, isHeldBack } = this.#gate.admit(messages)
      if (admitted.length > 0) return { forMs: await this.#runner.run(admitted, this.#sinceMs) }
      if (!this.#departures.hasAny(messages)) {
        this.#runner.releaseSlot()
        return { forMs: retryInMs, isFirst: isHeldBack }
      }
    }
    this.#runner.releaseSlot()
    return { forMs: await this.#departures.sendAll(messages) }
  }
}

function bytesOf({ source: { key, value } }: DeliveredMessage): number {
  return (key?.length ?? 0) + (value?.length ?? 0)
}
