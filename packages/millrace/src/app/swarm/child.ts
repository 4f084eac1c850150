import type { ChildProcess } from 'node:child_process'

import type { Clock, Timer } from '../../kit/index.ts'
import type { WorkerStatus } from '../control/index.ts'
import { CrashCounts } from './crashes.ts'
import { isReport } from './messages.ts'

/** One process of several. */
export interface ChildSpec {
  /** From 1. */
  readonly index: number
  /** `worker:2`, `price_drops:1`. */
  readonly name: string
  /** Undefined: no static member. */
  readonly instanceId: string | undefined
  /** The one consumer that it runs, `price_drops:1`; undefined: whatever the parent was told to. */
  readonly worker: string | undefined
}

export type ChildState = 'starting' | 'running' | 'stopping' | 'waiting' | 'ended'

export interface ChildEnd {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
}

/** A child over all of its lives: the process of the moment, what it reported last, how often it began anew. */
export class Child {
  readonly spec: ChildSpec
  readonly #clock: Clock
  readonly #fork: (child: Child) => ChildProcess
  readonly #onEnded: (child: Child, end: ChildEnd) => void
  readonly #onRunning: (child: Child) => void
  state: ChildState = 'ended'
  process: ChildProcess | undefined
  status: WorkerStatus | undefined
  /** Monotonic time of its last sign of life; the start counts as one. */
  heardMs = 0
  startedMs = 0
  restarts = 0
  /** Ends in a row without having lasted. */
  failures = 0
  hasEverRun = false
  /** Its last process ended abruptly: the next one notes what it handles. */
  isSuspect = false
  readonly crashes: CrashCounts
  #restart: Timer | undefined
  #ended: Promise<ChildEnd> = Promise.resolve({ code: 0, signal: null })

  constructor(
    spec: ChildSpec,
    around: {
      readonly clock: Clock
      readonly crashLimit: number
      readonly fork: (child: Child) => ChildProcess
      readonly onEnded: (child: Child, end: ChildEnd) => void
      readonly onRunning: (child: Child) => void
    },
  ) {
    this.spec = spec
    this.#clock = around.clock
    this.crashes = new CrashCounts(around.crashLimit)
    this.#fork = around.fork
    this.#onEnded = around.onEnded
    this.#onRunning = around.onRunning
  }

  /** Of the process of the moment. */
  get ended(): Promise<ChildEnd> {
    return this.#ended
  }

  get isAlive(): boolean {
    const { process: own } = this
    return own !== undefined && own.exitCode === null && own.signalCode === null
  }

  start(): void {
    this.#restart?.cancel()
    this.#restart = undefined
    this.state = 'starting'
    this.status = undefined
    this.startedMs = this.#clock.monotonicMs()
    this.heardMs = this.startedMs
    const started = this.#fork(this)
    this.process = started
    started.on('message', (message) => {
      if (isReport(message) && this.process === started) this.#heard(message.status)
    })
    this.#ended = new Promise((resolve) => {
      // Without a process there is an error, and no exit.
      started.once('error', () => resolve({ code: null, signal: null }))
      started.once('exit', (code, signal) => resolve({ code, signal }))
    })
    void this.#watch(started)
  }

  async #watch(started: ChildProcess): Promise<void> {
    const end = await this.#ended
    if (this.process !== started) return
    this.process = undefined
    this.#onEnded(this, end)
  }

  startIn(delayMs: number): void {
    this.state = 'waiting'
    this.restarts++
    this.#restart = this.#clock.after(delayMs, () => this.start())
  }

  /** Nothing starts it again. */
  rest(): void {
    this.#restart?.cancel()
    this.#restart = undefined
    if (!this.isAlive) this.state = 'ended'
  }

  signal(signal: NodeJS.Signals): void {
    if (this.isAlive) this.process?.kill(signal)
  }

  #heard(status: WorkerStatus): void {
    this.heardMs = this.#clock.monotonicMs()
    this.status = status
    if (this.state !== 'starting' || status.state !== 'running') return
    this.state = 'running'
    this.hasEverRun = true
    this.#onRunning(this)
  }
}
