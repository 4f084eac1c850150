import { deferred, type Clock } from '../kit/index.ts'
import type { BodyLine, BodyReader } from './body.ts'
import { sourceName, type DrainCounters } from './counters.ts'
import type { FramesSeen } from './frames-seen.ts'
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
}

const done = Promise.resolve()

/**
 * Takes whole bodies: deduplicates by frame id, writes, and says what to answer.
 *
 * A body that could not be written in time stays claimed until its sends have settled. So a sender that comes
 * again meanwhile waits for the first copy and is not written twice, and one that comes after a partial failure
 * only adds the lines that are missing.
 */
export class Intake {
  readonly #options: IntakeOptions

  constructor(options: IntakeOptions) {
    this.#options = options
  }

  async take(sender: Sender, reader: BodyReader, receivedUs: number): Promise<Taken> {
    const { seen, clock, holdMs, counters } = this.#options
    const source = sourceName(sender)
    const id = sender.frameId
    const untilMs = clock.monotonicMs() + holdMs
    if (id === null) {
      const writing = this.#write(sender, reader, receivedUs, nothingWritten)
      return this.#answer(writing, reader, untilMs)
    }
    for (;;) {
      if (seen.isComplete(source, id)) {
        counters.duplicate(sender)
        return { verdict: 'duplicate', settled: done }
      }
      const other = seen.writing(source, id)
      if (!other) break
      if (!(await this.#inTime(other, untilMs))) return { verdict: 'late', settled: done }
    }
    const { promise, resolve } = deferred()
    const written = seen.claim(source, id, reader.count, clock.now(), promise)
    const writing = this.#write(sender, reader, receivedUs, written).then((outcome) => {
      seen.release(source, id, outcome.written)
      resolve()
      return outcome
    })
    return this.#answer(writing, reader, untilMs)
  }

  async #answer(writing: Promise<Outcome>, reader: BodyReader, untilMs: number): Promise<Taken> {
    const settled = writing.then(() => undefined)
    if (!(await this.#inTime(settled, untilMs))) return { verdict: 'late', settled }
    const { hasFailed } = await writing
    const verdict = hasFailed ? 'failed' : reader.readable === 0 ? 'unreadable' : 'taken'
    return { verdict, settled }
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
    for (const line of reader.lines) {
      if (written.has(line.index)) continue
      const topic = this.#options.topics[line.read.topic]
      indexes.push(line.index)
      sends.push(
        topic === null
          ? done
          : this.#send(messageOf(topic, line, sender, reader.count, receivedUs)),
      )
    }
    const outcomes = await Promise.allSettled(sends)
    const now: number[] = []
    let hasFailed = false
    for (const [position, outcome] of outcomes.entries()) {
      if (outcome.status === 'fulfilled') now.push(indexes[position] ?? 0)
      else if (!hasFailed) {
        hasFailed = true
        this.#options.onError(outcome.reason)
      }
    }
    return { written: now, hasFailed }
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
}

const nothingWritten: ReadonlySet<number> = new Set()

function messageOf(
  topic: string,
  { index, read }: BodyLine,
  sender: Sender,
  count: number,
  receivedUs: number,
): DrainMessage {
  const headers: (readonly [string, string])[] = []
  if (sender.frameId !== null) headers.push([headerNames.frameId, sender.frameId])
  const token = sender.token ?? read.header?.token ?? null
  if (token !== null) headers.push([headerNames.drainToken, token])
  headers.push(
    [headerNames.frameIndex, String(index)],
    [headerNames.frameCount, String(count)],
    [headerNames.receivedUs, String(receivedUs)],
    [headerNames.source, sourceName(sender)],
  )
  return { topic, key: read.key, value: read.value, headers, timestamp: read.timestamp }
}
