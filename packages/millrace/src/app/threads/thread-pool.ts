import type { Moment } from '../consumer/consumer-class.ts'
import { HandlerThread, type ThreadSettings } from './handler-thread.ts'

interface Waiting {
  readonly signal: AbortSignal
  readonly give: (thread: HandlerThread) => void
}

/**
 * The threads of one consumer. They start when there is work for them, up to the limit, and end when no partition is left.
 * Calls that find none free wait in their order.
 */
export class ThreadPool {
  readonly #settings: ThreadSettings
  readonly #limit: number
  readonly #threads = new Set<HandlerThread>()
  readonly #idle: HandlerThread[] = []
  readonly #waiting: Waiting[] = []
  #users = 0

  constructor(settings: ThreadSettings, limit: number) {
    this.#settings = settings
    this.#limit = limit
  }

  /** Threads that are there now. */
  get size(): number {
    return this.#threads.size
  }

  /** A partition begins. */
  enter(): void {
    this.#users++
  }

  /** A partition is gone; with the last one the threads end, and what still runs in them. */
  async leave(): Promise<void> {
    if (--this.#users > 0) return
    const ending = [...this.#threads]
    this.#threads.clear()
    this.#idle.length = 0
    await Promise.all(ending.map((thread) => thread.close()))
  }

  async run(moment: Moment): Promise<unknown> {
    const thread = await this.#take(moment.context.signal)
    try {
      return await thread.run(moment)
    } finally {
      this.#giveBack(thread)
    }
  }

  #take(signal: AbortSignal): Promise<HandlerThread> {
    signal.throwIfAborted()
    const idle = this.#popIdle()
    if (idle !== undefined) return Promise.resolve(idle)
    if (this.#threads.size < this.#limit) return Promise.resolve(this.#start())
    return new Promise((resolve, reject) => {
      const onAbort = (): void => {
        this.#waiting.splice(this.#waiting.indexOf(waiting), 1)
        reject(signal.reason as Error)
      }
      const waiting: Waiting = {
        signal,
        give: (thread) => {
          signal.removeEventListener('abort', onAbort)
          resolve(thread)
        },
      }
      this.#waiting.push(waiting)
      signal.addEventListener('abort', onAbort, { once: true })
    })
  }

  #giveBack(thread: HandlerThread): void {
    if (!this.#threads.has(thread)) return
    if (thread.isGone) this.#threads.delete(thread)
    const next = this.#waiting.shift()
    if (next !== undefined) next.give(thread.isGone ? this.#start() : thread)
    else if (!thread.isGone) this.#idle.push(thread)
  }

  #popIdle(): HandlerThread | undefined {
    for (let thread = this.#idle.pop(); thread !== undefined; thread = this.#idle.pop()) {
      if (!thread.isGone) return thread
      this.#threads.delete(thread)
    }
    return undefined
  }

  #start(): HandlerThread {
    const thread = new HandlerThread(this.#settings)
    this.#threads.add(thread)
    return thread
  }
}
