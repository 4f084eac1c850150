import { refusalOf } from '../../client/index.ts'
import { failure } from '../../errors/index.ts'
import { deferred, parseDuration, sleep, type Clock, type Duration } from '../../kit/index.ts'
import type { ProducerSource } from '../clusters/index.ts'
import type { Message } from '../message/message.ts'
import { composeSend, type Middleware, type Outgoing } from '../middleware/middleware.ts'
import type { EncodedMessage, Sent } from '../ports.ts'
import type { AnyTopic } from '../topic/define-topic.ts'
import { BackgroundQueue, type BackgroundRules } from './background-queue.ts'
import { Lanes, type Lane, type LaneSettings, type SendSettings } from './lanes.ts'
import { MessageBuffer, type Encode } from './message-buffer.ts'
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

/** Sends under one set of settings. Its functions may be taken apart. */
export interface Sending {
  /** Resolves when the broker has acknowledged it. Sends of one loop turn share requests. @throws MR_APP_SCHEMA_MISMATCH, MR_PRODUCER_* */
  readonly send: Send
  /** All are validated before any is sent; then each has its own verdict. @throws what validation finds */
  readonly sendMany: (messages: readonly Batched[]) => Promise<readonly SendVerdict[]>
  /**
   * Background delivery: returns at once. A failure is the event `producer.background-failed` and `onUndelivered`.
   * @throws MR_PRODUCER_QUEUE_FULL, MR_PRODUCER_CLOSED, and what validation finds
   */
  readonly enqueue: <T extends AnyTopic | string>(topic: T, message: Sendable<T>) => void
  /** Collects first, delivers by hand. What is still in it when the producer closes is reported as undelivered. */
  readonly buffer: () => MessageBuffer
  /** Says that a key is gone. @throws MR_PRODUCER_KEY_MISSING */
  readonly tombstone: <T extends AnyTopic | string>(
    topic: T,
    key: NonNullable<Sendable<T>['key']>,
  ) => Promise<Sent>
  /** The bytes of a message as they are, its key and headers, to another topic. */
  readonly forward: (message: Message, topic: AnyTopic | string) => Promise<Sent>
  /**
   * The same under other settings, on the same connections. Messages of different settings keep no order between each
   * other. Call it once and keep what it returns. @throws MR_CONFIG_INVALID
   */
  readonly with: (settings: SendSettings) => Sending
}

/** Sends the application's messages: one for the whole process, made at boot. */
export interface AppProducer extends Sending, AsyncDisposable {
  /** Everything handed over so far has a verdict. @throws MR_CLIENT_TIMEOUT after `timeout` */
  readonly flush: (options?: { readonly timeout?: Duration }) => Promise<void>
  /** Flushes for at most `timeout` (default `'10s'`); what is left is reported one by one. Idempotent. */
  readonly close: (options?: { readonly timeout?: Duration }) => Promise<void>
  /** Messages of background delivery without a verdict. */
  readonly queued: number
  /** A larger message is refused before it is sent. */
  readonly maxMessageBytes: number
}

/** What the rest of the framework sends with, past middleware and ids: bytes as they are, acknowledged by all replicas. */
export interface OwnProducer extends AppProducer {
  readonly sendRaw: (message: EncodedMessage) => Promise<Sent>
  readonly wireName: (name: string) => string
}

export interface AppProducerOptions {
  readonly client: ProducerSource
  readonly clock: Clock
  readonly producer: LaneSettings
  readonly background: BackgroundRules
  readonly middleware: readonly Middleware[]
  readonly wireName: (name: string) => string
  /** For the header `millrace-id`; undefined sends none. */
  readonly nextId: (() => string) | undefined
  /** Runs last in `close`. */
  readonly onClose?: () => Promise<void>
}

type Put = (encoded: EncodedMessage) => Promise<Sent>

export function makeAppProducer(options: AppProducerOptions): OwnProducer {
  const { client, clock, wireName, nextId, middleware } = options
  const lanes = new Lanes(client, options.producer)
  const queue = new BackgroundQueue(options.background, clock)
  const unsent = new Set<MessageBuffer>()
  let closing: Promise<void> | undefined

  const encode: Encode = (topic, message) => encodeMessage(topic, message, wireName, nextId)
  /** Encoded and measured, so that nothing is refused later for what could be seen now. */
  const checked: Encode = (topic, message) => {
    const encoded = encode(topic, message)
    return encoded instanceof Promise ? encoded.then(fitting) : fitting(encoded)
  }
  const fitting = (encoded: EncodedMessage): EncodedMessage => {
    const refusal = refusalOf(encoded, options.producer.maxMessageBytes)
    if (refusal !== undefined) throw refusal
    return encoded
  }
  const layers = composeSend(middleware)
  /** Through the `send` layers; `put` takes what comes out of them. */
  const through = async (outgoing: Outgoing, put: Put): Promise<Sent> => {
    if (layers !== undefined)
      return layers(outgoing, async ({ topic, message }) => put(await encode(topic, message)))
    const encoded = encode(outgoing.topic, outgoing.message)
    return put(encoded instanceof Promise ? await encoded : encoded)
  }
  /** For what is only collected: the layers see it now, and know nothing of its delivery. */
  const collected: Encode = (topic, message) => {
    // Nobody would deliver it any more.
    if (closing !== undefined) throw failure('MR_PRODUCER_CLOSED', { topic: nameOf(topic) })
    if (layers === undefined) return checked(topic, message)
    let out: EncodedMessage | undefined
    const passing = through({ topic, message }, async (encoded) => {
      out = fitting(encoded)
      return { topic: encoded.topic, partition: -1, offset: -1, timestamp: -1 }
    })
    return passing.then(() => out as EncodedMessage)
  }

  const sendMany = async (
    lane: Lane,
    messages: readonly Batched[],
  ): Promise<readonly SendVerdict[]> => {
    const ready = messages.map(() => deferred())
    const go = deferred()
    // Each has passed its layers and its validation before any is let go.
    const sends = messages.map(async ({ topic, message }, index) => {
      try {
        return await through({ topic, message }, async (encoded) => {
          fitting(encoded)
          ready[index]?.resolve()
          await go.promise
          return lane.direct.send(encoded)
        })
      } catch (error) {
        ready[index]?.reject(error)
        throw error
      }
    })
    const verdicts = Promise.allSettled(sends)
    try {
      await Promise.all(ready.map(({ promise }) => promise))
    } catch (error) {
      go.promise.catch(() => {})
      go.reject(error)
      await verdicts
      throw error
    }
    go.resolve()
    return (await verdicts).map((one) =>
      one.status === 'fulfilled' ? { sent: one.value } : { error: one.reason as unknown },
    )
  }

  const sending = (lane: Lane): Sending => {
    const direct: Put = (encoded) => lane.direct.send(encoded)
    const send: Send = (topic, message) => through({ topic, message }, direct)
    return {
      send,
      sendMany: (messages) => sendMany(lane, messages),
      enqueue(topic, message) {
        queue.add(nameOf(topic), collected(topic, message), lane.patient)
      },
      buffer: () =>
        new MessageBuffer(lane.direct, collected, {
          limit: options.background.queueLimit,
          onFill(buffer, isEmpty) {
            if (isEmpty) unsent.delete(buffer)
            else unsent.add(buffer)
          },
        }),
      async tombstone(topic, key) {
        if (key === null || key === undefined)
          throw failure('MR_PRODUCER_KEY_MISSING', { topic: nameOf(topic) })
        return through({ topic, message: { key, value: null } }, direct)
      },
      // By name: what the topic's codec would make of the bytes does not matter.
      forward: ({ raw, headers }, topic) =>
        through({ topic: nameOf(topic), message: { ...raw, headers } }, direct),
      with: (settings) => sending(lanes.with(lane, settings)),
    }
  }

  const flush = async (timeoutMs: number | undefined): Promise<void> => {
    const all = Promise.all([queue.drain(), ...lanes.opened.map((one) => one.flush())])
    if (timeoutMs === undefined) {
      await all
      return
    }
    const limit = new AbortController()
    try {
      await Promise.race([
        all,
        sleep(clock, timeoutMs, limit.signal).then(() => {
          const reason = `${queue.size + lanes.buffered} messages have no verdict yet`
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
    for (const buffer of unsent) {
      const error = failure('MR_PRODUCER_NEVER_DELIVERED', { messages: buffer.size })
      for (const message of await buffer.abandon()) queue.giveUp(message, error)
    }
    await Promise.all(lanes.opened.map((one) => one.close({ timeoutMs: 0 })))
    await options.onClose?.()
  }
  return {
    ...sending(lanes.root),
    sendRaw: (message) => lanes.sure.send(message),
    wireName,
    flush: (flushOptions) =>
      flush(flushOptions?.timeout === undefined ? undefined : parseDuration(flushOptions.timeout)),
    close: (closeOptions) =>
      (closing ??= close(parseDuration(closeOptions?.timeout ?? '10s') ?? 10_000)),
    get queued() {
      return queue.size
    },
    maxMessageBytes: options.producer.maxMessageBytes,
    [Symbol.asyncDispose]: () => (closing ??= close(10_000)),
  }
}

function nameOf(topic: AnyTopic | string): string {
  return typeof topic === 'string' ? topic : topic.name
}
