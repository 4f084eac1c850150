import { failure } from '../../errors/index.ts'
import type { Clock, Timer } from '../../kit/index.ts'
import { events } from '../../telemetry/index.ts'
import type { EncodedMessage, SendPort } from '../ports.ts'

export interface BackgroundRules {
  /** Delivery begins at so many messages; 0 never by count. */
  readonly threshold: number
  /** Delivery begins so long after the oldest; 0 never by time. */
  readonly intervalMs: number
  /** Messages without a verdict. */
  readonly queueLimit: number
  readonly onUndelivered?: ((message: EncodedMessage, error: unknown) => void) | undefined
}

/** Which producer a message goes through; opened when it is first needed. */
export type Lane = () => SendPort

interface Queued {
  readonly message: EncodedMessage
  readonly lane: Lane
}

/** A process that has come to its end need not wait: it delivers then. */
const unref = { unref: true } as const

/**
 * Messages that were handed over without waiting. They leave in the order in which they came: by count or by time,
 * whichever is first; each has a verdict in the end, its acknowledgement or a published failure.
 */
export class BackgroundQueue {
  readonly #rules: BackgroundRules
  readonly #clock: Clock
  #queue: Queued[] = []
  readonly #inFlight = new Set<EncodedMessage>()
  /** Values whose schema is still validating; what comes behind them waits, or order would be lost. */
  #encoding: Promise<unknown> | undefined
  #encodingCount = 0
  #timer: Timer | undefined
  /** One for each delivery, until all its messages have a verdict. */
  readonly #deliveries = new Set<Promise<void>>()

  constructor(rules: BackgroundRules, clock: Clock) {
    this.#rules = rules
    this.#clock = clock
  }

  /** Without a verdict. */
  get size(): number {
    return this.#queue.length + this.#inFlight.size + this.#encodingCount
  }

  /** @throws MR_PRODUCER_QUEUE_FULL */
  add(topic: string, message: EncodedMessage | Promise<EncodedMessage>, lane: Lane): void {
    const { queueLimit } = this.#rules
    if (this.size >= queueLimit) {
      if (message instanceof Promise) message.catch(() => {})
      throw queueFull(topic, queueLimit)
    }
    if (message instanceof Promise || this.#encoding !== undefined) {
      this.#addLater(topic, message, lane)
      return
    }
    this.#push({ message, lane })
  }

  /** Sends what is queued now; verdicts come later. */
  deliver(): void {
    this.#timer?.cancel()
    this.#timer = undefined
    const leaving = this.#queue
    this.#queue = []
    if (leaving.length === 0) return
    const delivery = this.#sendAll(leaving).finally(() => this.#deliveries.delete(delivery))
    this.#deliveries.add(delivery)
  }

  /** Resolves when everything handed over so far has a verdict. */
  async drain(): Promise<void> {
    if (this.#encoding !== undefined) await this.#encoding
    this.deliver()
    await Promise.all(this.#deliveries)
  }

  /** Gives up what has no verdict, one by one. */
  abandon(error: unknown): readonly EncodedMessage[] {
    this.#timer?.cancel()
    const left = [...this.#inFlight, ...this.#queue.map(({ message }) => message)]
    this.#queue = []
    this.#inFlight.clear()
    for (const message of left) this.giveUp(message, error)
    return left
  }

  #push(queued: Queued): void {
    this.#queue.push(queued)
    const { topic } = queued.message
    if (events.producerEnqueued.isHeard)
      events.producerEnqueued.publish({ topic, queued: this.#queue.length })
    const { threshold, intervalMs } = this.#rules
    if (threshold > 0 && this.#queue.length >= threshold) this.deliver()
    else if (intervalMs > 0)
      this.#timer ??= this.#clock.after(intervalMs, () => this.deliver(), unref)
  }

  #addLater(topic: string, message: EncodedMessage | Promise<EncodedMessage>, lane: Lane): void {
    this.#encodingCount++
    if (message instanceof Promise) message.catch(() => {})
    const step = this.#pushAfter(this.#encoding, topic, message, lane)
    this.#encoding = step
    void step.finally(() => {
      if (this.#encoding === step) this.#encoding = undefined
    })
  }

  async #pushAfter(
    before: Promise<unknown> | undefined,
    topic: string,
    message: EncodedMessage | Promise<EncodedMessage>,
    lane: Lane,
  ): Promise<void> {
    await before
    try {
      const encoded = await message
      this.#encodingCount--
      this.#push({ message: encoded, lane })
    } catch (error) {
      this.#encodingCount--
      events.producerBackgroundFailed.publish({ topic, error, messages: 1 })
      events.error.publish({ type: 'producer', error })
    }
  }

  async #sendAll(leaving: readonly Queued[]): Promise<void> {
    await Promise.all(leaving.map((queued) => this.#send(queued)))
  }

  async #send({ message, lane }: Queued): Promise<void> {
    this.#inFlight.add(message)
    try {
      await lane().send(message)
    } catch (error) {
      if (this.#inFlight.has(message)) this.giveUp(message, error)
    }
    this.#inFlight.delete(message)
  }

  /** Tells of one message that will not be delivered. */
  giveUp(message: EncodedMessage, error: unknown): void {
    events.producerBackgroundFailed.publish({ topic: message.topic, error, messages: 1 })
    events.error.publish({ type: 'producer', error })
    try {
      this.#rules.onUndelivered?.(message, error)
    } catch (thrown) {
      events.error.publish({ type: 'producer', error: thrown })
    }
  }
}

/** The error, of which an event tells as well. */
export function queueFull(topic: string, limit: number): Error {
  events.producerQueueFull.publish({ topic, limit })
  return failure('MR_PRODUCER_QUEUE_FULL', { topic, limit })
}
