import type { Context, Responses, SeekTo } from '../context/context.ts'
import type { DeliveredMessage, Message } from '../message/message.ts'
import type { Logger } from '../ports.ts'
import type { Send } from '../produce/sendable.ts'
import type { Topic } from '../topic/define-topic.ts'

/** What a context needs from its partition's owner. */
export interface JobOwner {
  readonly consumer: string
  readonly group: string
  readonly topic: Topic
  readonly log: Logger
  readonly state: Record<string, unknown>
  readonly isEnding: boolean
  readonly isOwned: boolean
  readonly lag: number
  readonly now: () => number
  readonly send: Send
  respondWith(data: unknown, send: Send): Promise<Responses>
  mark(
    offset: number,
    options: { readonly rewind: boolean; readonly metadata: string | undefined },
  ): boolean
  commit(): Promise<boolean>
  seek(to: SeekTo): void
  pause(forMs: number | string | undefined): void
  resume(): void
  deadLetter(message: DeliveredMessage, reason: string): Promise<void>
}

/**
 * One call of a handler. Its functions are made when they are first asked for, so that a message whose handler
 * asks for nothing costs one small object; and they are properties, so that they may be taken apart.
 */
export class JobContext implements Context {
  readonly #owner: JobOwner
  readonly messages: readonly DeliveredMessage[]
  readonly attempt: number
  readonly startedAt: number
  /** Of the watch. */
  isTimedOut = false
  isSlow = false
  /** The inbox puts its transaction here while the handler runs. */
  readonly tx: undefined = undefined
  /** Offsets that the handler sent to the dead letters by hand: an inbox must not remember them. */
  givenUp: number[] | undefined
  readonly #createdAt: number
  #aborter: AbortController | undefined
  #abortedBy: 'stop' | 'timeout' | undefined
  #sends: Promise<unknown>[] | undefined

  constructor(
    owner: JobOwner,
    messages: readonly DeliveredMessage[],
    attempt: number,
    createdAt: number,
    startedAt: number,
  ) {
    this.#owner = owner
    this.messages = messages
    this.attempt = attempt
    this.#createdAt = createdAt
    this.startedAt = startedAt
  }

  get consumer(): string {
    return this.#owner.consumer
  }

  get group(): string {
    return this.#owner.group
  }

  get match(): RegExpExecArray | undefined {
    return this.#owner.topic.match
  }

  get stopping(): boolean {
    return this.#owner.isEnding
  }

  get signal(): AbortSignal {
    if (this.#aborter === undefined) {
      this.#aborter = new AbortController()
      if (this.#abortedBy !== undefined) this.#aborter.abort(abortReason(this.#abortedBy))
    }
    return this.#aborter.signal
  }

  get owned(): boolean {
    return this.#owner.isOwned
  }

  get retrying(): boolean {
    return this.attempt > 1
  }

  get log(): Logger {
    return this.#owner.log
  }

  get lag(): number {
    return this.#owner.lag
  }

  get state(): Record<string, unknown> {
    return this.#owner.state
  }

  get batch(): Context['batch'] {
    const createdAt = this.#createdAt
    return { createdAt, scheduledAt: this.startedAt, startedAt: this.startedAt }
  }

  get send(): Send {
    return (topic, message) => this.#keep(this.#owner.send(topic, message))
  }

  get respondWith(): Context['respondWith'] {
    return (data) => this.#keep(this.#owner.respondWith(data, this.send))
  }

  get mark(): Context['mark'] {
    return (message = this.messages.at(-1), options = {}) =>
      message !== undefined &&
      this.#owner.mark(message.offset, {
        rewind: options.rewind === true,
        metadata: options.metadata,
      })
  }

  get commit(): Context['commit'] {
    return () => this.#owner.commit()
  }

  get seek(): Context['seek'] {
    return (to) => this.#owner.seek(to)
  }

  get pause(): Context['pause'] {
    return (options) => {
      const from = options?.from
      if (from !== undefined) this.#owner.seek(typeof from === 'number' ? from : from.offset)
      this.#owner.pause(options?.for)
    }
  }

  get resume(): Context['resume'] {
    return () => this.#owner.resume()
  }

  get deadLetter(): Context['deadLetter'] {
    return async (message: Pick<Message, 'offset'>, reason) => {
      const own = this.messages.find(({ offset }) => offset === message.offset)
      if (own === undefined) return
      ;(this.givenUp ??= []).push(own.offset)
      await this.#owner.deadLetter(own, reason)
    }
  }

  /** The signal's end, whether or not somebody has asked for the signal yet. */
  abort(by: 'stop' | 'timeout'): void {
    if (this.#abortedBy !== undefined) return
    this.#abortedBy = by
    this.#aborter?.abort(abortReason(by))
  }

  get abortedBy(): 'stop' | 'timeout' | undefined {
    return this.#abortedBy
  }

  /** What was sent and not awaited; undefined when there is nothing to wait for. */
  get pendingSends(): Promise<unknown> | undefined {
    return this.#sends === undefined ? undefined : Promise.all(this.#sends)
  }

  #keep<T>(sending: Promise<T>): Promise<T> {
    // The attempt awaits it after the handler; until then a rejection has an owner already.
    sending.catch(() => {})
    this.#sends ??= []
    this.#sends.push(sending)
    return sending
  }
}

function abortReason(by: 'stop' | 'timeout'): DOMException {
  return by === 'timeout'
    ? new DOMException('the attempt took longer than its timeout', 'TimeoutError')
    : new DOMException('the partition is given up or the worker stops', 'AbortError')
}
