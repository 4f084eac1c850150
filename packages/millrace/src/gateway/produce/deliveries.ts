import type { Delivery, OutgoingMessage, SendResult } from '../../client/index.ts'
import { deferred, type Deferred } from '../../kit/index.ts'
import type { FailedDelivery } from './index.ts'

const failuresKept = 128
/** Of the keys of kept failures, so that many connections with large keys do not add up. */
const failureBytesKept = 1024 * 1024

/** What the produce part keeps of one connection. Outlives it, as long as a message of it is on its way. */
export class Account {
  /** The connection has produced, or asked what there is. */
  hasProducer = false
  /** Accepted, and neither delivered nor failed. */
  unsettled = 0
  bytes = 0
  readonly failures: FailedDelivery[] = []
  #failureBytes = 0
  readonly #waiting: (() => void)[] = []

  settled(bytes: number): void {
    this.bytes -= bytes
    if (--this.unsettled > 0) return
    for (const resolve of this.#waiting.splice(0)) resolve()
  }

  keep(failure: FailedDelivery): void {
    // A key is a view of the packet that it came in, which would be kept with it.
    const key = failure.key === null ? null : Buffer.from(failure.key)
    this.failures.push({ ...failure, key })
    this.#failureBytes += key?.length ?? 0
    while (
      this.failures.length > failuresKept ||
      (this.failures.length > 1 && this.#failureBytes > failureBytesKept)
    )
      this.#failureBytes -= this.failures.shift()?.key?.length ?? 0
  }

  whenSettled(): Promise<void> {
    if (this.unsettled === 0) return Promise.resolve()
    return new Promise((resolve) => this.#waiting.push(resolve))
  }
}

/** Who keeps the books of all connections. */
export interface Ledger {
  delivered(message: Accepted): void
  failed(message: Accepted, error: Error): void
}

export type Headers = NonNullable<OutgoingMessage['headers']>

/** One accepted message on its way. */
export class Accepted implements Delivery {
  readonly account: Account
  readonly topic: string
  readonly key: Buffer | null
  readonly value: Buffer | null
  readonly headers: Headers
  readonly bytes: number
  readonly #ledger: Ledger
  /** Who waits for the acknowledgement, if somebody does. */
  #answer: Deferred<SendResult> | undefined

  constructor(
    ledger: Ledger,
    account: Account,
    message: {
      readonly topic: string
      readonly key: Buffer | null
      readonly value: Buffer | null
      readonly headers: Headers
      readonly bytes: number
    },
  ) {
    this.#ledger = ledger
    this.account = account
    this.topic = message.topic
    this.key = message.key
    this.value = message.value
    this.headers = message.headers
    this.bytes = message.bytes
  }

  /** Resolves with where it lies; rejects with what the producer says. To be asked for before it is posted. */
  get result(): Promise<SendResult> {
    this.#answer ??= deferred()
    return this.#answer.promise
  }

  delivered(topic: string, partition: number, offset: number, timestamp: number): void {
    this.#ledger.delivered(this)
    this.#answer?.resolve({ topic, partition, offset, timestamp })
  }

  failed(error: Error): void {
    this.#ledger.failed(this, error)
    this.#answer?.reject(error)
  }
}
