import type { Producer } from '../../client/index.ts'
import { failure } from '../../errors/index.ts'
import { parseDuration, sleep, type Clock, type Duration } from '../../kit/index.ts'
import type { ProducerSource } from '../clusters/index.ts'
import type { Message } from '../message/message.ts'
import { composeSend, type Middleware, type Outgoing } from '../middleware/middleware.ts'
import type { EncodedMessage, Sent } from '../ports.ts'
import type { AnyTopic } from '../topic/define-topic.ts'
import { BackgroundQueue, type BackgroundRules } from './background-queue.ts'
import { MessageBuffer } from './message-buffer.ts'
import { encodeMessage, type Send, type Sendable } from './sendable.ts'

/** One message of `sendMany`. */
export interface Batched<T extends AnyTopic | string = AnyTopic | string> {
  readonly topic: T
  readonly message: Sendable<T>
}

/** What became of a message of `sendMany`: where it lies, or why not. */
export type SendVerdict =
  | { readonly sent: Sent; readonly error?: never }
  | { readonly error: unknown; readonly sent?: never }

/** Sends the application's messages: one for the whole process, made at boot. Its functions may be taken apart. */
export interface AppProducer extends AsyncDisposable {
  /** Resolves when the broker has acknowledged it. Sends of one loop turn share requests. @throws MR_APP_SCHEMA_MISMATCH, MR_PRODUCER_* */
  readonly send: Send
  /** All are validated before any is sent; then each has its own verdict. @throws what validation finds */
  readonly sendMany: (messages: readonly Batched[]) => Promise<readonly SendVerdict[]>
  /**
   * Background delivery: returns at once. A failure is the event `producer.background-failed` and `onUndelivered`.
   * @throws MR_PRODUCER_QUEUE_FULL, and what validation finds
   */
  readonly enqueue: <T extends AnyTopic | string>(topic: T, message: Sendable<T>) => void
  /** Collects first, delivers by hand. */
  readonly buffer: () => MessageBuffer
  /** Says that a key is gone. @throws MR_PRODUCER_KEY_MISSING */
  readonly tombstone: <T extends AnyTopic | string>(
    topic: T,
    key: NonNullable<Sendable<T>['key']>,
  ) => Promise<Sent>
  /** The bytes of a message as they are, its key and headers, to another topic. */
  readonly forward: (message: Message, topic: AnyTopic | string) => Promise<Sent>
  /** Everything handed over so far has a verdict. @throws MR_CLIENT_TIMEOUT after `timeout` */
  readonly flush: (options?: { readonly timeout?: Duration }) => Promise<void>
  /** Flushes for at most `timeout` (default `'10s'`); what is left is reported one by one. Idempotent. */
  readonly close: (options?: { readonly timeout?: Duration }) => Promise<void>
  /** Messages of background delivery without a verdict. */
  readonly queued: number
}

export interface AppProducerOptions {
  readonly client: ProducerSource
  readonly clock: Clock
  readonly producer: NonNullable<Parameters<ProducerSource['producer']>[0]>
  readonly background: BackgroundRules
  readonly middleware: readonly Middleware[]
  readonly wireName: (name: string) => string
  /** Runs last in `close`. */
  readonly onClose?: () => Promise<void>
}

export function makeAppProducer(options: AppProducerOptions): AppProducer & {
  /** Bytes as they are, for dead letters; always acknowledged by all replicas. */
  readonly sendRaw: (message: EncodedMessage) => Promise<Sent>
} {
  const { client, clock, wireName } = options
  const direct = client.producer(options.producer)
  let background: Producer | undefined
  // While the brokers are away a queued message waits for its delivery timeout, not for maxBlock.
  const patient = (): Producer =>
    (background ??= client.producer({
      ...options.producer,
      maxBlockMs: options.producer.deliveryTimeoutMs ?? 120_000,
    }))
  // Dead letters are what stands for a finished message, so nobody may lose them.
  let sure: Producer | undefined
  const letterProducer = (): Producer =>
    options.producer.acks === -1
      ? direct
      : (sure ??= client.producer({ ...options.producer, acks: -1 }))
  const queue = new BackgroundQueue(options.background, clock, patient)
  const encode = (
    topic: AnyTopic | string,
    message: Sendable<AnyTopic | string>,
  ): EncodedMessage | Promise<EncodedMessage> => encodeMessage(topic, message, wireName)
  const sendLast = async ({ topic, message }: Outgoing): Promise<Sent> => {
    const encoded = encode(topic, message)
    return direct.send(encoded instanceof Promise ? await encoded : encoded)
  }
  const hasLayers = options.middleware.some((layer) => typeof layer === 'object' && layer.send)
  const sendThrough = hasLayers ? composeSend(options.middleware, sendLast) : sendLast
  let closing: Promise<void> | undefined

  const flush = async (timeoutMs: number | undefined): Promise<void> => {
    const all = Promise.all([queue.drain(), direct.flush()])
    if (timeoutMs === undefined) {
      await all
      return
    }
    const limit = new AbortController()
    try {
      await Promise.race([
        all,
        sleep(clock, timeoutMs, limit.signal).then(() => {
          const reason = `${queue.size + direct.buffered.messages} messages have no verdict yet`
          throw failure('MR_CLIENT_TIMEOUT', { what: 'flush', timeoutMs, reason })
        }),
      ])
    } finally {
      limit.abort(new Error('done'))
    }
  }
  const close = async (timeoutMs: number): Promise<void> => {
    try {
      await flush(timeoutMs)
    } catch (error) {
      queue.abandon(error)
    }
    await Promise.all([
      direct.close({ timeoutMs: 0 }),
      background?.close({ timeoutMs: 0 }) ?? Promise.resolve(),
      sure?.close({ timeoutMs: 0 }) ?? Promise.resolve(),
    ])
    await options.onClose?.()
  }
  const send: Send = (topic, message) => sendThrough({ topic, message: message })

  return {
    send,
    async sendMany(messages) {
      const encoded: EncodedMessage[] = []
      for (const { topic, message } of messages) encoded.push(await encode(topic, message))
      const results = await Promise.allSettled(encoded.map((message) => direct.send(message)))
      return results.map((result) =>
        result.status === 'fulfilled'
          ? { sent: result.value }
          : { error: result.reason as unknown },
      )
    },
    enqueue(topic, message) {
      const name = typeof topic === 'string' ? topic : topic.name
      queue.add(name, encode(topic, message))
    },
    buffer: () => new MessageBuffer(direct, encode),
    async tombstone(topic, key) {
      const name = typeof topic === 'string' ? topic : topic.name
      if (key === null || key === undefined)
        throw failure('MR_PRODUCER_KEY_MISSING', { topic: name })
      return sendThrough({ topic, message: { key, value: null } })
    },
    forward({ raw, headers }, topic) {
      const name = wireName(typeof topic === 'string' ? topic : topic.name)
      return direct.send({ topic: name, key: raw.key, value: raw.value, headers })
    },
    sendRaw: (message) => letterProducer().send(message),
    flush: (flushOptions) =>
      flush(flushOptions?.timeout === undefined ? undefined : parseDuration(flushOptions.timeout)),
    close: (closeOptions) =>
      (closing ??= close(parseDuration(closeOptions?.timeout ?? '10s') ?? 10_000)),
    get queued() {
      return queue.size
    },
    [Symbol.asyncDispose]: () => (closing ??= close(10_000)),
  }
}
