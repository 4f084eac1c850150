/**
 * Sends the requests of an access log through a router simulator to a site, and the router's lines through a
 * Logplex simulator to a drain: measured timings of real requests.
 *
 * It may be killed at any moment and started again: a journal says which requests have their line, and which lines
 * went out in which frame. A frame without an answer is sent again under its id with the same lines, so that the
 * drain takes it once; a request without a line is sent again under its id, so that the site logs it once. An
 * attempt that the site broke off is tried again and leaves no line: the lines are one for each request.
 */
import { randomBytes, randomUUID } from 'node:crypto'
import { mkdirSync } from 'node:fs'
import { Agent, request as httpRequest } from 'node:http'
import { join } from 'node:path'

import { backoffMs, sleep, Slots, systemClock, type Clock } from '../../kit/index.ts'
import { ReplaySchedule } from '../replay/schedule.ts'
import { indexOfRequestId, requestIdOf, type LoggedRequest } from './access-log.ts'
import { LineJournal } from './line-journal.ts'
import { startLogplex, type Logplex } from './logplex.ts'
import type { SimulatedFrame, SimulatedLine } from './logplex-buffer.ts'
import { startRouter, type Router } from './router.ts'

export interface FeederOptions {
  readonly requests: readonly LoggedRequest[]
  /** URL of the site behind the router. */
  readonly site: string
  /** URL of the drain. */
  readonly drain: string
  /** Where the journal lies. */
  readonly folder: string
  /** What the recorded gaps are divided by. Default 10,000; Infinity leaves none. */
  readonly speed?: number
  /** Requests in flight at once. Default 8. */
  readonly concurrency?: number
  /** The `Host` of every request. Default `www.semicomplete.com`. */
  readonly host?: string
  readonly clock?: Clock
}

export interface FeederProgress {
  readonly total: number
  /** Requests that have their line. */
  readonly answered: number
  /** Lines that the drain has taken. */
  readonly delivered: number
}

export interface Feeder extends AsyncDisposable {
  readonly progress: FeederProgress
  /** Resolves when every request's line was taken by the drain; rejects when the feeder cannot go on. */
  readonly done: Promise<void>
  stop(): Promise<void>
}

type Entry =
  | { readonly kind: 'start'; readonly run: string; readonly token: string }
  | { readonly kind: 'line'; readonly index: number; readonly content: string }
  | { readonly kind: 'frame'; readonly id: string; readonly indexes: readonly number[] }
  | { readonly kind: 'taken'; readonly id: string }

interface Recovered {
  readonly run: string
  readonly token: string
  readonly contentByIndex: Map<number, Buffer>
  /** Lines that were taken. */
  readonly delivered: number
  readonly unanswered: readonly SimulatedFrame[]
  /** Lines in no frame yet. */
  readonly waiting: readonly SimulatedLine[]
}

export async function startFeeder(options: FeederOptions): Promise<Feeder> {
  mkdirSync(options.folder, { recursive: true })
  const { journal, lines } = LineJournal.open(join(options.folder, 'feeder.journal'))
  const entries = lines.map((line) => JSON.parse(line) as Entry)
  const write = (entry: Entry): void => journal.append(JSON.stringify(entry))
  if (entries.length === 0) {
    const start: Entry = {
      kind: 'start',
      run: randomBytes(4).toString('hex'),
      token: `d.${randomUUID()}`,
    }
    write(start)
    entries.push(start)
  }
  const recovered = recover(entries)
  let delivered = recovered.delivered
  const logplex = startLogplex({
    url: options.drain,
    token: recovered.token,
    persistent: true,
    unanswered: recovered.unanswered,
    onFrame: ({ id, lines: framed }) =>
      write({ kind: 'frame', id, indexes: framed.map(({ number }) => number) }),
    onDelivered: ({ id, lines: framed }) => {
      write({ kind: 'taken', id })
      delivered += framed.length
    },
    ...(options.clock ? { clock: options.clock } : {}),
  })
  for (const line of recovered.waiting) logplex.push(line)

  const answered = recovered.contentByIndex
  const router = await startRouter({
    backend: options.site,
    onLine: (line) => {
      const index = indexOfRequestId(line.requestId)
      if (index === undefined || line.code !== null || answered.has(index)) return
      write({ kind: 'line', index, content: line.content.toString() })
      answered.set(index, line.content)
      logplex.push({ number: index, content: line.content })
    },
  })
  const run = new FeederRun(options, recovered.run, router, logplex, answered)
  const done = run.all()
  // Observed by whoever waits for `done`; a stop before that is no error of anybody.
  done.catch(() => undefined)
  const stop = async (): Promise<void> => {
    run.abort()
    await done.catch(() => undefined)
    await router.stop()
    await logplex.stop()
    journal.close()
  }
  let stopping: Promise<void> | undefined
  const stopOnce = (): Promise<void> => (stopping ??= stop())
  return {
    get progress() {
      return { total: options.requests.length, answered: answered.size, delivered }
    },
    done,
    stop: stopOnce,
    [Symbol.asyncDispose]: stopOnce,
  }
}

function recover(entries: readonly Entry[]): Recovered {
  let run = ''
  let token = ''
  const contentByIndex = new Map<number, Buffer>()
  const waiting = new Set<number>()
  const frames = new Map<string, readonly number[]>()
  let delivered = 0
  for (const entry of entries) {
    switch (entry.kind) {
      case 'start':
        ;({ run, token } = entry)
        break
      case 'line':
        contentByIndex.set(entry.index, Buffer.from(entry.content))
        waiting.add(entry.index)
        break
      case 'frame':
        frames.set(entry.id, entry.indexes)
        for (const index of entry.indexes) waiting.delete(index)
        break
      case 'taken':
        delivered += frames.get(entry.id)?.length ?? 0
        frames.delete(entry.id)
    }
  }
  const linesOf = (indexes: Iterable<number>): SimulatedLine[] =>
    Array.from(indexes, (number) => ({
      number,
      content: contentByIndex.get(number) ?? Buffer.alloc(0),
    }))
  const unanswered = Array.from(frames, ([id, indexes]) => ({ id, lines: linesOf(indexes) }))
  return { run, token, contentByIndex, delivered, unanswered, waiting: linesOf(waiting) }
}

class FeederRun {
  readonly #options: FeederOptions
  readonly #run: string
  readonly #router: Router
  readonly #logplex: Logplex
  readonly #answered: ReadonlyMap<number, Buffer>
  readonly #clock: Clock
  readonly #agent: Agent
  readonly #stopping = new AbortController()

  constructor(
    options: FeederOptions,
    run: string,
    router: Router,
    logplex: Logplex,
    answered: ReadonlyMap<number, Buffer>,
  ) {
    this.#options = options
    this.#run = run
    this.#router = router
    this.#logplex = logplex
    this.#answered = answered
    this.#clock = options.clock ?? systemClock
    this.#agent = new Agent({ keepAlive: true, maxSockets: options.concurrency ?? 8 })
  }

  abort(): void {
    this.#stopping.abort()
    this.#agent.destroy()
  }

  async all(): Promise<void> {
    const { signal } = this.#stopping
    const slots = new Slots(this.#options.concurrency ?? 8)
    const schedule = new ReplaySchedule({
      speed: this.#options.speed ?? 10_000,
      maxGapMs: 1_000,
      clock: this.#clock,
    })
    const open = new Set<Promise<void>>()
    try {
      for (const request of this.#options.requests) {
        if (this.#answered.has(request.index)) continue
        const leftMs = schedule.dueMs(request.timeMs) - this.#clock.monotonicMs()
        if (leftMs > 0) await sleep(this.#clock, leftMs, signal)
        await this.#logplex.room()
        if (!(await slots.take(signal))) throw signal.reason as Error
        const sending = this.#until(request).finally(() => {
          slots.release()
          open.delete(sending)
        })
        // Its failure is only ever the stop, which `Promise.all` below or the loop reports.
        sending.catch(() => undefined)
        open.add(sending)
      }
      await Promise.all(open)
      await this.#logplex.settled()
      signal.throwIfAborted()
    } finally {
      await Promise.allSettled(open)
      this.#agent.destroy()
    }
  }

  /** Sends one request until the router has a line of a whole answer. */
  async #until(request: LoggedRequest): Promise<void> {
    for (let attempt = 1; !this.#answered.has(request.index); attempt++) {
      this.#stopping.signal.throwIfAborted()
      await this.#send(request)
      if (this.#answered.has(request.index)) return
      const waitMs = backoffMs({ firstMs: 20, maxMs: 500 }, attempt)
      await sleep(this.#clock, waitMs, this.#stopping.signal)
    }
  }

  /** Resolves when the answer is over; whether it was whole is for the router to say. */
  #send({ method, path, client, index }: LoggedRequest): Promise<void> {
    return new Promise((resolve) => {
      const outgoing = httpRequest(
        {
          agent: this.#agent,
          hostname: '127.0.0.1',
          port: this.#router.port,
          method,
          path,
          signal: this.#stopping.signal,
          headers: {
            Host: this.#options.host ?? 'www.semicomplete.com',
            'X-Request-Id': requestIdOf(this.#run, index),
            'X-Forwarded-For': client,
          },
        },
        (response) => {
          response.on('error', () => resolve())
          response.once('close', () => resolve())
          response.resume()
        },
      )
      outgoing.once('error', () => resolve())
      outgoing.end()
    })
  }
}
