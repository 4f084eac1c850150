import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { OutgoingMessage, Producer, ProducerOptions, SendResult } from '../../client/index.ts'
import { isFailure } from '../../errors/index.ts'
import { sleep } from '../../kit/index.ts'
import { events } from '../../telemetry/index.ts'
import type { Command, Figures } from '../command.ts'
import type { GatewayCore } from '../gateway-core.ts'
import { Later, MapReply, ReplyError, type Reply } from '../reply.ts'
import { permit } from '../server/users.ts'
import type { Session } from '../session.ts'
import { Accepted, Account, type Headers, type Ledger } from './deliveries.ts'
import { textOf, texts } from './error-text.ts'
import type { FailedDelivery, ProducePart } from './index.ts'
import { batchOverhead, producerOptions, queueBounds } from './producer-options.ts'
import { messageSize } from './message-size.ts'
import { isTopicName } from './topic-name.ts'

/** How long a topic that was found missing is refused without another look. */
const missingMs = 5000
const missingKept = 10_000
/** How long KEYS waits for the cluster. */
const keysMs = 5000
/** What a message on its way takes beside its bytes in a batch. */
const bookOverhead = 34
const colon = 0x3a
const noHeaders: Headers = []

/**
 * Producing for all connections through one producer.
 *
 *     RPUSHX -> checks -> room? -> Accepted (the connection's account) -> producer.post -> ':1'
 *                                        `-> delivered / failed -> account, counters, memory of missing topics
 *
 * - `:1` says that the message is in the buffer; a durable connection is answered when the broker has it.
 * - A message outlives its connection. What is left when the gateway ends is counted, told, and written to `unsentDir`.
 * - A topic that turned out to be missing is refused for five seconds, unless metadata shows it sooner.
 *
 * @throws MR_CONFIG_INVALID when the producer section means nothing
 */
export function openProducePart(core: GatewayCore): ProducePart {
  return new Producing(core, producerOptions(core.settings))
}

class Producing implements ProducePart, Ledger {
  readonly commands: ProducePart['commands']
  readonly extensions: NonNullable<ProducePart['extensions']>
  readonly #core: GatewayCore
  readonly #options: ProducerOptions
  readonly #accounts = new Map<Session, Account>()
  readonly #missingUntilMs = new Map<string, number>()
  readonly #unsent: Set<Accepted> | undefined
  readonly #limit: number
  readonly #bounds: ReturnType<typeof queueBounds>
  #producer: Producer | undefined
  /** Where the producer section asks for less than acks=all, durable connections have one of their own. */
  #durable: Producer | undefined
  #bytes = 0
  #accepted = 0
  #delivered = 0
  #errors = 0
  #unflushed = 0

  constructor(core: GatewayCore, options: ProducerOptions) {
    this.#core = core
    this.#options = options
    this.#bounds = queueBounds(core.settings)
    this.#limit = (options.maxMessageBytes ?? 1_000_000) - batchOverhead
    this.#unsent = core.settings.unsentDir === undefined ? undefined : new Set()
    this.commands = {
      RPUSHX: (command, session) => this.#rpushx(command, session),
      DUMP: (command, session) => this.#dump(command, session),
      KEYS: (command, session) => this.#keys(command, session),
      HGETALL: (command) => this.#hgetall(command),
      DEL: (command) => this.#del(command),
    }
    this.extensions = { PUBLISH: (command, session) => this.#publish(command, session) }
  }

  get unflushed(): number {
    return this.#unflushed
  }

  async send(session: Session, message: OutgoingMessage): Promise<SendResult> {
    const { topic } = message
    const key = bytesOf(message.key ?? null)
    const value = bytesOf(message.value)
    const accepted = this.#accept(session, topic, key, value, message.headers)
    const { result } = accepted
    this.#sure().post(message, accepted)
    try {
      return await result
    } catch (error) {
      throw refused(error)
    }
  }

  failures(session: Session): readonly FailedDelivery[] {
    return this.#accounts.get(session)?.failures ?? []
  }

  recordFailure(session: Session, failure: FailedDelivery): void {
    this.#bookOf(session).keep(failure)
  }

  closed(session: Session): Promise<void> {
    // Its messages hold on to their account until they are settled.
    this.#accounts.delete(session)
    return Promise.resolve()
  }

  async stop(deadlineMs: number): Promise<void> {
    const timeoutMs = Math.max(0, deadlineMs - this.#core.clock.monotonicMs())
    for (const producer of [this.#producer, this.#durable]) {
      if (producer === undefined) continue
      try {
        await producer.flush({ timeoutMs })
      } catch (error) {
        if (!isFailure(error, 'MR_CLIENT_TIMEOUT')) throw error
      }
    }
    await this.#keepUnsent()
    await Promise.all([
      this.#producer?.close({ timeoutMs: 0 }),
      this.#durable?.close({ timeoutMs: 0 }),
    ])
  }

  figures(): Figures {
    return {
      produced_messages: this.#delivered,
      produce_failures: this.#errors,
      produce_waiting_messages: this.#accepted - this.#delivered - this.#errors,
      produce_waiting_bytes: this.#bytes,
      produce_unflushed_messages: this.#unflushed,
    }
  }

  delivered(message: Accepted): void {
    this.#delivered++
    this.#settle(message)
  }

  failed(message: Accepted, error: Error): void {
    this.#settle(message)
    // Given up at the end: counted as unflushed, not as refused by the broker.
    if (isFailure(error, 'MR_PRODUCER_CLOSED')) {
      this.#accepted--
      return
    }
    this.#errors++
    const { topic, key } = message
    const reason = textOf(error)
    if (isFailure(error, 'MR_TOPIC_UNKNOWN')) this.#remember(topic)
    message.account.keep({ topic, key, reason, atMs: this.#core.clock.now() })
    events.gatewayDeliveryFailed.publish({ topic, reason, error })
  }

  /** That a topic is missing. The oldest are in front, and go when their time is over or there are too many. */
  #remember(topic: string): void {
    const nowMs = this.#core.clock.monotonicMs()
    const missing = this.#missingUntilMs
    missing.delete(topic)
    missing.set(topic, nowMs + missingMs)
    for (const [name, untilMs] of missing) {
      if (untilMs > nowMs && missing.size <= missingKept) break
      missing.delete(name)
    }
  }

  #settle(message: Accepted): void {
    this.#bytes -= message.bytes
    this.#unsent?.delete(message)
    message.account.settled(message.bytes)
  }

  #rpushx(command: Command, session: Session): Reply | Later {
    const { args } = command
    if (args.length !== 2)
      throw new ReplyError(`PROD RPUSHX accepts 2 arguments, got ${args.length}`)
    const [place = null, value = null] = args
    const first = place === null ? -1 : place.indexOf(colon)
    const second = first < 0 ? -1 : place!.indexOf(colon, first + 1)
    if (first < 0 || (second >= 0 && place!.includes(colon, second + 1)))
      throw new ReplyError(
        "PROD First argument must be in the form of 'topics:<topic>' or 'topics:<topic>:<key>'",
      )
    const topic = place!.toString('utf8', first + 1, second < 0 ? place!.length : second)
    const key = second < 0 ? null : place!.subarray(second + 1)
    return this.#produce(session, topic, key, value)
  }

  #produce(
    session: Session,
    topic: string,
    key: Buffer | null,
    value: Buffer | null,
  ): Reply | Later {
    const accepted = this.#accept(session, topic, key, value)
    if (!session.isDurable) {
      this.#opened().post({ topic, key, value }, accepted)
      return 1
    }
    const { result } = accepted
    this.#sure().post({ topic, key, value }, accepted)
    return new Later(
      result.then(
        () => 1,
        (error: unknown) => refused(error),
      ),
    )
  }

  /** Takes a message into the books. @throws ReplyError for what is refused at once */
  #accept(
    session: Session,
    topic: string,
    key: Buffer | null,
    value: Buffer | null,
    headers: Headers = noHeaders,
  ): Accepted {
    const { settings, client, clock } = this.#core
    permit(session, 'produce', { topic })
    if (client.metadata.peek(topic) === undefined) {
      if (!isTopicName(topic)) throw new ReplyError(`PROD ${texts.invalid}`)
      const untilMs = this.#missingUntilMs.get(topic)
      if (untilMs !== undefined) {
        if (clock.monotonicMs() < untilMs) throw new ReplyError(`PROD ${texts.unknownTopic}`)
        this.#missingUntilMs.delete(topic)
      }
    }
    const size = messageSize(key, value, headers)
    if (size > this.#limit) throw new ReplyError(`PROD ${texts.tooLarge}`)
    const bytes = size + bookOverhead
    const account = this.#accountOf(session)
    const isFull =
      this.#bytes + bytes > settings.bufferBytes ||
      account.unsettled >= this.#bounds.messages ||
      account.bytes + bytes > this.#bounds.bytes
    if (isFull) throw new ReplyError(`PROD ${texts.queueFull}`)
    // The batch has its own copy of these; they are kept for `unsentDir` alone.
    const isKept = this.#unsent !== undefined
    const accepted = new Accepted(this, account, {
      topic,
      key,
      value: isKept ? value : null,
      headers: isKept ? headers : noHeaders,
      bytes,
    })
    this.#accepted++
    this.#bytes += bytes
    account.bytes += bytes
    account.unsettled++
    this.#unsent?.add(accepted)
    return accepted
  }

  async #dump({ args }: Command, session: Session): Promise<Reply> {
    const account = this.#accounts.get(session)
    if (account?.hasProducer !== true) return 0
    if (args.length !== 1) throw new ReplyError(`PROD DUMP accepts 1 argument, got ${args.length}`)
    const text = args[0]?.toString() ?? ''
    if (!/^[+-]?\d+$/.test(text) || isBeyond64Bits(text)) throw new ReplyError('PROD NaN')
    const timeoutMs = Number(text)
    if (account.unsettled > 0 && timeoutMs > 0) await this.#wait(account, timeoutMs, session.signal)
    return account.unsettled
  }

  async #wait(account: Account, timeoutMs: number, gone: AbortSignal): Promise<void> {
    // What lingers for company goes now.
    const flushed = this.#producer?.flush({ timeoutMs })
    flushed?.catch((error: unknown) => {
      if (!isFailure(error, 'MR_CLIENT_TIMEOUT')) throw error
    })
    const done = new AbortController()
    const ends = AbortSignal.any([done.signal, gone])
    try {
      await Promise.race([account.whenSettled(), sleep(this.#core.clock, timeoutMs, ends)])
    } catch (error) {
      if (!gone.aborted) throw error
    } finally {
      done.abort(new Error('done'))
    }
  }

  async #keys({ args }: Command, session: Session): Promise<Reply> {
    const text = args[0]?.toString() ?? ''
    if (text !== 'topics:')
      throw new ReplyError(`ERR Expected argument to be 'topics:', got ${text}`)
    this.#accountOf(session)
    try {
      const topics = await this.#core.client.admin.describeTopics(undefined, { timeoutMs: keysMs })
      for (const { name } of topics) this.#missingUntilMs.delete(name)
      const { user } = session
      return topics
        .map(({ name }) => name)
        .filter((topic) =>
          (['produce', 'consume', 'admin'] as const).some((right) => user.may(right, { topic })),
        )
        .map((name) => `topics:${name}`)
    } catch (error) {
      throw new ReplyError(`ERR Error getting metadata: ${textOf(error)}`)
    }
  }

  #hgetall(command: Command): Reply {
    checkStats(command)
    return new MapReply([
      ['producer.unflushed.messages', String(this.#unflushed)],
      ['producer.delivery.errors', String(this.#errors)],
      ['producer.unknown.events', '0'],
    ])
  }

  #del(command: Command): Reply {
    checkStats(command)
    this.#unflushed = 0
    this.#accepted -= this.#errors
    this.#errors = 0
    return 1
  }

  #publish({ args }: Command, session: Session): Reply | Later {
    if (args.length !== 2)
      throw new ReplyError("ERR wrong number of arguments for 'publish' command")
    const [topic, value = null] = args
    try {
      return this.#produce(session, topic?.toString() ?? '', null, value)
    } catch (error) {
      if (!(error instanceof ReplyError) || !error.message.startsWith('PROD ')) throw error
      throw new ReplyError(`ERR ${error.message.slice('PROD '.length)}`)
    }
  }

  #accountOf(session: Session): Account {
    const account = this.#bookOf(session)
    account.hasProducer = true
    return account
  }

  #bookOf(session: Session): Account {
    let account = this.#accounts.get(session)
    if (account === undefined) this.#accounts.set(session, (account = new Account()))
    return account
  }

  #opened(): Producer {
    return (this.#producer ??= this.#core.client.producer(this.#options))
  }

  #sure(): Producer {
    if ((this.#options.acks ?? -1) === -1) return this.#opened()
    return (this.#durable ??= this.#core.client.producer({ ...this.#options, acks: -1 }))
  }

  /** What is still on its way when the gateway ends. */
  async #keepUnsent(): Promise<void> {
    const left = this.#accepted - this.#delivered - this.#errors
    if (left <= 0) return
    this.#unflushed += left
    const { unsentDir } = this.#core.settings
    const byTopic = Map.groupBy(this.#unsent ?? [], ({ topic }) => topic)
    if (unsentDir === undefined || byTopic.size === 0) {
      events.gatewayUnsent.publish({ messages: left, topic: undefined, file: undefined })
      return
    }
    await mkdir(unsentDir, { recursive: true })
    for (const [topic, messages] of byTopic) {
      const name = `${topic}-${this.#core.clock.now()}-${process.pid}.ndjson`
      const file = join(unsentDir, name)
      await writeFile(file, messages.map(lineOf).join(''))
      events.gatewayUnsent.publish({ messages: messages.length, topic, file })
    }
  }
}

/** What the original's numbers cannot hold is none to it. */
function isBeyond64Bits(text: string): boolean {
  const value = BigInt(text.replace(/^\+/, ''))
  return BigInt.asIntN(64, value) !== value
}

function checkStats({ args }: Command): void {
  const key = args[0]?.toString() ?? ''
  if (key.toLowerCase() !== 'stats')
    throw new ReplyError(`ERR Expected key to be 'stats', got ${key.toUpperCase()}`)
}

function refused(error: unknown): ReplyError {
  return error instanceof ReplyError ? error : new ReplyError(`PROD ${textOf(error)}`)
}

function bytesOf(content: Buffer | string | null): Buffer | null {
  return typeof content === 'string' ? Buffer.from(content) : content
}

/** A line that `millrace write --file` takes: what is no text stands in base64 beside its lossy text. */
function lineOf({ key, value, headers }: Accepted): string {
  const named = headers.map(([name, content]) => ({ name, ...field('value', bytesOf(content)) }))
  const line = { ...field('key', key), ...field('value', value), headers: named }
  return `${JSON.stringify(line)}\n`
}

function field(name: string, bytes: Buffer | null): object {
  if (bytes === null) return { [name]: null }
  const text = bytes.toString()
  return Buffer.from(text).equals(bytes)
    ? { [name]: text }
    : { [name]: text, [`${name}Base64`]: bytes.toString('base64') }
}
