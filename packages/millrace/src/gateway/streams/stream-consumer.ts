/**
 * One consumer of a group: a name, the member of the Kafka group behind it, and what that member holds.
 *
 * - It joins with the first topic that it is to read, and again with each further one.
 * - What it hands out is pending until it is acknowledged, by whomever; the contiguous part is committed soon, before a
 *   partition is given back, and when it leaves.
 * - Entries of a partition that goes leave with it: they come again where it went.
 * - At 10,000 pending entries it hands out nothing new.
 */
import {
  joinMetadata,
  splitMetadata,
  type Client,
  type ClientMessage,
  type GroupMember,
  type OwnedPartition,
} from '../../client/index.ts'
import { failure, type MillraceError } from '../../errors/index.ts'
import { deferred, type Clock, type Deferred, type Timer } from '../../kit/index.ts'
import type { Reply } from '../reply.ts'
import type { Session } from '../session.ts'
import type { ConsumerSettings } from './consumer-settings.ts'
import { PartitionLedger, type Holder } from './ledger.ts'
import { entryReply } from './read-log.ts'
import type { StreamKey } from './stream-key.ts'

/** A partition that the consumer's member holds. */
export interface Held {
  readonly owned: OwnedPartition
  readonly ledger: PartitionLedger
  readonly consumer: StreamConsumer
  /** What others wrote into the commit's metadata. */
  readonly userText: string
  committed: number
  committedText: string
}

/** What a consumer tells its group. */
export interface ConsumerOwner {
  readonly groupId: string
  openClient(clientId: string): Client
  /** A partition came; `gone`: it went, and its entries with it. */
  came(held: Held): void
  gone(held: Held): void
  /** It has left by itself: nobody uses it. */
  left(consumer: StreamConsumer): void
  commitFailed(consumer: StreamConsumer, error: unknown): void
  /** For `CLIENT NOTIFY`. */
  rebalanced(
    consumer: StreamConsumer,
    what: 'assigned' | 'revoked' | 'lost',
    partitions: readonly OwnedPartition[],
  ): void
}

const nothingCommitted = { offset: -1, metadata: '' }

export const mostPending = 10_000

const commitEveryMs = 100
const commitTimeoutMs = 10_000
const closeMs = 5000
const lingerMs = 30_000
/** For revoked partitions: their commit, nothing else is waited for. */
const drainMs = 5000
/** Nobody here needs longer to come back; a group waits so long for a member that does not. */
const rebalanceTimeoutMs = 10_000

export class StreamConsumer implements Holder {
  readonly name: string
  pending = 0
  /** By the clock's monotonic time: of the last command that named it. */
  usedAtMs: number
  /** The same, of the last that brought or claimed entries; -1: never. */
  activeAtMs = -1
  readonly sessions = new Set<Session>()
  readonly #owner: ConsumerOwner
  readonly #clock: Clock
  readonly #settings: ConsumerSettings
  readonly #topics = new Set<string>()
  readonly #waiting = new Set<() => void>()
  readonly #dirty = new Set<Held>()
  #held: Held[] = []
  #turn = 0
  #client: Client | undefined
  #member: GroupMember | undefined
  #leaving: Promise<void> | undefined
  #settled: Deferred<void> | undefined
  #failure: MillraceError | undefined
  #isRetired = false
  #blocked = 0
  #lingerTimer: Timer | undefined
  #idleTimer: Timer | undefined
  #commitTimer: Timer | undefined
  #isCommitting = false
  #committedAtMs = -Infinity

  constructor(name: string, owner: ConsumerOwner, clock: Clock, settings: ConsumerSettings) {
    this.name = name
    this.#owner = owner
    this.#clock = clock
    this.#settings = settings
    this.usedAtMs = clock.monotonicMs()
  }

  get isJoined(): boolean {
    return this.#member !== undefined && this.#failure === undefined
  }

  get held(): readonly Held[] {
    return this.#held
  }

  /** Undefined while it is in no generation. */
  get membership(): { readonly memberId: string; readonly generation: number } | undefined {
    const member = this.#member
    if (member === undefined || member.generation < 0) return undefined
    return { memberId: member.memberId, generation: member.generation }
  }

  reads(topic: string): boolean {
    return this.#topics.has(topic) && this.isJoined
  }

  /** A command named it. */
  use(session: Session): void {
    this.usedAtMs = this.#clock.monotonicMs()
    if (this.sessions.has(session)) return
    this.sessions.add(session)
    this.#lingerTimer?.cancel()
    this.#lingerTimer = undefined
  }

  /** A connection that used it has closed; after the last it leaves in 30 s. */
  release(session: Session): void {
    if (!this.sessions.delete(session) || this.sessions.size > 0) return
    this.#settled?.resolve()
    // The member holds the process; who has none left must not.
    this.#lingerTimer ??= this.#clock.after(
      lingerMs,
      () => {
        this.#lingerTimer = undefined
        this.#owner.left(this)
        void this.leave()
      },
      { unref: true },
    )
  }

  /** Reads a topic from now on. Joins when it has not yet. @throws MR_GROUP_OPTIONS_INVALID, MR_GROUP_CLOSED once retired */
  async subscribe(topic: string): Promise<void> {
    // What leaves gives its partitions back before it takes them again.
    while (this.#leaving) await this.#leaving
    // Nobody would ever make it leave again.
    if (this.#isRetired) throw failure('MR_GROUP_CLOSED', { groupId: this.#owner.groupId })
    this.#topics.add(topic)
    if (this.#member && this.#failure === undefined) {
      this.#member.subscribe(Array.from(this.#topics))
      return
    }
    if (this.#failure) await this.leave()
    this.#topics.add(topic)
    if (this.#member === undefined) this.#join()
  }

  /** Resolves after the first assignment, which may be empty. @throws what ended the member before it */
  async ready(): Promise<void> {
    await this.#member?.ready()
  }

  /** Up to `max` entries of a key, at once; without `keeps` they need no acknowledgement. */
  take(key: StreamKey, max: number, keeps: boolean, entries: Reply[]): void {
    let room = keeps ? Math.min(max, mostPending - this.pending) : max
    const count = this.#held.length
    for (let turn = 0; turn < count && room > 0; turn++) {
      const held = this.#held[(this.#turn + turn) % count]!
      const { owned } = held
      if (!isOf(owned, key)) continue
      const messages = owned.take(room)
      if (messages.length === 0) continue
      room -= messages.length
      this.#handOut(held, messages, keeps, entries)
    }
    if (count > 0) this.#turn = (this.#turn + 1) % count
  }

  /** What it holds of some keys. */
  ownedOf(keys: readonly StreamKey[]): readonly OwnedPartition[] {
    return this.#held.flatMap(({ owned }) => (keys.some((key) => isOf(owned, key)) ? owned : []))
  }

  /** The error of a partition that stands still. Told once; then it is tried again. */
  takeFailure(keys: readonly StreamKey[]): MillraceError | undefined {
    if (this.#failure) return this.#failure
    for (const owned of this.ownedOf(keys)) {
      const fault = owned.failure
      if (fault === null) continue
      owned.resume()
      return fault
    }
    return undefined
  }

  /** Resolves when `take` may give something, when partitions came or went, or the signal aborts. */
  async woken(keys: readonly StreamKey[], keeps: boolean, signal: AbortSignal): Promise<void> {
    if (signal.aborted) return
    this.#blocked++
    const done = new AbortController()
    try {
      await new Promise<void>((resolve) => {
        const wake = (): void => resolve()
        this.#waiting.add(wake)
        done.signal.addEventListener('abort', () => this.#waiting.delete(wake), { once: true })
        signal.addEventListener('abort', wake, { once: true, signal: done.signal })
        // At the bound only an acknowledgement helps.
        if (keeps && this.pending >= mostPending) return
        for (const owned of this.ownedOf(keys)) owned.available(done.signal).then(wake, wake)
      })
    } finally {
      done.abort()
      this.#blocked--
      this.usedAtMs = this.#clock.monotonicMs()
    }
  }

  /** An entry that it had was acknowledged, or went to another. */
  relieved(): void {
    this.usedAtMs = this.#clock.monotonicMs()
    if (this.pending === mostPending - 1) this.#wake()
    if (this.pending === 0) this.#settled?.resolve()
  }

  /** Resolves when nothing that it handed out is pending, when nobody is left to acknowledge it, or after a time. */
  async settled(ms: number): Promise<void> {
    if (this.pending === 0 || this.sessions.size === 0) return
    this.#settled ??= deferred()
    const { resolve, promise } = this.#settled
    const timer = this.#clock.after(ms, resolve)
    await promise
    timer.cancel()
  }

  /** Something of a partition that it holds may be committed. */
  moved(held: Held): void {
    this.#dirty.add(held)
    if (this.#isCommitting || this.#commitTimer) return
    const waitedMs = this.#clock.monotonicMs() - this.#committedAtMs
    this.#commitTimer = this.#clock.after(Math.max(0, commitEveryMs - waitedMs), () => {
      this.#commitTimer = undefined
      void this.#commit()
    })
  }

  /** Leaves for good. */
  retire(): Promise<void> {
    this.#isRetired = true
    return this.leave()
  }

  /** Commits, gives its partitions back and leaves the group. It may join again later. Never rejects. */
  leave(): Promise<void> {
    this.#leaving ??= this.#leave().finally(() => {
      this.#leaving = undefined
    })
    return this.#leaving
  }

  #join(): void {
    const client = this.#owner.openClient(this.name)
    this.#client = client
    this.#failure = undefined
    this.#member = client.joinGroup({
      groupId: this.#owner.groupId,
      topics: Array.from(this.#topics),
      drainMs,
      rebalanceTimeoutMs,
      ...this.#settings.group,
      onAssigned: (partitions) => this.#assigned(partitions),
      onRevoked: (partitions) => this.#revoked(partitions),
      onLost: (partitions) => {
        this.#owner.rebalanced(this, 'lost', partitions)
        this.#drop(partitions)
      },
      onError: (error, isFatal) => {
        if (isFatal) this.#failure = error
        this.#wake()
      },
    })
    // Whoever waits for it hears of the end through `ready`.
    this.#member.ready().catch(() => undefined)
    this.#watchUse()
  }

  #assigned(partitions: readonly OwnedPartition[]): void {
    for (const owned of partitions) {
      const { offset: committed, metadata: committedText } = owned.committed ?? nothingCommitted
      const { user: userText, runs } = splitMetadata(committedText, committed)
      const ledger = new PartitionLedger(owned.topic, owned.partition, runs)
      const held: Held = { owned, ledger, consumer: this, userText, committed, committedText }
      this.#held.push(held)
      this.#owner.came(held)
    }
    this.#owner.rebalanced(this, 'assigned', partitions)
    this.#wake()
  }

  async #revoked(partitions: readonly OwnedPartition[]): Promise<void> {
    this.#owner.rebalanced(this, 'revoked', partitions)
    const gone = this.#held.filter(({ owned }) => partitions.includes(owned))
    try {
      // What is acknowledged while a commit is on its way was answered as kept: it needs another.
      while (await this.#commitNow(gone));
    } catch (error) {
      // What was not committed comes again; the partition goes all the same.
      this.#owner.commitFailed(this, error)
    }
    this.#drop(partitions)
  }

  #drop(partitions: readonly OwnedPartition[]): void {
    const kept: Held[] = []
    for (const held of this.#held) {
      if (!partitions.includes(held.owned)) {
        kept.push(held)
        continue
      }
      this.#dirty.delete(held)
      held.ledger.end()
      this.#owner.gone(held)
    }
    this.#held = kept
    this.#wake()
  }

  #handOut(held: Held, messages: readonly ClientMessage[], keeps: boolean, entries: Reply[]): void {
    const nowMs = this.#clock.monotonicMs()
    const { ledger } = held
    const holder = keeps ? this : null
    let hasMoved = !keeps
    for (const message of messages) {
      if (ledger.isKnown(message.offset)) {
        ledger.deliver(message.offset, null, nowMs)
        hasMoved = true
        continue
      }
      ledger.deliver(message.offset, holder, nowMs)
      entries.push(entryReply(message))
    }
    this.activeAtMs = nowMs
    if (hasMoved) this.moved(held)
  }

  async #commit(): Promise<void> {
    if (this.#isCommitting || this.#dirty.size === 0) return
    this.#isCommitting = true
    const dirty = Array.from(this.#dirty)
    this.#dirty.clear()
    let again: readonly Held[] = []
    try {
      await this.#commitNow(dirty)
    } catch (error) {
      this.#owner.commitFailed(this, error)
      again = dirty.filter(({ owned }) => owned.isOwned)
    }
    this.#isCommitting = false
    this.#committedAtMs = this.#clock.monotonicMs()
    for (const held of again) this.#dirty.add(held)
    const [next] = this.#dirty
    if (next) this.moved(next)
  }

  /** False: there was nothing to commit. */
  async #commitNow(some: readonly Held[]): Promise<boolean> {
    const entries = some.flatMap((held) => {
      const { position, ahead } = held.ledger
      if (position < 0 || position < held.committed) return []
      const metadata = joinMetadata(held.userText, position, ahead)
      const isNew = position > held.committed || metadata !== held.committedText
      return isNew ? { held, partition: held.owned, offset: position, metadata } : []
    })
    if (entries.length === 0 || this.#member === undefined) return false
    await this.#member.commit(entries, { timeoutMs: commitTimeoutMs })
    for (const { held, offset, metadata } of entries) {
      held.committed = offset
      held.committedText = metadata
    }
    return true
  }

  async #leave(): Promise<void> {
    this.#lingerTimer?.cancel()
    this.#idleTimer?.cancel()
    this.#commitTimer?.cancel()
    this.#lingerTimer = this.#idleTimer = this.#commitTimer = undefined
    this.#topics.clear()
    const client = this.#client
    // The member gives everything back by `onRevoked`, which commits.
    await this.#member?.close({ timeoutMs: closeMs })
    this.#member = undefined
    this.#drop(this.#held.map(({ owned }) => owned))
    this.#client = undefined
    this.#failure = undefined
    await client?.close({ timeoutMs: closeMs }).catch(() => undefined)
  }

  /** Leaves when no command has named it for so long; a blocked one counts as long as it blocks. */
  #watchUse(): void {
    this.#idleTimer?.cancel()
    const leftMs = this.usedAtMs + this.#settings.maxPollIntervalMs - this.#clock.monotonicMs()
    this.#idleTimer = this.#clock.after(
      Math.max(1, leftMs),
      () => {
        this.#idleTimer = undefined
        if (this.#blocked > 0) this.usedAtMs = this.#clock.monotonicMs()
        const isUnused =
          this.#clock.monotonicMs() - this.usedAtMs >= this.#settings.maxPollIntervalMs
        if (!isUnused) {
          this.#watchUse()
          return
        }
        this.#owner.left(this)
        void this.leave()
      },
      { unref: true },
    )
  }

  #wake(): void {
    for (const wake of Array.from(this.#waiting)) wake()
  }
}

function isOf(owned: OwnedPartition, { topic, partition }: StreamKey): boolean {
  return owned.topic === topic && (partition === undefined || owned.partition === partition)
}
