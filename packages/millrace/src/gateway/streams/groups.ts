/**
 * Groups with consumers in this process: who is in them, and what is pending.
 *
 * Pending entries lie by partition, with the consumer whose member holds the partition; they may be claimed by any
 * other consumer of the group here, and an acknowledgement names the group alone.
 */
import { ReplyError } from '../reply.ts'
import type { Session } from '../session.ts'
import { events } from '../../telemetry/index.ts'
import { consumerSettings, type ConsumerSettings } from './consumer-settings.ts'
import type { EntryId } from './entry-id.ts'
import type { PendingEntry } from './ledger.ts'
import type { StreamKey } from './stream-key.ts'
import { StreamConsumer, type ConsumerOwner, type Held } from './stream-consumer.ts'
import type { StreamsCore } from './streams-core.ts'

/** A pending entry with where it lies. */
export interface Pending {
  readonly held: Held
  readonly entry: PendingEntry
}

export class StreamGroup {
  readonly groupId: string
  readonly consumers = new Map<string, StreamConsumer>()
  /** By topic, then by partition. */
  readonly #held = new Map<string, Map<number, Held>>()

  constructor(groupId: string) {
    this.groupId = groupId
  }

  heldOf(topic: string, partition: number): Held | undefined {
    return this.#held.get(topic)?.get(partition)
  }

  /** Partitions of a key that are held here, by number. */
  partitionsOf({ topic, partition }: StreamKey): readonly Held[] {
    const all = this.#held.get(topic)
    if (all === undefined) return []
    if (partition !== undefined) return all.has(partition) ? [all.get(partition)!] : []
    return Array.from(all.values()).toSorted(
      (left, right) => left.owned.partition - right.owned.partition,
    )
  }

  /** Pending entries of a key at or after an id, by partition and offset. */
  *pendingFrom(key: StreamKey, { partition, position }: EntryId): Generator<Pending> {
    for (const held of this.partitionsOf(key)) {
      const at = held.owned.partition
      if (at < partition) continue
      // An id names the position behind its entry.
      for (const entry of held.ledger.from(at === partition ? position - 1 : 0))
        yield { held, entry }
    }
  }

  hasReaders(topic: string): boolean {
    for (const consumer of this.consumers.values()) if (consumer.reads(topic)) return true
    return false
  }

  put(held: Held): void {
    const { topic, partition } = held.owned
    const all = this.#held.get(topic) ?? new Map<number, Held>()
    this.#held.set(topic, all)
    all.set(partition, held)
  }

  remove(held: Held): void {
    const { topic, partition } = held.owned
    const all = this.#held.get(topic)
    // Another consumer may have it by now.
    if (all?.get(partition) !== held) return
    all.delete(partition)
    if (all.size === 0) this.#held.delete(topic)
  }
}

export class StreamGroups {
  readonly #core: StreamsCore
  readonly #settings: ConsumerSettings
  readonly #groups = new Map<string, StreamGroup>()
  readonly #bySession = new Map<Session, Set<StreamConsumer>>()
  /** Of consumers that are no longer in a group here. */
  readonly #removing = new Set<Promise<void>>()

  constructor(core: StreamsCore) {
    this.#core = core
    this.#settings = consumerSettings(core.settings.consumer)
  }

  get size(): number {
    return this.#groups.size
  }

  values(): Iterable<StreamGroup> {
    return this.#groups.values()
  }

  find(groupId: string): StreamGroup | undefined {
    return this.#groups.get(groupId)
  }

  consumer(groupId: string, name: string): StreamConsumer | undefined {
    return this.#groups.get(groupId)?.consumers.get(name)
  }

  /** The consumer, made when it is new. @throws ReplyError when there are too many */
  consumerFor(groupId: string, name: string, session: Session): StreamConsumer {
    const consumer = this.consumer(groupId, name) ?? this.#make(groupId, name)
    this.use(consumer, session)
    return consumer
  }

  use(consumer: StreamConsumer, session: Session): void {
    consumer.use(session)
    let used = this.#bySession.get(session)
    if (used === undefined) this.#bySession.set(session, (used = new Set()))
    used.add(consumer)
  }

  /** Takes it out of its group; its pending entries of others' partitions go to who holds those. */
  async remove(groupId: string, name: string): Promise<number> {
    const group = this.#groups.get(groupId)
    const consumer = group?.consumers.get(name)
    if (group === undefined || consumer === undefined) return 0
    const { pending } = consumer
    group.consumers.delete(name)
    for (const session of consumer.sessions) this.#bySession.get(session)?.delete(consumer)
    const leaving = consumer.retire()
    this.#removing.add(leaving)
    await leaving
    this.#removing.delete(leaving)
    for (const other of group.consumers.values()) {
      for (const { ledger } of other.held)
        for (const entry of ledger.from(0)) if (entry.holder === consumer) ledger.give(entry, other)
    }
    this.#tidy(group)
    return pending
  }

  /** Makes the consumers of a group leave that no open connection uses: they only wait for one to come back. */
  async dismissUnused(groupId: string): Promise<void> {
    const consumers = Array.from(this.#groups.get(groupId)?.consumers.values() ?? [])
    const unused = consumers.filter(({ sessions }) => sessions.size === 0)
    await Promise.all(unused.map(({ name }) => this.remove(groupId, name)))
  }

  closed(session: Session): void {
    const used = this.#bySession.get(session)
    this.#bySession.delete(session)
    for (const consumer of used ?? []) consumer.release(session)
  }

  /**
   * All leave, side by side. Whoever has just been handed something may still acknowledge it. Never rejects.
   * @param graceMs - how long that is waited for
   */
  async leaveAll(graceMs: number): Promise<void> {
    const all = Array.from(this.#groups.values(), (group) =>
      Array.from(group.consumers.values(), async (consumer) => {
        if (graceMs > 0) await consumer.settled(graceMs)
        await consumer.retire()
      }),
    )
    await Promise.all([...all.flat(), ...this.#removing])
    this.#groups.clear()
    this.#bySession.clear()
  }

  #make(groupId: string, name: string): StreamConsumer {
    let known = 0
    for (const { consumers } of this.#groups.values()) known += consumers.size
    if (known >= this.#core.settings.maxConnections)
      throw new ReplyError('ERR too many consumers: every one is a member of its Kafka group')
    const group = this.#groups.get(groupId) ?? new StreamGroup(groupId)
    this.#groups.set(groupId, group)
    const consumer = new StreamConsumer(
      name,
      this.#ownerFor(group),
      this.#core.clock,
      this.#settings,
    )
    group.consumers.set(name, consumer)
    return consumer
  }

  #ownerFor(group: StreamGroup): ConsumerOwner {
    const { groupId } = group
    return {
      groupId,
      openClient: (clientId) => this.#core.openClient(clientId),
      came: (held) => group.put(held),
      gone: (held) => group.remove(held),
      left: (consumer) => void this.#forgetLeft(group, consumer),
      commitFailed: (consumer, error) => {
        events.gatewayStreamsCommitFailed.publish({ groupId, consumer: consumer.name, error })
      },
      rebalanced: (consumer, what, partitions) => {
        for (const session of consumer.sessions) {
          // In RESP2 it would stand in the place of a reply.
          if (!session.wantsNotify || session.protocol !== 3) continue
          const places = partitions.map(({ topic, partition }) => `${topic}/${partition}`)
          session.push(['millrace', 'rebalance', what, places, groupId, consumer.name])
        }
      },
    }
  }

  async #forgetLeft(group: StreamGroup, consumer: StreamConsumer): Promise<void> {
    await consumer.leave()
    // Claimed entries of others' partitions stay under its name until somebody claims them; so does what is used again.
    if (consumer.pending > 0 || consumer.isJoined || consumer.sessions.size > 0) return
    if (group.consumers.get(consumer.name) === consumer) group.consumers.delete(consumer.name)
    this.#tidy(group)
  }

  #tidy(group: StreamGroup): void {
    if (group.consumers.size === 0 && this.#groups.get(group.groupId) === group)
      this.#groups.delete(group.groupId)
  }
}
