import {
  kafkaCodeOf,
  type Client,
  type ClientMessage,
  type GroupMember,
  type OwnedPartition,
} from '../../client/index.ts'
import { isFailure, type MillraceError } from '../../errors/index.ts'
import {
  deferred,
  orAbort,
  placeKey,
  type Clock,
  type Deferred,
  type Timer,
} from '../../kit/index.ts'
import { errorCodes } from '../../protocol/index.ts'
import { events } from '../../telemetry/index.ts'
import type { ConsumerOptions } from '../properties/index.ts'
import { isTopicName, textOf } from '../produce/index.ts'
import type { User } from '../server/users.ts'
import type { Ack } from './ack.ts'
import { TopicFollower } from './topic-follower.ts'

/** What is kept of a partition that this consumer was given. */
interface Held {
  readonly owned: OwnedPartition
  /** The position to commit; -1: nothing was acknowledged. Never moves back. */
  stored: number
  /** The position behind the last message that was handed out; -1: none was. */
  given: number
  committed: number
  isWatched: boolean
}

export interface ConsumerParts {
  readonly id: string
  readonly groupId: string
  /** Who reads. */
  readonly user: User
  readonly topics: readonly string[]
  readonly options: ConsumerOptions
  readonly clock: Clock
  /** A client of its own, under the consumer's name. Closed with the consumer. */
  readonly openClient: () => Client
  readonly onMissing: () => void
  readonly onRebalance: (
    what: 'assigned' | 'revoked' | 'lost',
    partitions: readonly OwnedPartition[],
  ) => void
}

const closeMs = 5000

/**
 * The consumer of one connection: a member of its group, the messages that it has fetched, the positions that were
 * acknowledged.
 *
 * - An acknowledgement stores a position; stored positions are committed by time, before partitions go, and at the end.
 * - It leaves when its client was silent for too long, and joins again with the next call.
 */
export class Consumer {
  readonly id: string
  readonly topics: readonly string[]
  readonly groupId: string
  readonly user: User
  readonly #parts: ConsumerParts
  #client: Client | undefined
  #member: GroupMember | undefined
  #follower: TopicFollower | undefined
  #held: Held[] = []
  readonly #byPlace = new Map<string, Held>()
  /** Partitions that it had once. */
  readonly #known = new Set<string>()
  #turn = 0
  #wake: (() => void) | undefined
  #error: MillraceError | undefined
  /** What no further try can mend. */
  #hopeless: MillraceError | undefined
  #commitTimer: Timer | undefined
  #closing: Promise<void> | undefined
  /** Members that were silent for too long, giving back what they held. */
  readonly #leaving = new Set<Promise<void>>()
  #settled: Deferred<void> | undefined
  #isClosed = false
  #isPlaced = false
  #hasLooked = false
  readonly #ending = new AbortController()
  messages = 0
  acks = 0
  /** When the last call that waited was answered, in epoch milliseconds: its client was no silent one until then. */
  waitedUntilMs = 0

  constructor(parts: ConsumerParts) {
    this.#parts = parts
    this.id = parts.id
    this.topics = parts.topics
    this.groupId = parts.groupId
    this.user = parts.user
    this.#join()
  }

  get held(): readonly OwnedPartition[] {
    return this.#held.map(({ owned }) => owned)
  }

  get isWaitedFor(): boolean {
    return this.#wake !== undefined
  }

  get maxPollMs(): number {
    return this.#parts.options.maxPollMs
  }

  get isJoined(): boolean {
    return this.#member !== undefined
  }

  /**
   * Every position is fixed that its first assignment asks for: what is produced from now on is read. Once true, or set,
   * it stays so.
   */
  get isPlaced(): boolean {
    if (this.#isPlaced) return true
    const member = this.#member
    this.#isPlaced =
      member === undefined ||
      this.#parts.options.group.start !== 'latest' ||
      (this.#follower?.hasLooked !== false &&
        member.state === 'steady' &&
        member.owned.every(({ position, failure }) => position >= 0 || failure !== null))
    return this.#isPlaced
  }

  set isPlaced(isPlaced: boolean) {
    this.#isPlaced = isPlaced
  }

  /** A message that is here already, or undefined. @throws the error that the consumer met, once */
  take(): ClientMessage | undefined {
    if (this.#hopeless !== undefined) throw this.#hopeless
    if (this.#member === undefined && !this.#isClosed) this.#join()
    if (this.#error !== undefined) {
      const error = this.#error
      this.#error = undefined
      throw error
    }
    const count = this.#held.length
    for (let step = 0; step < count; step++) {
      const held = this.#held[this.#turn % count]!
      const [message] = held.owned.take(1)
      // Partitions take turns, message by message.
      this.#turn++
      if (message !== undefined) {
        this.messages++
        held.given = message.offset + 1
        return message
      }
    }
    return undefined
  }

  /** Resolves when `take` may give something else than before; true when the signal aborted first. */
  async woken(signal: AbortSignal): Promise<void> {
    if (this.#error !== undefined || this.#hopeless !== undefined) return
    const woken = new Promise<void>((resolve) => (this.#wake = resolve))
    for (const held of this.#held) this.#watch(held)
    try {
      await orAbort(woken, signal)
    } catch (error) {
      if (!signal.aborted) throw error
    } finally {
      this.#wake = undefined
    }
  }

  /** Tells once of topics that are not there, which is no error for whoever waits for them. */
  lookForMissing(): void {
    const client = this.#client
    if (this.#hasLooked || this.#member?.state !== 'steady' || client === undefined) return
    this.#hasLooked = true
    const held = new Set(this.#held.map(({ owned }) => owned.topic))
    const asked = this.topics.filter(
      (topic) => topic !== '' && !topic.startsWith('^') && !held.has(topic),
    )
    if (asked.length > 0) void this.#tellMissing(client, asked)
  }

  async #tellMissing(client: Client, topics: readonly string[]): Promise<void> {
    const names = topics.filter(isTopicName)
    try {
      const reason = 'a consumer waits for them'
      if (names.length > 0)
        await client.metadata.refresh(names, { signal: this.#ending.signal, reason })
    } catch (error) {
      if (this.#isClosed) return
      events.gatewayTopicsUnknown.publish({ groupId: this.groupId, error })
      return
    }
    for (const topic of topics) {
      if (isTopicName(topic) && client.metadata.peek(topic) !== undefined) continue
      events.gatewayTopicMissing.publish({ consumer: this.id, groupId: this.groupId, topic })
      this.#parts.onMissing()
    }
  }

  /** Stores a position. */
  ack({ topic, partition, next }: Ack): 'stored' | 'unknown' | 'gone' {
    const key = placeKey({ topic, partition })
    const held = this.#byPlace.get(key)
    if (held === undefined) return this.#known.has(key) ? 'gone' : 'unknown'
    this.acks++
    const position = Number(next)
    if (position > held.stored) held.stored = position
    if (!this.#hasUnacknowledged) this.#settled?.resolve()
    if (held.stored > held.committed) this.#planCommit()
    return 'stored'
  }

  /** Resolves when every message that was handed out is acknowledged, or after a time. */
  async acknowledged(ms: number): Promise<void> {
    if (!this.#hasUnacknowledged) return
    this.#settled ??= deferred()
    const { promise } = this.#settled
    const over = deferred()
    const timer = this.#parts.clock.after(ms, () => over.resolve())
    await Promise.race([promise, over.promise])
    timer.cancel()
  }

  get #hasUnacknowledged(): boolean {
    return this.#held.some(({ owned, given, stored }) => owned.isOwned && given > stored)
  }

  /** Its client was silent for too long: the partitions go to others. The next `take` joins again. */
  leave(): void {
    const member = this.#member
    if (member === undefined) return
    this.#member = undefined
    this.#follower?.stop()
    const client = this.#client
    this.#client = undefined
    const left = this.#shut(member, client).then(() => void this.#leaving.delete(left))
    this.#leaving.add(left)
  }

  /** Commits, leaves. Bounded, idempotent, never rejects. */
  close(): Promise<void> {
    return (this.#closing ??= this.#close())
  }

  async #close(): Promise<void> {
    this.#isClosed = true
    this.#ending.abort()
    this.#follower?.stop()
    this.#commitTimer?.cancel()
    this.#wake?.()
    const [member, client] = [this.#member, this.#client]
    await Promise.all([
      member === undefined ? undefined : this.#shut(member, client),
      ...this.#leaving,
    ])
  }

  async #shut(member: GroupMember, client: Client | undefined): Promise<void> {
    // `onRevoked` commits.
    await member.close({ timeoutMs: closeMs })
    await client?.close({ timeoutMs: 1000 })
  }

  #join(): void {
    const { openClient, groupId, topics, options, clock, user } = this.#parts
    const client = openClient()
    this.#client = client
    const isPlain = topics.every((topic) => !topic.startsWith('^'))
    const member = client.joinGroup({
      ...options.group,
      groupId,
      topics: isPlain ? topics.filter((topic) => topic !== '') : [],
      mayBeEmpty: true,
      drainMs: closeMs - 1000,
      onAssigned: (partitions) => this.#assigned(member, partitions),
      onRevoked: (partitions) => this.#revoked(member, partitions, 'revoked'),
      onLost: (partitions) => this.#revoked(member, partitions, 'lost'),
      onError: (error, isFatal) => this.#failed(member, error, isFatal),
    })
    this.#member = member
    member.ready().catch(() => undefined)
    if (isPlain) return
    this.#follower = new TopicFollower({
      client,
      clock,
      topics,
      member,
      mayRead: (topic) => user.may('consume', { topic, group: groupId }),
      onFailed: (error) => {
        events.gatewayConsumerFailed.publish({ consumer: this.id, groupId, error })
        this.#hopeless = error
        this.leave()
        this.#wake?.()
      },
    })
  }

  #assigned(member: GroupMember, partitions: readonly OwnedPartition[]): void {
    if (member !== this.#member) return
    for (const owned of partitions) {
      const key = placeKey(owned)
      const committed = owned.committed?.offset ?? -1
      const held: Held = { owned, stored: committed, given: -1, committed, isWatched: false }
      this.#held.push(held)
      this.#byPlace.set(key, held)
      this.#known.add(key)
    }
    this.#parts.onRebalance('assigned', partitions)
    for (const held of this.#held) this.#watch(held)
    this.#wake?.()
  }

  async #revoked(
    member: GroupMember,
    partitions: readonly OwnedPartition[],
    what: 'revoked' | 'lost',
  ): Promise<void> {
    const going = new Set(partitions)
    const held = this.#held.filter(({ owned }) => going.has(owned))
    // Acknowledgements that come meanwhile are stored still: they have a commit of their own.
    if (what === 'revoked') await this.#commit(member, held)
    this.#held = this.#held.filter(({ owned }) => !going.has(owned))
    for (const { owned } of held) {
      const key = placeKey(owned)
      if (this.#byPlace.get(key)?.owned === owned) this.#byPlace.delete(key)
    }
    if (what === 'revoked') await this.#commit(member, held)
    this.#parts.onRebalance(what, partitions)
  }

  #planCommit(): void {
    const { clock, options } = this.#parts
    this.#commitTimer ??= clock.after(
      options.autoCommitMs,
      () => {
        this.#commitTimer = undefined
        if (this.#member !== undefined) void this.#commit(this.#member, this.#held)
      },
      { unref: true },
    )
  }

  /** Never rejects: what is not committed is tried again by time while the partition is held. */
  async #commit(member: GroupMember, held: readonly Held[]): Promise<void> {
    const due = held.filter(({ stored, committed }) => stored > committed)
    if (due.length === 0) return
    const positions = due.map(({ owned, stored }) => ({ partition: owned, offset: stored }))
    try {
      const outcomes = await member.commit(positions, { timeoutMs: closeMs })
      for (const [at, outcome] of outcomes.entries()) {
        const one = due[at]!
        const { offset } = positions[at]!
        if (outcome === 'committed') one.committed = Math.max(one.committed, offset)
      }
    } catch (error) {
      events.gatewayCommitFailed.publish({ consumer: this.id, groupId: this.groupId, error })
      if (!this.#isClosed) this.#planCommit()
    }
  }

  /** A partition has something, or stands still, or goes. */
  #watch(held: Held): void {
    if (held.isWatched || !held.owned.isOwned) return
    held.isWatched = true
    const look = (): void => {
      held.isWatched = false
      this.#wake?.()
    }
    held.owned.available(this.#ending.signal).then(look, () => {
      held.isWatched = false
      const { failure } = held.owned
      if (this.#isClosed || failure === null) return
      this.#error ??= failure
      // The next call goes on; a batch that cannot be read is tried again.
      held.owned.resume()
      this.#wake?.()
    })
  }

  #failed(member: GroupMember, error: MillraceError, isFatal: boolean): void {
    if (this.#isClosed || member !== this.#member) return
    events.gatewayConsumerFailed.publish({ consumer: this.id, groupId: this.groupId, error })
    // A topic that is not there yet is waited for.
    if (isFailure(error, 'MR_TOPIC_UNKNOWN')) return
    // Joining again would drive out the one that has its place now, and so on for ever.
    if (kafkaCodeOf(error) === errorCodes.FENCED_INSTANCE_ID) this.#hopeless = error
    else this.#error ??= error
    if (isFatal) {
      this.#member = undefined
      this.#follower?.stop()
      void this.#client?.close({ timeoutMs: 0 })
      this.#client = undefined
      this.#held = []
      this.#byPlace.clear()
    }
    this.#wake?.()
  }
}

/** `CONS Poll ...` of what a consumer met. */
export function pollText(error: unknown): string {
  return `CONS Poll ${textOf(error)}`
}
