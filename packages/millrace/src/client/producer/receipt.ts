import type { SendResult } from './message.ts'

/** Who is told what became of one message. Exactly one of the two is called, once. */
export interface Receipt {
  /** The message's own, in epoch milliseconds. */
  readonly timestamp: number
  /** @param appendTimeMs - the broker's time stamp, or -1 when the message kept its own */
  delivered(topic: string, partition: number, offset: number, appendTimeMs: number): void
  failed(error: Error): void
}

/** The messages sent between two flushes; a flush waits until it is empty. */
export class Generation {
  #unsettled = 0
  readonly #waiting: (() => void)[] = []

  get unsettled(): number {
    return this.#unsettled
  }

  add(): void {
    this.#unsettled++
  }

  settle(): void {
    if (--this.#unsettled > 0) return
    for (const resolve of this.#waiting.splice(0)) resolve()
  }

  whenEmpty(): Promise<void> {
    if (this.#unsettled === 0) return Promise.resolve()
    return new Promise((resolve) => this.#waiting.push(resolve))
  }
}

/** One `send`: its promise. */
export class SendReceipt implements Receipt {
  readonly timestamp: number
  readonly #generation: Generation
  readonly #resolve: (result: SendResult) => void
  readonly #reject: (error: Error) => void

  constructor(
    timestamp: number,
    generation: Generation,
    resolve: (result: SendResult) => void,
    reject: (error: Error) => void,
  ) {
    this.timestamp = timestamp
    this.#generation = generation
    this.#resolve = resolve
    this.#reject = reject
    generation.add()
  }

  delivered(topic: string, partition: number, offset: number, appendTimeMs: number): void {
    const timestamp = appendTimeMs >= 0 ? appendTimeMs : this.timestamp
    this.#resolve({ topic, partition, offset, timestamp })
    this.#generation.settle()
  }

  failed(error: Error): void {
    this.#reject(error)
    this.#generation.settle()
  }
}

/** Who posted a message. */
export interface Delivery {
  delivered(topic: string, partition: number, offset: number, timestamp: number): void
  failed(error: Error): void
}

/** One `post`. */
export class PostReceipt implements Receipt {
  readonly timestamp: number
  readonly #generation: Generation
  readonly #delivery: Delivery

  constructor(timestamp: number, generation: Generation, delivery: Delivery) {
    this.timestamp = timestamp
    this.#generation = generation
    this.#delivery = delivery
    generation.add()
  }

  delivered(topic: string, partition: number, offset: number, appendTimeMs: number): void {
    this.#delivery.delivered(
      topic,
      partition,
      offset,
      appendTimeMs >= 0 ? appendTimeMs : this.timestamp,
    )
    this.#generation.settle()
  }

  failed(error: Error): void {
    this.#delivery.failed(error)
    this.#generation.settle()
  }
}

/** One `sendMany`: a promise for all its messages, settled when the last of them is. */
export class ManyReceipt {
  readonly generation: Generation
  readonly #results: SendResult[]
  readonly #resolve: (results: readonly SendResult[]) => void
  readonly #reject: (error: Error) => void
  readonly #errors: Error[] = []
  #waiting: number

  constructor(
    count: number,
    generation: Generation,
    resolve: (results: readonly SendResult[]) => void,
    reject: (error: Error) => void,
  ) {
    this.generation = generation
    this.#results = Array.from({ length: count })
    this.#waiting = count
    this.#resolve = resolve
    this.#reject = reject
  }

  delivered(index: number, result: SendResult): void {
    this.#results[index] = result
    this.#settle()
  }

  failed(error: Error): void {
    this.#errors.push(error)
    this.#settle()
  }

  #settle(): void {
    this.generation.settle()
    if (--this.#waiting > 0) return
    const [first] = this.#errors
    if (first === undefined) this.#resolve(this.#results)
    else if (this.#errors.every((error) => error === first)) this.#reject(first)
    else this.#reject(new AggregateError(this.#errors, first.message))
  }
}

/** One message of a `sendMany`. */
export class PartReceipt implements Receipt {
  readonly timestamp: number
  readonly #whole: ManyReceipt
  readonly #index: number

  constructor(whole: ManyReceipt, index: number, timestamp: number) {
    this.#whole = whole
    this.#index = index
    this.timestamp = timestamp
    whole.generation.add()
  }

  delivered(topic: string, partition: number, offset: number, appendTimeMs: number): void {
    const timestamp = appendTimeMs >= 0 ? appendTimeMs : this.timestamp
    this.#whole.delivered(this.#index, { topic, partition, offset, timestamp })
  }

  failed(error: Error): void {
    this.#whole.failed(error)
  }
}
