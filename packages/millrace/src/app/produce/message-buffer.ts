import { failure } from '../../errors/index.ts'
import type { EncodedMessage, SendPort, Sent } from '../ports.ts'
import type { AnyTopic } from '../topic/define-topic.ts'
import { queueFull } from './background-queue.ts'
import type { Sendable } from './sendable.ts'

/** Validated, encoded, stamped: what leaves is what was put in. */
export type Encode = (
  topic: AnyTopic | string,
  message: Sendable<AnyTopic | string>,
) => EncodedMessage | Promise<EncodedMessage>

/** Messages that are collected first and delivered together, by hand. */
export class MessageBuffer {
  readonly #port: SendPort
  readonly #encode: Encode
  readonly #onFill: ((buffer: MessageBuffer, isEmpty: boolean) => void) | undefined
  readonly #limit: number
  #messages: (EncodedMessage | Promise<EncodedMessage>)[] = []

  /**
   * @param options.limit - most messages in it
   * @param options.onFill - hears when the first message comes and when none is left
   */
  constructor(
    port: SendPort,
    encode: Encode,
    options: {
      readonly limit: number
      readonly onFill?: (buffer: MessageBuffer, isEmpty: boolean) => void
    },
  ) {
    this.#port = port
    this.#encode = encode
    this.#limit = options.limit
    this.#onFill = options.onFill
  }

  /**
   * Nothing leaves before `deliver`.
   * @throws MR_PRODUCER_QUEUE_FULL at `producer.queueLimit` messages, MR_PRODUCER_CLOSED, and what `send` throws for a message
   * that does not fit its topic
   */
  add<T extends AnyTopic | string>(topic: T, message: Sendable<T>): void {
    if (this.#messages.length >= this.#limit)
      throw queueFull(typeof topic === 'string' ? topic : topic.name, this.#limit)
    const encoded = this.#encode(topic, message)
    if (encoded instanceof Promise) encoded.catch(() => {})
    this.#messages.push(encoded)
    if (this.#messages.length === 1) this.#onFill?.(this, false)
  }

  get size(): number {
    return this.#messages.length
  }

  /**
   * Sends everything, in order. What failed stays in the buffer for another `deliver`.
   * @throws MR_PRODUCER_UNDELIVERED with the messages in `context.undelivered`
   */
  async deliver(): Promise<readonly Sent[]> {
    // Taken out at once: a second call meanwhile must find nothing of this one's.
    const taken = this.#messages
    this.#messages = []
    const leaving: EncodedMessage[] = []
    try {
      for (const message of taken) leaving.push(await message)
    } catch (error) {
      this.#messages = [...taken, ...this.#messages]
      throw error
    }
    const results = await Promise.allSettled(leaving.map((message) => this.#port.send(message)))
    const undelivered = leaving.filter((_, index) => results[index]?.status === 'rejected')
    if (undelivered.length === 0) {
      if (this.#messages.length === 0) this.#onFill?.(this, true)
      return results.map((result) => (result as PromiseFulfilledResult<Sent>).value)
    }
    this.#messages = [...undelivered, ...this.#messages]
    const cause = results.find((result) => result.status === 'rejected')?.reason as Error
    const reason = cause.message
    throw failure('MR_PRODUCER_UNDELIVERED', { undelivered, reason }, { cause })
  }

  /** Gives back what was never delivered, and keeps nothing of it. */
  async abandon(): Promise<readonly EncodedMessage[]> {
    const left = await Promise.allSettled(this.#messages.splice(0).map(async (one) => one))
    return left.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []))
  }
}
