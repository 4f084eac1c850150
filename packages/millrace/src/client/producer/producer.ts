import { failure, isFailure, type MillraceError } from '../../errors/index.ts'
import { orAbort } from '../../kit/index.ts'
import { events } from '../../telemetry/index.ts'
import type { ClientCore } from '../client-core.ts'
import { Admission } from './admission.ts'
import { faultOf, oversizeOf, sizeBound, type OutgoingMessage, type SendResult } from './message.ts'
import { producerSettings, type ProducerOptions, type ProducerSettings } from './options.ts'
import { partitioners, StickyPartition, type Partitioner } from './partitioner.ts'
import {
  Generation,
  ManyReceipt,
  PartReceipt,
  PostReceipt,
  SendReceipt,
  type Delivery,
  type Receipt,
} from './receipt.ts'
import { Sender } from './sender.ts'

export interface Producer extends AsyncDisposable {
  /**
   * Sends one message. Sends of one loop turn share requests; do not await each where many are at hand.
   * Messages of one partition are written in the order of the calls, each once (with the default options).
   *
   * @returns where it lies, once the broker has acknowledged it
   * @throws MR_PRODUCER_MESSAGE_INVALID, MR_PRODUCER_MESSAGE_TOO_LARGE, MR_PARTITION_UNKNOWN, MR_TOPIC_UNKNOWN,
   * MR_PRODUCER_BUFFER_FULL, MR_PRODUCER_EXPIRED (not in the log), MR_PRODUCER_OUTCOME_UNKNOWN (perhaps in the log),
   * MR_PRODUCER_CLOSED, MR_KAFKA_ERROR with the broker's refusal
   */
  send(message: OutgoingMessage): Promise<SendResult>
  /**
   * Sends many, for one promise instead of many. Not all or nothing: each message has its own fate.
   * @returns the results in the order of the messages
   * @throws as `send`: the one error that all failed ones share, or an AggregateError of them
   */
  sendMany(messages: readonly OutgoingMessage[]): Promise<readonly SendResult[]>
  /**
   * Sends one message for whoever wants no promise for each. It is told what became of it, once, perhaps before this
   * returns: where `send` would resolve, or what it would reject with.
   */
  post(message: OutgoingMessage, delivery: Delivery): void
  /**
   * Sends what lingers and waits until every message sent before the call is settled. Does not reject for them.
   * @param options.timeoutMs - default: no bound but the delivery timeout
   * @throws MR_CLIENT_TIMEOUT
   */
  flush(options?: FlushOptions): Promise<void>
  /** Flushes for at most `timeoutMs` (default 30 s), then rejects what is left. Idempotent. */
  close(options?: { readonly timeoutMs?: number }): Promise<void>
  /** Sent and not settled; the bytes are those in batches. */
  readonly buffered: { readonly messages: number; readonly bytes: number }
}

export interface FlushOptions {
  readonly timeoutMs?: number
  readonly signal?: AbortSignal
}

/** A producer on a client's connections. The options' defaults deliver each message once, in order. */
export function openProducer(
  core: ClientCore,
  options: ProducerOptions = {},
  onClosed: () => void = () => undefined,
  random?: () => number,
): Producer {
  return new KafkaProducer(core, producerSettings(options), onClosed, random)
}

const noHeaders: readonly (readonly [string, Buffer | string | null])[] = []

class KafkaProducer implements Producer {
  readonly #core: ClientCore
  readonly #settings: ProducerSettings
  readonly #sender: Sender
  readonly #admission: Admission
  readonly #partitioner: Partitioner
  readonly #onClosed: () => void
  readonly #random: (() => number) | undefined
  readonly #sticky = new Map<string, StickyPartition>()
  /** The newest is last; empty older ones are dropped by flush. */
  #generations: readonly Generation[] = []
  #generation = new Generation()
  #bytes = 0
  #closing: Promise<void> | undefined
  #isAdvancing = false
  /** One for all appends: a batch encodes it at once and keeps nothing of it. */
  readonly #record = {
    key: null as Buffer | string | null,
    value: null as Buffer | string | null,
    headers: noHeaders,
    timestamp: 0,
  }

  constructor(
    core: ClientCore,
    settings: ProducerSettings,
    onClosed: () => void,
    random: (() => number) | undefined,
  ) {
    this.#core = core
    this.#settings = settings
    this.#onClosed = onClosed
    this.#random = random
    const { clientId, clock, metadata } = core
    const { maxBlockMs, bufferBytes } = settings
    const buffer = {
      released: (bytes: number): void => {
        this.#bytes -= bytes
        if (this.#admission.waiting > 0) this.#advanceSoon()
      },
      grown: (bytes: number): void => {
        this.#bytes += bytes
      },
      isPressed: (): boolean => this.#admission.waiting > 0,
      fill: () => ({ bufferedBytes: this.#bytes, bufferBytes }),
    }
    this.#sender = new Sender(core, settings, buffer, random)
    const { mayCreateTopics: mayCreate, unknownTopicMs: unknownMs } = settings
    this.#partitioner = partitioners[settings.partitioner]
    const learn = async (topic: string): Promise<void> => {
      await metadata.topic(topic, { mayCreate, unknownMs, timeoutMs: maxBlockMs })
    }
    const admit = this.#admit.bind(this)
    this.#admission = new Admission({ admit, learn }, { clientId, clock, maxBlockMs, bufferBytes })
  }

  get buffered(): { readonly messages: number; readonly bytes: number } {
    let messages = this.#generation.unsettled
    for (const generation of this.#generations) messages += generation.unsettled
    return { messages, bytes: this.#bytes }
  }

  send(message: OutgoingMessage): Promise<SendResult> {
    return new Promise((resolve, reject) => {
      const timestamp = message.timestamp ?? this.#core.clock.now()
      this.#send(message, new SendReceipt(timestamp, this.#generation, resolve, reject))
    })
  }

  post(message: OutgoingMessage, delivery: Delivery): void {
    const timestamp = message.timestamp ?? this.#core.clock.now()
    this.#send(message, new PostReceipt(timestamp, this.#generation, delivery))
  }

  sendMany(messages: readonly OutgoingMessage[]): Promise<readonly SendResult[]> {
    if (messages.length === 0) return Promise.resolve([])
    return new Promise((resolve, reject) => {
      const whole = new ManyReceipt(messages.length, this.#generation, resolve, reject)
      const now = this.#core.clock.now()
      for (const [at, message] of messages.entries())
        this.#send(message, new PartReceipt(whole, at, message.timestamp ?? now))
    })
  }

  async flush({ timeoutMs, signal }: FlushOptions = {}): Promise<void> {
    signal?.throwIfAborted()
    const pending = [...this.#generations, this.#generation].filter((one) => one.unsettled > 0)
    if (pending.length === 0) return
    this.#generations = pending
    this.#generation = new Generation()
    const ending = new AbortController()
    const timer =
      timeoutMs === undefined
        ? undefined
        : this.#core.clock.after(timeoutMs, () => {
            const reason = `${this.buffered.messages} messages are not acknowledged yet`
            ending.abort(failure('MR_CLIENT_TIMEOUT', { what: 'flush', timeoutMs, reason }))
          })
    const signals = signal ? AbortSignal.any([signal, ending.signal]) : ending.signal
    this.#sender.beginFlush()
    try {
      await orAbort(Promise.all(pending.map((one) => one.whenEmpty())), signals)
    } finally {
      timer?.cancel()
      this.#sender.endFlush()
    }
  }

  close({ timeoutMs = 30_000 }: { readonly timeoutMs?: number } = {}): Promise<void> {
    return (this.#closing ??= this.#close(timeoutMs))
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  async #close(timeoutMs: number): Promise<void> {
    try {
      await this.flush({ timeoutMs })
    } catch (error) {
      if (!isFailure(error, 'MR_CLIENT_TIMEOUT')) throw error
      const { messages, bytes } = this.buffered
      events.producerUndelivered.publish({ clientId: this.#core.clientId, messages, bytes })
    }
    const error = failure('MR_PRODUCER_CLOSED', { topic: 'any topic' })
    this.#admission.stop(error)
    this.#sender.stop(error)
    this.#onClosed()
  }

  #send(message: OutgoingMessage, receipt: Receipt): void {
    if (this.#closing) {
      receipt.failed(failure('MR_PRODUCER_CLOSED', { topic: message.topic }))
      return
    }
    const reason = faultOf(message)
    if (reason !== undefined) {
      const { topic } = message
      receipt.failed(failure('MR_PRODUCER_MESSAGE_INVALID', { topic, reason }))
      return
    }
    if (this.#admission.mustWait(message.topic) || this.#admit(message, receipt) !== 'admitted') {
      this.#admission.enter(message, receipt)
      this.#sender.wake()
    }
  }

  /** Into its batch, or to its end; `admitted` says only that there is nothing to wait for. */
  #admit(message: OutgoingMessage, receipt: Receipt): 'admitted' | 'no-room' | 'no-metadata' {
    const partitions = this.#core.metadata.peek(message.topic)?.partitions.length ?? 0
    if (partitions === 0) return 'no-metadata'
    const bound = sizeBound(message)
    if (this.#bytes > 0 && this.#bytes + bound > this.#settings.bufferBytes) return 'no-room'

    const record = this.#record
    record.key = message.key ?? null
    record.value = message.value
    record.headers = message.headers ?? noHeaders
    record.timestamp = receipt.timestamp
    const error = this.#misfit(message, partitions, bound)
    if (error) {
      receipt.failed(error)
      return 'admitted'
    }
    const queue = this.#sender.queue(message.topic, this.#choose(message, partitions))
    this.#bytes += this.#sender.append(queue, record, bound, receipt)
    return 'admitted'
  }

  #misfit(message: OutgoingMessage, partitions: number, bound: number): MillraceError | undefined {
    const { topic, partition } = message
    if (partition !== undefined && partition >= partitions) {
      this.#core.metadata.requestRefresh('a message for a partition not known', [topic])
      return failure('MR_PARTITION_UNKNOWN', { topic, partition, partitions })
    }
    return oversizeOf(message, bound, this.#settings.maxMessageBytes)
  }

  #choose({ topic, partition }: OutgoingMessage, partitions: number): number {
    if (partition !== undefined) return partition
    const record = this.#record
    // The batch then takes the very bytes that were hashed.
    if (typeof record.key === 'string') record.key = Buffer.from(record.key)
    const chosen = this.#partitioner(record.key, partitions)
    if (chosen !== undefined) return chosen
    let sticky = this.#sticky.get(topic)
    if (!sticky) this.#sticky.set(topic, (sticky = new StickyPartition(this.#random)))
    const { metadata } = this.#core
    const queued = (one: number): number | undefined =>
      metadata.leaderOf(topic, one) === undefined
        ? undefined
        : this.#sender.queue(topic, one).length
    const isCollecting = (one: number): boolean =>
      this.#sender.queue(topic, one).openBatch !== undefined
    return sticky.choose({ partitions, queued }, isCollecting)
  }

  #advanceSoon(): void {
    if (this.#isAdvancing) return
    this.#isAdvancing = true
    queueMicrotask(() => {
      this.#isAdvancing = false
      this.#admission.advance()
    })
  }
}
