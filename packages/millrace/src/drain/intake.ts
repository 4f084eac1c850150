import { isFailure } from '../errors/index.ts'
import { deferred, type Clock } from '../kit/index.ts'
import { BodyReader, type BodyLine, type RawBody } from './body.ts'
import { ByteBudget } from './byte-budget.ts'
import { sourceName, type DrainCounters } from './counters.ts'
import type { FramesSeen } from './frames-seen.ts'
import { rebuildSeen, type PastMessage } from './history.ts'
import { headerNames, type DrainMessage, type DrainTopics } from './record.ts'
import type { Sender } from './sender.ts'

/** Sends one message; resolves once the broker has acknowledged it. A client's producer is one. */
export interface DrainProducer {
  send(message: DrainMessage): Promise<unknown>
}

/**
 * What becomes of a body: `taken` and `duplicate` mean that every line is committed in the broker, `unreadable`
 * that no line could be read (its bytes are kept), `late` and `failed` that the sender should come again.
 */
export type Verdict = 'taken' | 'duplicate' | 'unreadable' | 'late' | 'failed'

export interface Taken {
  readonly verdict: Verdict
  readonly frames: number
  /** Resolves when nothing of the body is held any more, which may be long after a `late` answer. Never rejects. */
  readonly settled: Promise<void>
}

export interface IntakeOptions {
  readonly producer: DrainProducer
  readonly topics: DrainTopics
  readonly seen: FramesSeen
  readonly counters: DrainCounters
  readonly clock: Clock
  /** How long an answer may wait for the broker. */
  readonly holdMs: number
  readonly onError: (error: unknown) => void
  /** What the topics hold; looked at when nobody knows whether a line was written. */
  readonly history?: () => AsyncIterable<PastMessage>
}

const done = Promise.resolve()

/**
 * Bodies, in bytes as they came, whose lines may be in memory at once. Lines take some twenty times as much: this,
 * and not what is reserved for raw bodies, is what bounds the memory of a drain whose broker is away.
 */
const readBytes = 2 * 1024 * 1024

/**
 * When a line's outcome is unknown, its last attempt may still be on its way: a client's request closes its
 * connection after 30 s, and then nothing lands any more. Only after that a look at the topics says anything.
 */
const landedMs = 35_000
const looks = 3

/**
 * Takes whole bodies: deduplicates by frame id, reads, writes, and says what to answer.
 *
 * A body that could not be written in time stays claimed until its sends have settled. So a sender that comes
 * again meanwhile waits for the first copy and is not written twice, and one that comes after a partial failure
 * only adds the lines that are missing. Where the broker's answer never came, the topics themselves say which are.
 */
export class Intake {
  readonly #options: IntakeOptions
  readonly #reading = new ByteBudget(readBytes)

  constructor(options: IntakeOptions) {
    this.#options = options
  }

  async take(sender: Sender, body: RawBody, receivedUs: number): Promise<Taken> {
    const { seen, clock, holdMs, counters } = this.#options
    const source = sourceName(sender)
    const id = sender.frameId
    const untilMs = clock.monotonicMs() + holdMs
    if (id === null) return this.#takeClaimed(sender, body, receivedUs, untilMs, unclaimed)
    for (;;) {
      if (seen.isComplete(source, id)) {
        counters.duplicate(sender)
        return { verdict: 'duplicate', frames: 0, settled: done }
      }
      const other = seen.writing(source, id)
      if (!other) break
      if (!(await this.#inTime(other, untilMs))) return late
    }
    const { promise, resolve } = deferred()
    return this.#takeClaimed(sender, body, receivedUs, untilMs, {
      written: seen.claim(source, id, clock.now(), promise),
      release: (written, count) => {
        seen.release(source, id, written, count)
        resolve()
      },
    })
  }

  async #takeClaimed(
    sender: Sender,
    body: RawBody,
    receivedUs: number,
    untilMs: number,
    claim: Claim,
  ): Promise<Taken> {
    if (!(await this.#mayRead(body.size, untilMs))) {
      claim.release([], undefined)
      return late
    }
    const reader = this.#read(sender, body, receivedUs)
    const { frames, readable, count } = reader
    let hasFailed = false
    const settle = async (): Promise<void> => {
      const outcome = await this.#write(sender, reader, receivedUs, claim.written)
      ;({ hasFailed } = outcome)
      this.#reading.release(body.size)
      if (outcome.isUnsure && sender.frameId !== null) await this.#look()
      claim.release(outcome.written, count)
    }
    const settled = settle()
    if (!(await this.#inTime(settled, untilMs))) return { verdict: 'late', frames, settled }
    const verdict = hasFailed ? 'failed' : readable === 0 ? 'unreadable' : 'taken'
    return { verdict, frames, settled }
  }

  async #mayRead(size: number, untilMs: number): Promise<boolean> {
    const { clock } = this.#options
    const late = new AbortController()
    const timer = clock.after(untilMs - clock.monotonicMs(), () => late.abort())
    try {
      return await this.#reading.reserve(size, late.signal)
    } finally {
      timer.cancel()
    }
  }

  #read(sender: Sender, { chunks, size }: RawBody, receivedUs: number): BodyReader {
    const { counters, clock } = this.#options
    const reader = new BodyReader(sender.mode, receivedUs, size)
    for (const chunk of chunks) reader.push(chunk)
    reader.end()
    counters.body(sender, size, reader, clock.now())
    return reader
  }

  /** Hands every missing line to the producer in the body's order, in one turn. */
  async #write(
    sender: Sender,
    reader: BodyReader,
    receivedUs: number,
    written: ReadonlySet<number>,
  ): Promise<Outcome> {
    const sends: Promise<unknown>[] = []
    const indexes: number[] = []
    const shared = sharedHeaders(sender, reader.count, receivedUs)
    for (const line of reader.lines) {
      if (written.has(line.index)) continue
      const topic = this.#options.topics[line.read.topic]
      indexes.push(line.index)
      sends.push(topic === null ? done : this.#send(messageOf(topic, line, shared)))
    }
    const outcomes = await Promise.allSettled(sends)
    const now: number[] = []
    let hasFailed = false
    let isUnsure = false
    for (const [position, outcome] of outcomes.entries()) {
      if (outcome.status === 'fulfilled') {
        now.push(indexes[position] ?? 0)
        continue
      }
      isUnsure ||= isFailure(outcome.reason, 'MR_PRODUCER_OUTCOME_UNKNOWN')
      if (!hasFailed) this.#options.onError(outcome.reason)
      hasFailed = true
    }
    return { written: now, hasFailed, isUnsure }
  }

  /** Finds out what landed after all. With the cluster away for long it gives up: then a copy may double a line. */
  async #look(): Promise<void> {
    const { history, seen, clock, onError } = this.#options
    if (!history) return
    for (let attempt = 1; attempt <= looks; attempt++) {
      // Does not hold a process that ends: its successor looks at the topics anyway.
      await new Promise<void>((resolve) => clock.after(landedMs, resolve, { unref: true }))
      try {
        await rebuildSeen(seen, history(), clock.now())
        return
      } catch (error) {
        onError(error)
      }
    }
  }

  /** Async, so that a producer that throws at once fails its line and not the claim. */
  async #send(message: DrainMessage): Promise<void> {
    await this.#options.producer.send(message)
  }

  async #inTime(wait: Promise<void>, untilMs: number): Promise<boolean> {
    const { clock } = this.#options
    const late = deferred<boolean>()
    const timer = clock.after(untilMs - clock.monotonicMs(), () => late.resolve(false))
    try {
      return await Promise.race([wait.then(() => true), late.promise])
    } finally {
      timer.cancel()
    }
  }
}

interface Outcome {
  readonly written: readonly number[]
  readonly hasFailed: boolean
  /** Some of the failed ones may have been written all the same. */
  readonly isUnsure: boolean
}

const late: Taken = { verdict: 'late', frames: 0, settled: done }

/** A body that nobody else writes, from its first look to its last send. */
interface Claim {
  readonly written: ReadonlySet<number>
  readonly release: (written: readonly number[], count: number | undefined) => void
}

const unclaimed: Claim = { written: new Set(), release: () => undefined }

type DrainHeader = readonly [name: string, value: string]

/** The headers that all lines of a body share, made once. */
function sharedHeaders(sender: Sender, count: number, receivedUs: number): readonly DrainHeader[] {
  const headers: DrainHeader[] = []
  if (sender.frameId !== null) headers.push([headerNames.frameId, sender.frameId])
  if (sender.token !== null) headers.push([headerNames.drainToken, sender.token])
  headers.push(
    [headerNames.frameCount, String(count)],
    [headerNames.receivedUs, String(receivedUs)],
    [headerNames.source, sourceName(sender)],
  )
  return headers
}

function messageOf(
  topic: string,
  { index, read }: BodyLine,
  shared: readonly DrainHeader[],
): DrainMessage {
  const own: DrainHeader[] = [[headerNames.frameIndex, String(index)]]
  if (read.token !== null) own.push([headerNames.drainToken, read.token])
  const { key, value, timestamp } = read
  return { topic, key, value, headers: shared.concat(own), timestamp }
}
