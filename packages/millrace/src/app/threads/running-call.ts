import type { Responses } from '../context/context.ts'
import { deferred, type Deferred } from '../../kit/index.ts'
import type { Logger, Sent } from '../ports.ts'
import { encodeMessage, type Send } from '../produce/sendable.ts'
import { copyBytes } from './copy-bytes.ts'
import type { ThreadContext } from './define-thread-handler.ts'
import {
  abortedFlag,
  stoppingFlag,
  type FromThread,
  type WireAnswer,
  type WireCall,
  type WireJob,
} from './messages.ts'
import { errorFromWire } from './wire-error.ts'

/** One call inside of the thread: the context that its handler sees. */
export class RunningCall implements ThreadContext {
  readonly job: number
  readonly consumer: string
  readonly group: string
  readonly attempt: number
  readonly batch: WireJob['batch']
  readonly log: Logger
  readonly #flags: Int32Array
  readonly #post: (message: FromThread, handedOver?: ArrayBuffer[]) => void
  readonly #aborter = new AbortController()
  readonly #calls = new Map<number, Deferred<Sent | Responses>>()
  readonly #asked: Promise<unknown>[] = []
  #lastCall = 0

  constructor(
    job: number,
    { consumer, group, attempt, batch }: WireJob,
    flags: SharedArrayBuffer,
    post: (message: FromThread, handedOver?: ArrayBuffer[]) => void,
  ) {
    this.job = job
    this.consumer = consumer
    this.group = group
    this.attempt = attempt
    this.batch = batch
    this.#flags = new Int32Array(flags)
    this.#post = post
    this.log = {
      debug: (fields, text) => this.#log('debug', fields, text),
      info: (fields, text) => this.#log('info', fields, text),
      warn: (fields, text) => this.#log('warn', fields, text),
      error: (fields, text) => this.#log('error', fields, text),
    }
  }

  get retrying(): boolean {
    return this.attempt > 1
  }

  get stopping(): boolean {
    return Atomics.load(this.#flags, stoppingFlag) === 1
  }

  get aborted(): boolean {
    return Atomics.load(this.#flags, abortedFlag) === 1
  }

  get signal(): AbortSignal {
    if (this.aborted) this.abort(false)
    return this.#aborter.signal
  }

  get send(): Send {
    return (topic, message) => this.#keep(this.#send(topic, message))
  }

  get respondWith(): ThreadContext['respondWith'] {
    return (data) =>
      this.#keep(this.#call({ name: 'respondWith', data })) as ReturnType<
        ThreadContext['respondWith']
      >
  }

  /** What was asked for belongs to the call, awaited or not. @throws what failed of it */
  async settled(): Promise<void> {
    await Promise.all(this.#asked)
  }

  abort(isTimeout: boolean): void {
    const reason = isTimeout
      ? new DOMException('the attempt took longer than its timeout', 'TimeoutError')
      : new DOMException('the partition is given up or the worker stops', 'AbortError')
    this.#aborter.abort(reason)
  }

  answered(call: number, answer: WireAnswer): void {
    const waiting = this.#calls.get(call)
    this.#calls.delete(call)
    if ('error' in answer) waiting?.reject(errorFromWire(answer.error))
    else waiting?.resolve('sent' in answer ? answer.sent : answer.responses)
  }

  async #send(...[topic, message]: Parameters<Send>): Promise<Sent> {
    const encoded = await encodeMessage(topic, message, (name) => name)
    const handedOver: ArrayBuffer[] = []
    const bytes = (one: Uint8Array | string | null): Uint8Array | string | null =>
      typeof one === 'string' ? one : copyBytes(one, handedOver)
    const { headers } = encoded
    const wire = {
      ...encoded,
      key: bytes(encoded.key ?? null),
      value: bytes(encoded.value),
      ...(headers === undefined
        ? {}
        : { headers: headers.map(([name, value]) => [name, bytes(value)] as const) }),
    }
    const ask: WireCall = { name: 'send', topic: encoded.topic, message: wire }
    return (await this.#call(ask, handedOver)) as Sent
  }

  async #call(ask: WireCall, handedOver: ArrayBuffer[] = []): Promise<Sent | Responses> {
    const call = ++this.#lastCall
    const waiting = deferred<Sent | Responses>()
    this.#calls.set(call, waiting)
    this.#post({ kind: 'call', job: this.job, call, ask }, handedOver)
    return waiting.promise
  }

  #keep<R>(asking: Promise<R>): Promise<R> {
    // Not awaited by the handler, its failure is the call's: `settled` tells it.
    asking.catch(() => {})
    this.#asked.push(asking)
    return asking
  }

  #log(level: 'debug' | 'info' | 'warn' | 'error', fields: object, text: string): void {
    this.#post({ kind: 'log', job: this.job, level, fields: plain(fields), text })
  }
}

/** What cannot be cloned crosses as JSON. */
function plain(fields: object): object {
  try {
    return structuredClone(fields)
  } catch {
    return JSON.parse(JSON.stringify(fields)) as object
  }
}
