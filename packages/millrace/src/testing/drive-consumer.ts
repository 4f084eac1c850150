import {
  internals,
  type AnyTopic,
  type ConsumerDefinition,
  type EncodedMessage,
  type Header,
  type Logger,
  type OwnerState,
  type SourceMessage,
  type Topic,
} from '../app/index.ts'
import { failure } from '../errors/index.ts'
import { manualClock, parseDuration, type Duration, type ManualClock } from '../kit/index.ts'
import { events } from '../telemetry/index.ts'
import { differenceOf, effectsOf, type Effects } from './deliver-twice.ts'
import { MemoryPartition } from './memory-partition.ts'

export interface DriveOptions {
  /** Default one that stands still until `advance`. */
  readonly clock?: ManualClock
  /** Random numbers of back-off jitter, 0 up to 1. Default 0.5, which is no jitter. */
  readonly random?: () => number
  /** Handler calls at once over all partitions. Default 8. */
  readonly slots?: number
  /**
   * Everything is delivered a second time, as after a crash before the commit: a second handler with a state of its
   * own. A difference fails the test: other or further messages sent, dead letters, a failure; or, with `observe`,
   * other rows, files or whatever it returns. What the second time sends equally is not shown in `sent`.
   */
  readonly deliverTwice?: boolean | { readonly observe: () => unknown }
}

/** A message for the consumer: a typed value, or `raw` bytes as they would lie in the log. */
export interface Delivery {
  readonly topic?: AnyTopic
  readonly value?: unknown
  readonly key?: unknown
  readonly raw?: { readonly key?: Buffer | null; readonly value: Buffer | null }
  readonly headers?: Readonly<Record<string, string>>
  readonly partition?: number
  /** Default the next of its partition. */
  readonly offset?: number
  readonly timestamp?: number
}

export interface DrivenLetter {
  readonly topic: string
  readonly partition: number | undefined
  readonly key: Buffer | string | null
  readonly value: Buffer | string | null
  readonly headers: Readonly<Record<string, string>>
  readonly message: EncodedMessage
}

let drives = 0

/**
 * Runs a consumer's real policies (decoding, attempts, back-off, outcomes, marks, dead letters) without sockets and
 * without time passing by itself.
 *
 * @example
 * await using drive = driveConsumer(mail)
 * await drive.deliver({ value: { email: 'a@b.c' } })
 * await drive.advance('1s')
 * assert.deepEqual(drive.marked, [0])
 */
export function driveConsumer(definition: ConsumerDefinition, options: DriveOptions = {}): Drive {
  return new Drive(definition, options)
}

export class Drive implements AsyncDisposable {
  readonly clock: ManualClock
  /** Sent by the handler, bytes as on the wire. */
  readonly sent: EncodedMessage[] = []
  readonly deadLetters: DrivenLetter[] = []
  /** Moved into a retry topic, where it is handled again when `advance` has passed its time. */
  readonly retried: DrivenLetter[] = []
  /** Every failed attempt, the errors as thrown. */
  readonly failures: {
    readonly offset: number
    readonly attempt: number
    readonly error: unknown
  }[] = []
  /** What would have stopped the worker. */
  readonly critical: unknown[] = []
  readonly #definition: ConsumerDefinition
  readonly #plan: ReturnType<typeof internals.planConsumer>['plan']
  readonly #owners = new Map<string, internals.PartitionOwner>()
  readonly #logs = new Map<string, SourceMessage[]>()
  readonly #committedAt = new Map<string, { readonly offset: number; readonly metadata: string }>()
  readonly #parked = new internals.MemoryParkedLog()
  readonly #marks: { readonly at: string; readonly offset: number }[] = []
  readonly #committer: internals.Committer
  readonly #slots: internals.Slots
  readonly #random: () => number
  readonly #unsubscribe: (() => void)[] = []
  #sendFailure: (() => unknown) | undefined
  readonly #twice: { readonly observe?: () => unknown } | undefined
  /** The second delivery is not seen by the test. */
  #isRepeating = false

  constructor(definition: ConsumerDefinition, options: DriveOptions) {
    const id = `drive-${++drives}`
    this.#definition = definition
    if (options.deliverTwice !== undefined && options.deliverTwice !== false)
      this.#twice = options.deliverTwice === true ? {} : options.deliverTwice
    this.clock = options.clock ?? manualClock()
    this.#random = options.random ?? ((): number => 0.5)
    this.#slots = new internals.Slots(options.slots ?? 8)
    const planned = internals.planConsumer(definition, {
      app: {},
      group: {},
      groupId: (group) => `${id}_${group}`,
      wireName: (name) => name,
      responders: new Map(),
    })
    if (planned.faults.length > 0) throw failure('MR_CONFIG_INVALID', { faults: planned.faults })
    this.#plan = planned.plan
    planned.plan.retryTopics?.keyOrder?.attach({
      log: this.#parked,
      send: (message) => this.#letter(message),
      clock: this.clock,
    })
    const { groupId, commitIntervalMs: intervalMs, commitEvery: every } = planned.plan
    this.#committer = new internals.Committer(
      this.clock,
      { intervalMs, every, recommitAfterMs: Infinity },
      { commit: (entries) => Promise.resolve(entries.map((entry) => this.#commit(entry))) },
      () => this.#owners.values(),
    )
    this.#committer.start()
    this.#unsubscribe.push(
      events.offsetsMarked.subscribe((mark) => {
        if (mark.groupId !== groupId || this.#isRepeating) return
        this.#marks.push({ at: `${mark.topic}/${mark.partition}`, offset: mark.offset })
      }),
      events.consumerFailed.subscribe(({ offset, attempt, error, groupId: own }) => {
        if (own === groupId) this.failures.push({ offset, attempt, error })
      }),
    )
  }

  /**
   * Puts messages into their partitions and waits until the consumer has nothing to do but wait.
   * @throws MR_TEST_NOT_SETTLED when a handler does not end, MR_TEST_DELIVERED_TWICE with `deliverTwice`
   */
  async deliver(...deliveries: readonly Delivery[]): Promise<void> {
    const touched = new Map<string, number>()
    const before = this.#counts
    for (const delivery of deliveries) {
      const topic = (delivery.topic ?? this.#definition.topics[0]) as Topic
      const at = `${topic.name}/${delivery.partition ?? 0}`
      const log = this.#logOf(at)
      const message = await this.#message(topic, delivery, (log.at(-1)?.offset ?? -1) + 1)
      log.push(message)
      if (!touched.has(at)) touched.set(at, message.offset)
    }
    for (const at of touched.keys()) this.#ownerAt(at)
    for (const owner of this.#owners.values()) (owner.source as MemoryPartition).wake()
    await this.settle()
    if (this.#twice !== undefined) await this.#repeat(touched, before, this.#twice)
  }

  get #counts(): readonly [sent: number, letters: number, failures: number] {
    return [this.sent.length, this.deadLetters.length, this.failures.length]
  }

  #since([sent, letters, failures]: readonly [number, number, number]): Effects {
    return effectsOf(
      this.sent.slice(sent),
      this.deadLetters.slice(letters).map(({ message }) => message),
      this.failures.slice(failures).map(({ error }) => error),
    )
  }

  /** The same messages for new owners of their partitions; then everything is as if they had come once. */
  async #repeat(
    touched: ReadonlyMap<string, number>,
    before: readonly [number, number, number],
    { observe }: { readonly observe?: () => unknown },
  ): Promise<void> {
    const first = this.#since(before)
    // What is in its back-off has not been handled once yet.
    const isDone = [...touched.keys()].every((at) => this.#ownerAt(at).status.kind === 'waiting')
    if (!isDone) return
    const seenFirst = structuredClone(await observe?.())
    const after = this.#counts
    this.#isRepeating = true
    try {
      for (const [at, offset] of touched) {
        await this.#lose(this.#ownerAt(at))
        this.#committedAt.set(at, { offset, metadata: '' })
        this.#ownerAt(at)
      }
      await this.settle()
      const second = this.#since(after)
      const difference = differenceOf(first, second, seenFirst, await observe?.())
      if (difference !== undefined)
        throw failure('MR_TEST_DELIVERED_TWICE', {
          at: Array.from(touched, ([at, offset]) => `${at}@${offset}`).join(', '),
          difference,
        })
    } finally {
      this.#isRepeating = false
      this.sent.length = after[0]
      this.deadLetters.length = after[1]
      this.failures.length = after[2]
    }
  }

  /** Moves time; back-offs, timeouts and commit intervals come due in order. */
  async advance(duration: Duration): Promise<void> {
    await this.clock.advanceAsync(parseDuration(duration) ?? 0)
    await this.settle()
  }

  /**
   * Waits until every partition waits for messages, for time, or for somebody.
   * @throws MR_TEST_NOT_SETTLED when a handler does not end within ten seconds of real time
   */
  async settle(): Promise<void> {
    const untilMs = performance.now() + 10_000
    for (let quiet = 0; quiet < 2;) {
      await new Promise((resolve) => setImmediate(resolve))
      const busy = [...this.#owners.values()].filter((owner) => owner.status.kind === 'running')
      quiet = busy.length > 0 ? 0 : quiet + 1
      if (performance.now() < untilMs) continue
      const open = busy.map(({ topic, source }) => `${topic.name}/${source.partition}: running`)
      throw failure('MR_TEST_NOT_SETTLED', { open })
    }
  }

  /** Offsets that count as finished, in the order in which they were marked. */
  get marked(): readonly number[] {
    return this.#marks.map(({ offset }) => offset)
  }

  markedIn(partition: number, topic = this.#topicName): readonly number[] {
    return this.#marks.flatMap(({ at, offset }) => (at === `${topic}/${partition}` ? [offset] : []))
  }

  /** What a restart would begin at; undefined when nothing was committed. */
  committed(partition = 0, topic = this.#topicName): number | undefined {
    return this.#committedAt.get(`${topic}/${partition}`)?.offset
  }

  /** What was committed with the offset: the user's part and ours. */
  committedMetadata(partition = 0, topic = this.#topicName): string | undefined {
    return this.#committedAt.get(`${topic}/${partition}`)?.metadata
  }

  state(partition = 0, topic = this.#topicName): OwnerState {
    return this.owner(partition, topic).status
  }

  /** The partition's owner; assigns the partition when it was not. */
  owner(partition = 0, topic = this.#topicName): internals.PartitionOwner {
    return this.#ownerAt(`${topic}/${partition}`)
  }

  /** Sends fail while the function gives an error; undefined lets them through again. */
  failSends(error: (() => unknown) | undefined): void {
    this.#sendFailure = error
  }

  /** Takes a partition away in good order: waits for the handler, runs the hook, commits. */
  async revoke(partition = 0, topic = this.#topicName): Promise<void> {
    const owner = this.owner(partition, topic)
    await owner.end('revoked', 30_000, 1000)
    await this.#committer.commit([owner])
    this.#release(owner)
  }

  /** Takes a partition away without warning: nothing can be committed any more. */
  async lose(partition = 0, topic = this.#topicName): Promise<void> {
    await this.#lose(this.owner(partition, topic))
  }

  async #lose(owner: internals.PartitionOwner): Promise<void> {
    ;(owner.source as MemoryPartition).endTenure()
    const ended = owner.end('lost', 0, 0)
    await this.clock.advanceAsync(0)
    await ended
    this.#release(owner)
  }

  /** As kill -9 would: whatever runs counts for nothing, the next delivery starts at the committed offsets. */
  crash(): void {
    for (const owner of this.#owners.values()) {
      ;(owner.source as MemoryPartition).endTenure()
      owner.release()
      void owner.end('lost', 0, 0)
    }
    this.#owners.clear()
    for (const at of this.#logs.keys()) this.#ownerAt(at)
  }

  /** Stops in good order and commits. */
  async stop(): Promise<void> {
    const owners = [...this.#owners.values()]
    await Promise.all(owners.map((owner) => owner.end('shutdown', 60_000, 5000)))
    await this.#committer.commit(owners)
    for (const owner of owners) this.#release(owner)
    this.#committer.stop()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#committer.stop()
    for (const owner of this.#owners.values()) {
      ;(owner.source as MemoryPartition).endTenure()
      owner.release()
      void owner.end('lost', 0, 0)
    }
    await this.clock.advanceAsync(0)
    for (const unsubscribe of this.#unsubscribe) unsubscribe()
  }

  get #topicName(): string {
    return this.#definition.topics[0]?.name ?? ''
  }

  #ownerAt(at: string): internals.PartitionOwner {
    const known = this.#owners.get(at)
    if (known !== undefined) return known
    const [name, partition] = at.split('/')
    const topic = this.#plan.topics.find((own) => own.name === name) as Topic
    const source = new MemoryPartition(
      topic.name,
      Number(partition),
      this.#logOf(at),
      this.#committedAt.get(at),
    )
    const owner = new internals.PartitionOwner(this.#plan, topic, source, {
      clock: this.clock,
      random: this.#random,
      slots: this.#slots,
      log: silentLogger,
      workerName: 'drive',
      send: async (target, message) =>
        this.#send(await internals.encodeMessage(target, message, (own) => own)),
      sendLetter: (letter) => this.#letter(letter),
      commit: (own) => this.#committer.commit([own]),
      onMarked: () => this.#committer.onMarked(),
      onCritical: (_own, error) => this.critical.push(error),
    })
    this.#owners.set(at, owner)
    void owner.start()
    return owner
  }

  #logOf(at: string): SourceMessage[] {
    const known = this.#logs.get(at)
    if (known !== undefined) return known
    const log: SourceMessage[] = []
    this.#logs.set(at, log)
    return log
  }

  #release(owner: internals.PartitionOwner): void {
    ;(owner.source as MemoryPartition).endTenure()
    owner.release()
    this.#owners.delete(`${owner.topic.name}/${owner.source.partition}`)
  }

  #commit({
    partition,
    offset,
    metadata,
  }: {
    readonly partition: {
      readonly topic: string
      readonly partition: number
      readonly isOwned: boolean
    }
    readonly offset: number
    readonly metadata: string
  }): 'committed' | 'fenced' {
    if (!partition.isOwned) return 'fenced'
    this.#committedAt.set(`${partition.topic}/${partition.partition}`, { offset, metadata })
    return 'committed'
  }

  /** To a dead letter topic, or into a log of this drive. */
  async #letter(
    letter: EncodedMessage,
  ): Promise<{ topic: string; partition: number; offset: number; timestamp: number }> {
    const sent = await this.#send(letter)
    this.sent.pop()
    const { topic, partition = 0 } = letter
    const key = bytesOf(letter.key)
    const value = bytesOf(letter.value)
    const { retryTopics } = this.#plan
    if (retryTopics?.isRetryTopic(topic) === true) {
      this.retried.push(drivenLetter(letter))
      const at = `${topic}/${partition}`
      const log = this.#logOf(at)
      const offset = (log.at(-1)?.offset ?? -1) + 1
      const headers = (letter.headers ?? []).map(([name, text]): Header => [name, bytesOf(text)])
      const now = this.clock.now()
      const times = { timestamp: now, timestampType: 'create', receivedAt: now } as const
      log.push({ topic, partition, offset, key, value, headers, ...times })
      ;(this.#ownerAt(at).source as MemoryPartition).wake()
      return { ...sent, offset }
    }
    if (retryTopics?.declared.some((own) => own.topic === topic) === true)
      return { ...sent, offset: this.#parked.append(topic, partition, key, value) }
    this.deadLetters.push(drivenLetter(letter))
    return sent
  }

  async #send(
    message: EncodedMessage,
  ): Promise<{ topic: string; partition: number; offset: number; timestamp: number }> {
    const error = this.#sendFailure?.()
    if (error !== undefined) throw error
    this.sent.push(message)
    const { topic, partition = 0, timestamp = this.clock.now() } = message
    return { topic, partition, offset: this.sent.length - 1, timestamp }
  }

  async #message(topic: Topic, delivery: Delivery, next: number): Promise<SourceMessage> {
    const { raw, key = null, value = null } = delivery
    return {
      topic: topic.name,
      partition: delivery.partition ?? 0,
      offset: delivery.offset ?? next,
      timestamp: delivery.timestamp ?? this.clock.now(),
      timestampType: 'create',
      key: raw === undefined ? topic.encodeKey(key) : (raw.key ?? null),
      value: raw === undefined ? await topic.encodeValue(value) : raw.value,
      headers: Object.entries(delivery.headers ?? {}).map(([name, text]): Header => [
        name,
        Buffer.from(text),
      ]),
      receivedAt: this.clock.now(),
    }
  }
}

function bytesOf(value: Buffer | string | null | undefined): Buffer | null {
  return typeof value === 'string' ? Buffer.from(value) : (value ?? null)
}

function drivenLetter(message: EncodedMessage): DrivenLetter {
  const { topic, partition, key = null, value, headers = [] } = message
  const texts = headers.map(([name, text]) => [name, text?.toString() ?? ''] as const)
  return { topic, partition, key, value, headers: Object.fromEntries(texts), message }
}

const silentLogger: Logger = { debug() {}, info() {}, warn() {}, error() {} }
