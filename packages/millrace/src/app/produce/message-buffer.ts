import { failure } from '../../errors/index.ts'
import type { EncodedMessage, SendPort, Sent } from '../ports.ts'
import type { AnyTopic } from '../topic/define-topic.ts'
import type { Sendable } from './sendable.ts'

export type Encode = (
  topic: AnyTopic | string,
  message: Sendable<AnyTopic | string>,
) => EncodedMessage | Promise<EncodedMessage>

/** Messages that are collected first and delivered together, by hand. */
export class MessageBuffer {
  readonly #port: SendPort
  readonly #encode: Encode
  #messages: (EncodedMessage | Promise<EncodedMessage>)[] = []

  constructor(port: SendPort, encode: Encode) {
    this.#port = port
    this.#encode = encode
  }

  /** Nothing leaves before `deliver`. @throws what `send` throws for a message that does not fit its topic */
  add<T extends AnyTopic | string>(topic: T, message: Sendable<T>): void {
    const encoded = this.#encode(topic, message)
    if (encoded instanceof Promise) encoded.catch(() => {})
    this.#messages.push(encoded)
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
    if (undelivered.length === 0)
      return results.map((result) => (result as PromiseFulfilledResult<Sent>).value)
    this.#messages = [...undelivered, ...this.#messages]
    const cause = results.find((result) => result.status === 'rejected')?.reason as Error
    const reason = cause.message
    throw failure('MR_PRODUCER_UNDELIVERED', { undelivered, reason }, { cause })
  }
}
