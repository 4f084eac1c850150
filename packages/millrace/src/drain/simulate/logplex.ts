/**
 * Plays the sending side of a Logplex drain: bodies of 100 KB at most, one in flight on a kept connection, five
 * seconds for an answer, three tries at once under one frame id, then the lines are lost and told so.
 *
 * `persistent` never gives a frame up and never displaces a line: for feeders that stand for a whole platform and
 * must lose nothing. No Logplex does that.
 */
import { randomBytes } from 'node:crypto'
import { Agent, request as httpRequest } from 'node:http'

import {
  backoffMs,
  deferred,
  sleep,
  systemClock,
  type Clock,
  type Deferred,
} from '../../kit/index.ts'
import {
  LogplexBuffer,
  type Ledger,
  type SimulatedFrame,
  type SimulatedLine,
} from './logplex-buffer.ts'

export interface LogplexOptions {
  /** Where the drain is; user-info becomes basic authentication. */
  readonly url: string
  /** `d.` and a UUID. */
  readonly token: string
  readonly persistent?: boolean
  /** Frames of a predecessor that were sent, perhaps, and not answered: they go first, under their ids. */
  readonly unanswered?: readonly SimulatedFrame[]
  /** Told before a frame's first try, and after it was taken. */
  readonly onFrame?: (frame: SimulatedFrame) => void
  readonly onDelivered?: (frame: SimulatedFrame) => void
  readonly clock?: Clock
  /** Default 5 s. */
  readonly answerTimeoutMs?: number
}

export interface Logplex extends AsyncDisposable {
  readonly ledger: Ledger
  /** Lines that wait, those in flight not counted. */
  readonly waiting: number
  /** How often a body was posted. */
  readonly tries: number
  push(line: SimulatedLine): void
  /** Resolves when the buffer takes more; at once unless it is full. */
  room(): Promise<void>
  /** Resolves when everything that was pushed has its fate. */
  settled(): Promise<void>
  /** Abandons what is in flight. */
  stop(): Promise<void>
}

const mostTries = 3

const newId = (): string => randomBytes(16).toString('hex').toUpperCase()

export function startLogplex(options: LogplexOptions): Logplex {
  return new LogplexSender(options)
}

class LogplexSender implements Logplex {
  readonly #options: LogplexOptions
  readonly #clock: Clock
  readonly #url: URL
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 1 })
  readonly #buffer: LogplexBuffer
  readonly #stopping = new AbortController()
  readonly #running: Promise<void>
  #wake: Deferred<void> = deferred()
  #changed: Deferred<void> = deferred()
  #unanswered: SimulatedFrame[]
  #isBusy = false
  tries = 0

  constructor(options: LogplexOptions) {
    this.#options = options
    this.#clock = options.clock ?? systemClock
    this.#url = new URL(options.url)
    this.#buffer = new LogplexBuffer(this.#clock, newId, options.persistent === true)
    this.#unanswered = Array.from(options.unanswered ?? [])
    this.#running = this.#run()
  }

  get ledger(): Ledger {
    return this.#buffer.ledger
  }

  get waiting(): number {
    return this.#buffer.size
  }

  push(line: SimulatedLine): void {
    this.#buffer.push(line)
    this.#wake.resolve()
  }

  async room(): Promise<void> {
    while (this.#buffer.isFull && !this.#stopping.signal.aborted) await this.#changed.promise
  }

  async settled(): Promise<void> {
    const isQuiet = (): boolean =>
      !this.#isBusy && this.#buffer.size === 0 && this.#unanswered.length === 0
    while (!isQuiet() && !this.#stopping.signal.aborted) await this.#changed.promise
  }

  async stop(): Promise<void> {
    this.#stopping.abort()
    this.#wake.resolve()
    this.#change()
    await this.#running
    this.#agent.destroy()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop()
  }

  async #run(): Promise<void> {
    const { signal } = this.#stopping
    while (!signal.aborted) {
      this.#wake = deferred()
      const left = this.#unanswered.shift()
      const frame = left ?? this.#buffer.next()
      if (!frame) {
        await this.#wake.promise
        continue
      }
      this.#isBusy = true
      if (!left) this.#options.onFrame?.(frame)
      if (await this.#deliver(frame)) {
        this.#buffer.delivered(frame)
        this.#options.onDelivered?.(frame)
      } else if (!signal.aborted) this.#buffer.givenUp(frame)
      this.#isBusy = false
      this.#change()
    }
  }

  #change(): void {
    const { resolve } = this.#changed
    this.#changed = deferred()
    resolve()
  }

  async #deliver(frame: SimulatedFrame): Promise<boolean> {
    const { signal } = this.#stopping
    const isPersistent = this.#options.persistent === true
    for (let attempt = 1; !signal.aborted; attempt++) {
      const status = await this.#post(frame)
      if (status !== undefined && status >= 200 && status < 300) return true
      if (!isPersistent) {
        const isFinal = status !== undefined && status >= 400 && status < 500 && status !== 429
        if (isFinal || attempt >= mostTries) return false
        continue
      }
      const waitMs = backoffMs({ firstMs: 50, maxMs: 1000 }, attempt)
      await sleep(this.#clock, waitMs, signal).catch(() => undefined)
    }
    return false
  }

  /** The status, or undefined when no answer came. */
  #post(frame: SimulatedFrame): Promise<number | undefined> {
    this.tries++
    const { body, count } = this.#buffer.body(frame)
    const { username, password } = this.#url
    const headers: Record<string, string> = {}
    if (username !== '') {
      headers['Authorization'] =
        `Basic ${btoa(`${decodeURIComponent(username)}:${decodeURIComponent(password)}`)}`
    }
    return new Promise((resolve) => {
      const outgoing = httpRequest(
        this.#url,
        {
          method: 'POST',
          agent: this.#agent,
          signal: this.#stopping.signal,
          headers: {
            ...headers,
            'Content-Type': 'application/logplex-1',
            'Logplex-Msg-Count': String(count),
            'Logplex-Frame-Id': frame.id,
            'Logplex-Drain-Token': this.#options.token,
            'User-Agent': 'Logplex/v72 (simulated)',
            'Content-Length': String(body.length),
          },
        },
        (response) => {
          timer.cancel()
          response.resume()
          response.once('close', () => resolve(response.statusCode))
        },
      )
      const timer = this.#clock.after(this.#options.answerTimeoutMs ?? 5_000, () =>
        outgoing.destroy(),
      )
      outgoing.once('error', () => {
        timer.cancel()
        resolve(undefined)
      })
      outgoing.end(body)
    })
  }
}
