import { inspect } from 'node:util'

import { failure } from '../../errors/index.ts'
import { events } from '../../telemetry/index.ts'
import type { Header, SourceMessage } from '../ports.ts'
import type { AnyTopic, KeyOf, NameOf, Topic, ValueOf } from '../topic/define-topic.ts'

/** One message as a handler sees it. Printing it shows coordinates and sizes, and decodes nothing. */
export interface Message<T extends AnyTopic = Topic> {
  readonly topic: NameOf<T>
  readonly partition: number
  readonly offset: number
  /** Decoded on first touch, once. @throws MR_APP_UNDECODABLE, MR_APP_SCHEMA_MISMATCH, MR_APP_TOMBSTONE_REFUSED */
  readonly value: ValueOf<T>
  /** Null when the message has none. @throws MR_APP_UNDECODABLE */
  readonly key: KeyOf<T>
  /** In the order they were written, repeats kept. */
  readonly headers: readonly Header[]
  /** The last header of this name as text. */
  readonly header: (name: string) => string | undefined
  /** When it happened, epoch milliseconds; the producer's clock unless the topic stamps on arrival. */
  readonly timestamp: number
  readonly timestampType: 'create' | 'append'
  /** When this process received it, epoch milliseconds. */
  readonly receivedAt: number
  readonly raw: { readonly key: Buffer | null; readonly value: Buffer | null }
}

/** The messages of one batch: all of one partition, in order, at least one. */
export interface Messages<T extends AnyTopic = Topic> extends Iterable<Message<T>> {
  readonly size: number
  readonly first: Message<T>
  readonly last: Message<T>
  /** Decodes all of them. */
  readonly values: readonly ValueOf<T>[]
}

const unset = Symbol('unset')

export class DeliveredMessage implements Message {
  readonly source: SourceMessage
  /** It has left the hand of its partition's owner. */
  isDone = false
  readonly #topic: Topic
  #value: unknown = unset
  #key: unknown = unset

  constructor(source: SourceMessage, topic: Topic) {
    this.source = source
    this.#topic = topic
  }

  /** The declared name, which a mapper may have changed on the wire. */
  get topic(): string {
    return this.#topic.shownAs ?? this.#topic.name
  }

  get partition(): number {
    return this.source.partition
  }

  get offset(): number {
    return this.source.offset
  }

  get headers(): readonly Header[] {
    return this.source.headers
  }

  get timestamp(): number {
    return this.source.timestamp
  }

  get timestampType(): 'create' | 'append' {
    return this.source.timestampType
  }

  get receivedAt(): number {
    return this.source.receivedAt
  }

  get raw(): { readonly key: Buffer | null; readonly value: Buffer | null } {
    return this.source
  }

  get value(): unknown {
    if (this.#value === unset) {
      const decoded = this.#decode()
      if (decoded instanceof Promise) {
        // The reader gets the error below; this promise has no other owner.
        decoded.catch(() => {})
        throw failure('MR_APP_SCHEMA_ASYNC', { topic: this.#topic.name })
      }
      this.#value = decoded
    }
    return this.#value
  }

  get key(): unknown {
    if (this.#key === unset) this.#key = this.#topic.decodeKey(this.source.key, this.source)
    return this.#key
  }

  /** A getter, so that `({ value, header })` works as well. */
  get header(): (name: string) => string | undefined {
    const { headers } = this.source
    return (name) => headers.findLast(([own]) => own === name)?.[1]?.toString()
  }

  /** For topics that decode ahead: waits for what is asynchronous, so that `value` is ready. */
  async prepare(): Promise<void> {
    if (this.#value === unset) this.#value = await this.#decode()
  }

  toJSON(): object {
    return {
      topic: this.topic,
      partition: this.partition,
      offset: this.offset,
      timestamp: this.timestamp,
      keyBytes: this.source.key?.length ?? null,
      valueBytes: this.source.value?.length ?? null,
      headers: this.source.headers.map(([name]) => name),
    }
  }

  [inspect.custom](): string {
    return `Message ${inspect(this.toJSON())}`
  }

  #decode(): unknown {
    if (!events.messageDecoded.isHeard)
      return this.#topic.decodeValue(this.source.value, this.source)
    const startedAt = performance.now()
    const publish = (): void => {
      const { partition, offset } = this.source
      const durationMs = performance.now() - startedAt
      events.messageDecoded.publish({ topic: this.topic, partition, offset, durationMs })
    }
    const decoded = this.#topic.decodeValue(this.source.value, this.source)
    if (!(decoded instanceof Promise)) {
      publish()
      return decoded
    }
    return decoded.then((value: unknown) => {
      publish()
      return value
    })
  }
}

/** A batch over an array that nobody changes any more. */
export class MessageBatch implements Messages {
  readonly #messages: readonly DeliveredMessage[]

  constructor(messages: readonly DeliveredMessage[]) {
    this.#messages = messages
  }

  get size(): number {
    return this.#messages.length
  }

  get first(): Message {
    return this.#messages[0] as DeliveredMessage
  }

  get last(): Message {
    return this.#messages[this.#messages.length - 1] as DeliveredMessage
  }

  get values(): readonly unknown[] {
    return this.#messages.map((message) => message.value)
  }

  [Symbol.iterator](): Iterator<Message> {
    return this.#messages[Symbol.iterator]()
  }

  toJSON(): object {
    return { size: this.size, first: this.first, last: this.last }
  }

  [inspect.custom](): string {
    return `Messages ${inspect(this.toJSON())}`
  }
}
