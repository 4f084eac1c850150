/**
 * A parent and its worker processes. The parent holds no connection and runs no handler: it starts, watches, starts
 * again and stops.
 *
 * - A child reports on an interval; one that is silent for too long is killed: its loop is blocked, and it would be no
 *   member much longer anyway.
 * - A child that ended is started again after a while, longer each time that it did not last. One that cannot even
 *   start the first time with code 1 ends all of it: a fault of the configuration is no accident.
 * - A stop is passed on; whoever has not ended 15 s after its own bound is killed. A second one forces, as in a worker.
 * - A rolling restart takes one child at a time, the next when the one before runs again.
 */
import type { ChildProcess } from 'node:child_process'

import { deferred, type Clock, type Timer } from '../../kit/index.ts'
import { events } from '../../telemetry/index.ts'
import type { HealthAnswer } from '../health/index.ts'
import { Child, type ChildEnd, type ChildSpec } from './child.ts'
import { isAbrupt, takeNote } from './crashes.ts'
import { swarmAnswer } from './health.ts'
import {
  forgivenAfterMs,
  judgeChild,
  lastedAfterMs,
  parentPatienceMs,
  restartDelayMs,
  type SwarmRules,
} from './policy.ts'

export interface SwarmOptions {
  readonly children: readonly ChildSpec[]
  readonly rules: SwarmRules
  readonly clock: Clock
  readonly fork: (child: Child) => ChildProcess
  /** Where a suspect child notes what it handles; undefined: it is not asked to. */
  readonly noteOf: (child: Child) => string | undefined
}

export type SwarmState =
  | 'initializing'
  | 'supervising'
  | 'quiet'
  | 'stopping'
  | 'stopped'
  | 'terminated'

export class Swarm {
  readonly #options: SwarmOptions
  readonly #children: readonly Child[]
  readonly #done = deferred<number>()
  readonly #running = deferred()
  #state: SwarmState = 'initializing'
  #look: Timer | undefined
  #stopping: Promise<number> | undefined
  #rolling: Promise<void> | undefined
  #exitCode = 0

  constructor(options: SwarmOptions) {
    this.#options = options
    this.#children = options.children.map(
      (spec) =>
        new Child(spec, {
          clock: options.clock,
          crashLimit: options.rules.crashLimit,
          fork: options.fork,
          onEnded: (child, end) => this.#ended(child, end),
          onRunning: () => this.#isUp(),
        }),
    )
  }

  get state(): SwarmState {
    return this.#state
  }

  get children(): readonly Child[] {
    return this.#children
  }

  /** Resolves with the exit code: 0 clean, 1 a child could not start, 2 something was forced. */
  get done(): Promise<number> {
    return this.#done.promise
  }

  /** Resolves when every child has run, or the swarm has ended. */
  get running(): Promise<void> {
    return this.#running.promise
  }

  start(): void {
    this.#enter('supervising')
    for (const child of this.#children) child.start()
    this.#lookLater()
  }

  live(): HealthAnswer {
    return swarmAnswer('live', this.#state, this.#children)
  }

  ready(): HealthAnswer {
    return swarmAnswer('ready', this.#state, this.#children)
  }

  /** All children finish what is in hand and take no more. */
  quiet(): void {
    if (this.#state !== 'supervising') return
    this.#enter('quiet')
    for (const child of this.#children) child.signal('SIGTSTP')
  }

  /** A second call forces the children to end at once. */
  stop(): Promise<number> {
    if (this.#stopping === undefined) this.#stopping = this.#stop()
    else for (const child of this.#children) child.signal('SIGTERM')
    return this.#stopping
  }

  /** One child after the other is stopped and started again. A second call while it goes on changes nothing. */
  roll(): Promise<void> {
    return (this.#rolling ??= this.#roll().finally(() => (this.#rolling = undefined)))
  }

  dump(): object {
    return {
      state: this.#state,
      pid: process.pid,
      children: this.#children.map(({ spec, state, process: own, restarts, status }) => ({
        name: spec.name,
        state,
        pid: own?.pid ?? null,
        restarts,
        status,
      })),
    }
  }

  #enter(state: SwarmState): void {
    const before = this.#state
    this.#state = state
    const { pid } = process
    events.appState.publish({ state, before, pid })
    if (state === 'supervising') events.appSupervising.publish({ pid })
  }

  #isUp(): void {
    if (this.#children.every(({ hasEverRun }) => hasEverRun)) this.#running.resolve()
  }

  #lookLater(): void {
    this.#look = this.#options.clock.after(this.#options.rules.lookEveryMs, () => {
      this.#lookAtAll()
      this.#lookLater()
    })
  }

  #lookAtAll(): void {
    const { clock, rules } = this.#options
    const nowMs = clock.monotonicMs()
    for (const child of this.#children) {
      if (!child.isAlive) continue
      if (nowMs - child.startedMs > lastedAfterMs) child.failures = 0
      if (nowMs - child.startedMs > forgivenAfterMs) child.isSuspect = false
      const { heardMs } = child
      const memoryBytes = child.status?.memoryBytes ?? 0
      const verdict = judgeChild({ heardMs, memoryBytes }, nowMs, rules)
      const { name } = child.spec
      if (verdict === 'silent') {
        const silentMs = nowMs - heardMs
        events.childKilled.publish({ name, pid: child.process?.pid ?? -1, silentMs })
        child.signal('SIGKILL')
      } else if (verdict === 'fat' && child.state === 'running') {
        const limitBytes = rules.memoryLimitBytes ?? Infinity
        events.childTooLarge.publish({ name, memoryBytes, limitBytes })
        child.state = 'stopping'
        child.signal('SIGTERM')
      }
    }
  }

  #ended(child: Child, { code, signal }: ChildEnd): void {
    const { rules, clock } = this.#options
    const { name } = child.spec
    const isAsked = this.#state === 'stopping'
    const lastedMs = clock.monotonicMs() - child.startedMs
    if (isAsked) {
      child.rest()
      events.childEnded.publish({ name, code, signal, lastedMs, restartInMs: undefined })
      this.#count(child, { code, signal })
      return
    }
    if (code === 1 && !child.hasEverRun) {
      events.childEnded.publish({ name, code, signal, lastedMs, restartInMs: undefined })
      this.#exitCode = 1
      child.rest()
      void this.stop()
      return
    }
    // One that was asked to end, and did, begins at once: a rolling restart, or its memory.
    const isPlanned = child.state === 'stopping' && code === 0
    this.#inquire(child, { code, signal })
    if (!isPlanned) child.failures++
    const restartInMs = isPlanned ? 0 : restartDelayMs(child.failures, rules)
    events.childEnded.publish({ name, code, signal, lastedMs, restartInMs })
    child.startIn(restartInMs)
  }

  /** Whether a message has killed it, and which. */
  #inquire(child: Child, end: ChildEnd): void {
    const note = this.#options.noteOf(child)
    const place = note === undefined ? undefined : takeNote(note)
    if (!isAbrupt(end)) return
    if (child.isSuspect && place !== undefined) {
      const before = child.crashes.killers.length
      child.crashes.add(place)
      const { killers } = child.crashes
      const killer = killers.length > before ? killers.at(-1) : undefined
      if (killer !== undefined) events.childKiller.publish({ name: child.spec.name, ...killer })
    }
    child.isSuspect = true
  }

  /** The first that did not end well decides. One that had not begun yet is ended by the signal itself. */
  #count({ hasEverRun }: Child, { code, signal }: ChildEnd): void {
    const isFine = code === 0 || (signal === 'SIGTERM' && !hasEverRun)
    if (!isFine && this.#exitCode === 0) this.#exitCode = code === 1 ? 1 : 2
  }

  async #roll(): Promise<void> {
    for (const child of this.#children) {
      if (this.#state !== 'supervising') return
      if (!child.isAlive) continue
      const { ended } = child
      child.state = 'stopping'
      child.signal('SIGTERM')
      await ended
      await this.#untilUp(child)
    }
  }

  async #untilUp(child: Child): Promise<void> {
    const isUp = (): boolean => child.state === 'running' || this.#state !== 'supervising'
    while (!isUp())
      await new Promise<void>((resolve) => this.#options.clock.after(50, () => resolve()))
  }

  async #stop(): Promise<number> {
    const { clock, rules } = this.#options
    this.#enter('stopping')
    this.#look?.cancel()
    for (const child of this.#children) child.rest()
    const alive = this.#children.filter(({ isAlive }) => isAlive)
    for (const child of alive) child.signal('SIGTERM')
    const timer = clock.after(rules.shutdownTimeoutMs + parentPatienceMs, () => {
      for (const child of alive) child.signal('SIGKILL')
    })
    await Promise.all(alive.map(({ ended }) => ended))
    timer.cancel()
    // The ends above are counted by whoever else waits for them.
    await Promise.resolve()
    this.#enter(this.#exitCode === 2 ? 'terminated' : 'stopped')
    this.#running.resolve()
    this.#done.resolve(this.#exitCode)
    return this.#exitCode
  }
}
