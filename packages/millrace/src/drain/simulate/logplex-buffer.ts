import type { Clock } from '../../kit/index.ts'
import { microsecondsText } from '../time.ts'

/** One syslog line with its number; `content` is what stands behind LEN and SP. */
export interface SimulatedLine {
  readonly number: number
  readonly content: Buffer
}

/** A batch with the id that it keeps over all tries. */
export interface SimulatedFrame {
  readonly id: string
  readonly lines: readonly SimulatedLine[]
}

/** What became of each line, by its number. */
export interface Ledger {
  readonly delivered: number[]
  /** Displaced from the full buffer, or given up after three tries or a 4xx. */
  readonly dropped: number[]
}

/** A body is filled while it is shorter than this; one larger line goes alone. */
const bodyBytes = 102_400
const capacity = 1024
const shrunkCapacity = 10
const shrinkAfterMs = 5 * 60_000

/**
 * The buffer of one drain inside a Logplex: 1,024 lines, the oldest displaced; 10 after five minutes without a
 * success. What was lost is told in a notice on top of the next body, made anew for every try.
 */
export class LogplexBuffer {
  readonly ledger: Ledger = { delivered: [], dropped: [] }
  readonly #clock: Clock
  readonly #newId: () => string
  readonly #isPersistent: boolean
  #lines: SimulatedLine[] = []
  #lost = 0
  #lostSinceMs = 0
  #lastSuccessMs: number

  /** @param isPersistent - never displaces; the feeder looks at `isFull` itself */
  constructor(clock: Clock, newId: () => string, isPersistent = false) {
    this.#clock = clock
    this.#newId = newId
    this.#isPersistent = isPersistent
    this.#lastSuccessMs = clock.now()
  }

  get size(): number {
    return this.#lines.length
  }

  get isFull(): boolean {
    return this.#lines.length >= capacity
  }

  push(line: SimulatedLine): void {
    this.#lines.push(line)
    if (this.#isPersistent) return
    const isShrunk = this.#clock.now() - this.#lastSuccessMs > shrinkAfterMs
    const most = isShrunk ? shrunkCapacity : capacity
    if (this.#lines.length > most) this.#drop(this.#lines.splice(0, this.#lines.length - most))
  }

  /** Takes the next batch out, or undefined when there is nothing to send. */
  next(): SimulatedFrame | undefined {
    if (this.#lines.length === 0) return undefined
    let size = 0
    let count = 0
    for (const { content } of this.#lines) {
      if (count > 0 && size + framed(content).length > bodyBytes) break
      size += framed(content).length
      count++
      if (size >= bodyBytes) break
    }
    return { id: this.#newId(), lines: this.#lines.splice(0, count) }
  }

  /** The bytes of one try, with the notice of what was lost so far. */
  body(frame: SimulatedFrame): { readonly body: Buffer; readonly count: number } {
    const parts = frame.lines.map(({ content }) => framed(content))
    if (this.#lost > 0) {
      const now = microsecondsText(this.#clock.now() * 1000).replace(/\.\d+/, '')
      const since = microsecondsText(this.#lostSinceMs * 1000).replace(/\.\d+/, '')
      const notice = `<172>1 ${now} host heroku logplex - Error L10 (output buffer overflow): ${this.#lost} messages dropped since ${since}.`
      parts.unshift(framed(Buffer.from(notice)))
    }
    return { body: Buffer.concat(parts), count: parts.length }
  }

  delivered(frame: SimulatedFrame): void {
    for (const { number } of frame.lines) this.ledger.delivered.push(number)
    this.#lost = 0
    this.#lastSuccessMs = this.#clock.now()
  }

  givenUp(frame: SimulatedFrame): void {
    this.#drop(frame.lines)
  }

  #drop(lines: readonly SimulatedLine[]): void {
    if (this.#lost === 0) this.#lostSinceMs = this.#clock.now()
    this.#lost += lines.length
    for (const { number } of lines) this.ledger.dropped.push(number)
  }
}

function framed(content: Buffer): Buffer {
  return Buffer.concat([Buffer.from(`${content.length} `), content])
}
