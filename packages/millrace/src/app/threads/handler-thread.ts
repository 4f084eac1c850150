import { Worker } from 'node:worker_threads'

import { failure } from '../../errors/index.ts'
import { deferred, ownModule, type Deferred } from '../../kit/index.ts'
import type { Moment } from '../consumer/consumer-class.ts'
import type { Context } from '../context/context.ts'
import { deadLetter, failed, retry, skip, stop, type Outcome } from '../outcome.ts'
import { asBuffer } from './copy-bytes.ts'
import {
  abortedFlag,
  stoppingFlag,
  type FromThread,
  type ThreadData,
  type ToThread,
  type WireAnswer,
  type WireCall,
  type WireOutcome,
} from './messages.ts'
import { graceMs, stoppingPollMs } from './options.ts'
import { errorFromWire, errorToWire } from './wire-error.ts'
import { jobToWire } from './wire-job.ts'

export interface ThreadSettings {
  readonly consumer: string
  readonly module: string
  /** Undefined: Node's limit. */
  readonly memoryMiB: number | undefined
  /** Error classes that the consumer's lists name, by their names. */
  readonly knownClasses: ReadonlyMap<string, object>
}

interface Running {
  readonly job: number
  readonly context: Context
  readonly verdict: Deferred<Outcome | undefined>
}

/**
 * At its limit a thread gets 16 MiB more to come to its end in. With V8's young generation of 48 one collection can
 * promote more than that, and then the whole process dies instead of the thread (seen with Node 24.21; never at 32).
 */
const youngMiB = 16

/**
 * One worker thread with the handler's module, and at most one call in it.
 *
 * - Idle, it does not keep the process.
 * - A call that goes on for too long after its signal was aborted ends with the thread: a promise cannot be killed, a
 *   thread can.
 * - Whatever ends the thread fails the call that is in it, and nothing else.
 */
export class HandlerThread {
  readonly #settings: ThreadSettings
  readonly #worker: Worker
  readonly #flags: Int32Array<SharedArrayBuffer>
  readonly #gone = deferred()
  #running: Running | undefined
  #jobs = 0
  #isReady = false
  #isGone = false
  /** Why it ends, when that is known before it has. */
  #reason: Error | undefined

  constructor(settings: ThreadSettings) {
    this.#settings = settings
    const { module, consumer, memoryMiB } = settings
    const flags = new SharedArrayBuffer(8)
    const workerData: ThreadData = { module, flags }
    this.#flags = new Int32Array(flags)
    this.#worker = new Worker(ownModule('app/threads/thread-main'), {
      name: `millrace ${consumer}`,
      workerData,
      resourceLimits: {
        maxYoungGenerationSizeMb: youngMiB,
        ...(memoryMiB === undefined ? {} : { maxOldGenerationSizeMb: memoryMiB }),
      },
    })
    this.#worker.unref()
    this.#worker.on('message', (message: FromThread) => this.#hear(message))
    this.#worker.on('messageerror', (error) => this.#end(this.#failure(error.message, error)))
    this.#worker.on('error', (error: unknown) => {
      this.#reason ??= this.#crash(error)
    })
    this.#worker.on('exit', (exitCode) => {
      this.#isGone = true
      this.#reason ??= this.#failure(`it exited with ${exitCode}`)
      this.#settle()?.verdict.reject(this.#reason)
      this.#gone.resolve()
    })
  }

  get isGone(): boolean {
    return this.#isGone || this.#reason !== undefined
  }

  /** Resolves when the thread has ended. */
  get gone(): Promise<void> {
    return this.#gone.promise
  }

  /** @throws what the handler throws; MR_APP_THREAD_ENDED, MR_APP_THREAD_MEMORY, MR_APP_THREAD_MODULE */
  async run(moment: Moment): Promise<Outcome | undefined> {
    const { context } = moment
    const job = ++this.#jobs
    const verdict = deferred<Outcome | undefined>()
    this.#running = { job, context, verdict }
    this.#flags.fill(0)
    this.#worker.ref()
    const { work, handedOver } = jobToWire(moment)
    this.#post({ kind: 'run', job, work }, handedOver)

    let grace: NodeJS.Timeout | undefined
    const onAbort = (): void => {
      Atomics.store(this.#flags, abortedFlag, 1)
      const isTimeout = (context.signal.reason as Error | undefined)?.name === 'TimeoutError'
      this.#post({ kind: 'abort', job, isTimeout })
      const reason = this.#failure(
        this.#isReady
          ? 'its handler went on after its signal was aborted'
          : 'it was still loading its module when its signal was aborted',
      )
      grace = setTimeout(() => this.#end(reason), graceMs)
    }
    const look = setInterval(() => {
      if (context.stopping) Atomics.store(this.#flags, stoppingFlag, 1)
    }, stoppingPollMs)
    const { signal } = context
    if (signal.aborted) onAbort()
    else signal.addEventListener('abort', onAbort, { once: true })
    try {
      return await verdict.promise
    } finally {
      signal.removeEventListener('abort', onAbort)
      clearInterval(look)
      clearTimeout(grace)
    }
  }

  /** Ends it now, with the call that is in it. */
  async close(): Promise<void> {
    this.#end(this.#failure('the partition is gone'))
    await this.#gone.promise
  }

  #hear(message: FromThread): void {
    switch (message.kind) {
      case 'ready':
        this.#isReady = true
        return
      case 'unloadable': {
        const cause = errorFromWire(message.error)
        const { consumer, module } = this.#settings
        const reason = cause.message
        this.#end(failure('MR_APP_THREAD_MODULE', { consumer, module, reason }, { cause }))
        return
      }
      case 'log': {
        const { level, fields, text } = message
        if (this.#running?.job === message.job) this.#running.context.log[level](fields, text)
        return
      }
      case 'call':
        if (this.#running?.job === message.job) void this.#answer(message.call, message.ask)
        return
      case 'done':
        if (this.#running?.job === message.job)
          this.#settle()?.verdict.resolve(this.#outcome(message.outcome))
        return
      case 'failed':
        if (this.#running?.job === message.job)
          this.#settle()?.verdict.reject(errorFromWire(message.error, this.#settings.knownClasses))
    }
  }

  async #answer(call: number, ask: WireCall): Promise<void> {
    let answer: WireAnswer
    try {
      answer = await this.#ask(ask)
    } catch (error) {
      answer = { error: errorToWire(error) }
    }
    if (!this.isGone) this.#post({ kind: 'answer', call, answer })
  }

  async #ask(ask: WireCall): Promise<WireAnswer> {
    // It belongs to the job: the context keeps the promise, and the call ends when that has.
    const { send, respondWith } = (this.#running as Running).context
    switch (ask.name) {
      case 'send': {
        const { key, value, headers, ...place } = ask.message
        const message = {
          ...place,
          key: typeof key === 'string' ? key : asBuffer(key),
          value: typeof value === 'string' ? value : asBuffer(value),
          ...(headers === undefined ? {} : { headers }),
        }
        return { sent: await send(ask.topic, message) }
      }
      case 'respondWith':
        return { responses: await respondWith(ask.data) }
    }
  }

  #outcome(wire: WireOutcome | undefined): Outcome | undefined {
    switch (wire?.kind) {
      case undefined:
        return undefined
      case 'retry':
        return retry(wire.after === undefined ? {} : { after: wire.after })
      case 'skip':
        return skip(wire.reason)
      case 'deadLetter':
        return deadLetter(wire.reason)
      case 'stop':
        return stop(wire.reason)
      case 'failed':
        return failed(
          wire.failures.map(({ offset, error }) => ({
            message: { offset },
            error: errorFromWire(error, this.#settings.knownClasses),
          })),
        )
    }
  }

  /** The call, which is over. */
  #settle(): Running | undefined {
    const running = this.#running
    this.#running = undefined
    if (!this.#isGone) this.#worker.unref()
    return running
  }

  #end(reason: Error): void {
    this.#reason ??= reason
    void this.#worker.terminate()
  }

  #crash(error: unknown): Error {
    const { consumer, memoryMiB } = this.#settings
    const isMemory = (error as { readonly code?: unknown }).code === 'ERR_WORKER_OUT_OF_MEMORY'
    if (isMemory) return failure('MR_APP_THREAD_MEMORY', { consumer, memoryMiB }, { cause: error })
    return this.#failure(error instanceof Error ? error.message : String(error), error)
  }

  #failure(reason: string, cause?: unknown): Error {
    const { consumer } = this.#settings
    return failure(
      'MR_APP_THREAD_ENDED',
      { consumer, reason },
      cause === undefined ? {} : { cause },
    )
  }

  #post(message: ToThread, handedOver: ArrayBuffer[] = []): void {
    this.#worker.postMessage(message, handedOver)
  }
}
