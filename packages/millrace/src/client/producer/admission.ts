import { failure } from '../../errors/index.ts'
import type { Clock, Timer } from '../../kit/index.ts'
import { events } from '../../telemetry/index.ts'
import type { OutgoingMessage } from './message.ts'
import type { Receipt } from './receipt.ts'

/**
 * The waiting room before the buffer: sends that lack metadata or room.
 *
 * - In order per topic: while one waits, later sends of its topic wait behind it, room or not.
 * - Bounded by time: whoever has waited `maxBlockMs` is rejected, with what was missing.
 */

export interface AdmissionPort {
  /** Takes the message if its topic is known and there is room. */
  admit(message: OutgoingMessage, receipt: Receipt): 'admitted' | 'no-room' | 'no-metadata'
  /** Resolves when the topic is known. Called once per topic at a time. */
  learn(topic: string): Promise<void>
}

export interface AdmissionSettings {
  readonly clientId: string
  readonly clock: Clock
  readonly maxBlockMs: number
  readonly bufferBytes: number
}

interface Waiting {
  readonly message: OutgoingMessage
  readonly receipt: Receipt
  readonly deadlineMs: number
}

interface Line {
  readonly topic: string
  readonly waiting: Waiting[]
  /** Index of the first that still waits; shifting a long array for each would be quadratic. */
  head: number
  isLearning: boolean
}

export class Admission {
  readonly #port: AdmissionPort
  readonly #settings: AdmissionSettings
  readonly #lines = new Map<string, Line>()
  #waiting = 0
  #timer: Timer | undefined

  constructor(port: AdmissionPort, settings: AdmissionSettings) {
    this.#port = port
    this.#settings = settings
  }

  get waiting(): number {
    return this.#waiting
  }

  /** Must a send of this topic stand in line? */
  mustWait(topic: string): boolean {
    return this.#waiting > 0 && this.#lines.has(topic)
  }

  enter(message: OutgoingMessage, receipt: Receipt): void {
    const { clock, maxBlockMs } = this.#settings
    const { topic } = message
    let line = this.#lines.get(topic)
    if (!line) {
      line = { topic, waiting: [], head: 0, isLearning: false }
      this.#lines.set(topic, line)
    }
    line.waiting.push({ message, receipt, deadlineMs: clock.monotonicMs() + maxBlockMs })
    this.#waiting++
    if (this.#waiting === 1) this.#arm()
    if (line.waiting.length - line.head === 1) this.#advance(line)
  }

  /** Room has come: lets in whom it suffices for. */
  advance(): void {
    if (this.#waiting === 0) return
    for (const line of this.#lines.values()) this.#advance(line)
  }

  /** Rejects everybody. */
  stop(error: Error): void {
    for (const line of this.#lines.values()) this.#reject(line, error)
    this.#timer?.cancel()
  }

  #advance(line: Line): void {
    while (!line.isLearning) {
      const head = line.waiting[line.head]
      if (!head) break
      const answer = this.#port.admit(head.message, head.receipt)
      if (answer === 'no-room') {
        const { clientId, bufferBytes } = this.#settings
        const { topic } = line
        const waiting = this.#waiting
        events.producerBufferFull.publish({ clientId, topic, bufferedBytes: bufferBytes, waiting })
        return
      }
      if (answer === 'no-metadata') {
        void this.#learn(line)
        return
      }
      line.head++
      this.#waiting--
    }
    this.#tidy(line)
  }

  async #learn(line: Line): Promise<void> {
    line.isLearning = true
    try {
      await this.#port.learn(line.topic)
    } catch (error) {
      this.#reject(line, error as Error)
    } finally {
      line.isLearning = false
    }
    this.#advance(line)
  }

  #reject(line: Line, error: Error): void {
    const left = line.waiting.splice(line.head)
    this.#waiting -= left.length
    this.#tidy(line)
    for (const { receipt } of left) receipt.failed(error)
  }

  #tidy(line: Line): void {
    if (line.head < line.waiting.length) return
    line.waiting.length = 0
    line.head = 0
    if (!line.isLearning) this.#lines.delete(line.topic)
    if (this.#waiting > 0) return
    this.#timer?.cancel()
    this.#timer = undefined
  }

  #arm(): void {
    const { clock } = this.#settings
    let nextMs = Infinity
    for (const { waiting, head } of this.#lines.values())
      nextMs = Math.min(nextMs, waiting[head]?.deadlineMs ?? Infinity)
    this.#timer?.cancel()
    this.#timer = undefined
    if (nextMs === Infinity) return
    this.#timer = clock.after(Math.ceil(nextMs - clock.monotonicMs()), () => {
      this.#expire()
      this.#arm()
    })
  }

  #expire(): void {
    const { clock, bufferBytes, maxBlockMs: waitedMs } = this.#settings
    const nowMs = clock.monotonicMs()
    for (const line of this.#lines.values()) {
      const { topic } = line
      const error = line.isLearning
        ? failure('MR_CLIENT_TIMEOUT', {
            what: `metadata of ${topic}`,
            timeoutMs: waitedMs,
            reason: 'no answer',
          })
        : failure('MR_PRODUCER_BUFFER_FULL', { topic, bufferBytes, waitedMs })
      for (
        let head = line.waiting[line.head];
        head && head.deadlineMs <= nowMs;
        head = line.waiting[line.head]
      ) {
        line.head++
        this.#waiting--
        head.receipt.failed(error)
      }
      this.#tidy(line)
    }
  }
}
