/**
 * The coordinator of all groups: finds the group of a request, keeps the committed offsets, and writes
 * both to `__consumer_offsets` before it answers. Everything was read back before the first connection.
 */
import { randomUUID } from 'node:crypto'
import type { Clock } from '../../kit/index.ts'
import { errorCodes } from '../../protocol/index.ts'
import type { LogStore, TopicRecord } from '../../storage/index.ts'
import { events } from '../../telemetry/index.ts'
import type { BrokerSettings } from '../options.ts'
import type { Topics } from '../topics/topics.ts'
import { ClassicGroup, type GroupPorts } from './classic-group.ts'
import { joinError, syncError, type JoinAnswer, type SyncAnswer } from './group-answers.ts'
import type { JoinRequest, MemberClaim, SyncRequest } from './group-requests.ts'
import { GroupOffsets } from './group-offsets.ts'
import { expiredOffsets, subscribedTopics } from './offsets-expiry.ts'
import { OffsetsLog, type CommittedOffset, type OffsetsRecord } from './offsets-log.ts'

/** What is known here of a connection. */
interface Peer {
  readonly id: number
  readonly signal: AbortSignal
}

export interface GroupEntry {
  readonly group: ClassicGroup
  readonly offsets: GroupOffsets
}

export interface OffsetToCommit {
  readonly topic: string
  readonly partition: number
  readonly offset: number
  readonly leaderEpoch: number
  readonly metadata: string
}

/** A rewrite must be worth it: at least this many records, and this many times what lives. */
const rewriteAtLeast = 20_000
const rewriteRatio = 10

interface TopicPartition {
  readonly topic: string
  readonly partition: number
}

type OffsetRecord = Extract<OffsetsRecord, { kind: 'offset' }>

export class GroupCoordinator {
  readonly #topics: Topics
  readonly #clock: Clock
  readonly #settings: BrokerSettings
  readonly #log: OffsetsLog
  readonly #ports: GroupPorts
  readonly #entries = new Map<string, GroupEntry>()
  /** Groups with members that spoke on a connection. */
  readonly #groupsByPeer = new Map<number, Set<ClassicGroup>>()
  /** Commits that are appended and not yet written: the log has them, the offsets of their groups do not. */
  readonly #beingWritten = new Set<readonly OffsetRecord[]>()

  constructor(options: {
    readonly store: LogStore
    readonly topics: Topics
    readonly clock: Clock
    readonly settings: BrokerSettings
  }) {
    const { clock, settings, topics } = options
    this.#topics = topics
    this.#clock = clock
    this.#settings = settings
    this.#log = new OffsetsLog(options)
    this.#ports = {
      clock,
      initialRebalanceDelayMs: settings.groupInitialRebalanceDelayMs,
      maxSize: settings.groupMaxSize,
      absentGraceMs: settings.groupAbsentGraceMs,
      newMemberId: (prefix) => `${prefix}-${randomUUID()}`,
      save: (group) => this.#save(group),
      onChange: publishChange,
    }
    // Made again under the same name it is another one: positions in the old must not apply to it.
    topics.onDeleted(({ name }) => this.#forgetEverywhere((topic) => topic === name))
  }

  /**
   * Reads what an earlier process wrote. Call once, before anything else.
   * @throws MR_BROKER_GROUPS_UNREADABLE
   */
  async load(): Promise<void> {
    const groups = new Map<string, Extract<OffsetsRecord, { kind: 'group' }>>()
    await this.#log.load((record) => {
      if (record.kind === 'group') {
        groups.set(record.group, record)
        return
      }
      const { offsets } = this.#entry(record.group)
      if (record.value === null) offsets.delete(record.topic, record.partition)
      else offsets.set(record.topic, record.partition, record.value)
    })
    for (const { group, value } of groups.values())
      if (value !== null) this.#entry(group).group.restore(value)
    // A topic may have gone without a word here: the process died in between.
    await this.#forgetEverywhere((topic) => this.#topics.named(topic) === undefined)
    for (const [id, { offsets }] of this.#entries)
      if (offsets.isEmpty && groups.get(id)?.value == null) this.#entries.delete(id)
  }

  /** A member spoke on this connection: while it lasts, a rebalance waits for that member. */
  seen(groupId: string, memberId: string, peer: Peer): void {
    const entry = this.#entries.get(groupId)
    if (entry === undefined || peer.signal.aborted) return
    entry.group.seen(memberId, peer.id)
    const known = this.#groupsByPeer.get(peer.id)
    if (known !== undefined) {
      known.add(entry.group)
      return
    }
    const groups = new Set([entry.group])
    this.#groupsByPeer.set(peer.id, groups)
    peer.signal.addEventListener('abort', () => {
      this.#groupsByPeer.delete(peer.id)
      for (const group of groups) group.peerGone(peer.id)
    })
  }

  /** For those who want to describe or list them. */
  get all(): ReadonlyMap<string, GroupEntry> {
    return this.#entries
  }

  find(groupId: string): GroupEntry | undefined {
    return this.#entries.get(groupId)
  }

  /** The topic, made if need be: whoever looks for the coordinator will write soon. */
  ensureTopic(): Promise<TopicRecord> {
    return this.#log.ensureTopic()
  }

  join(groupId: string, request: JoinRequest): Promise<JoinAnswer> {
    const { groupMinSessionTimeoutMs, groupMaxSessionTimeoutMs } = this.#settings
    const { memberId, sessionTimeoutMs } = request
    if (groupId === '') return refusedJoin(errorCodes.INVALID_GROUP_ID, memberId)
    if (sessionTimeoutMs < groupMinSessionTimeoutMs || sessionTimeoutMs > groupMaxSessionTimeoutMs)
      return refusedJoin(errorCodes.INVALID_SESSION_TIMEOUT, memberId)
    if (memberId !== '' && !this.#entries.has(groupId))
      return refusedJoin(errorCodes.UNKNOWN_MEMBER_ID, memberId)
    const { group } = this.#entry(groupId)
    return new Promise((resolve) => group.join(request, resolve))
  }

  sync(groupId: string, request: SyncRequest): Promise<SyncAnswer> {
    if (groupId === '') return Promise.resolve(syncError(errorCodes.INVALID_GROUP_ID))
    const entry = this.#entries.get(groupId)
    if (entry === undefined) return Promise.resolve(syncError(errorCodes.UNKNOWN_MEMBER_ID))
    return new Promise((resolve) => entry.group.sync(request, resolve))
  }

  heartbeat(groupId: string, claim: MemberClaim): number {
    if (groupId === '') return errorCodes.INVALID_GROUP_ID
    return this.#entries.get(groupId)?.group.heartbeat(claim) ?? errorCodes.UNKNOWN_MEMBER_ID
  }

  leave(
    groupId: string,
    claim: { readonly memberId: string; readonly instanceId: string | null },
  ): number {
    if (groupId === '') return errorCodes.INVALID_GROUP_ID
    return this.#entries.get(groupId)?.group.leave(claim) ?? errorCodes.UNKNOWN_MEMBER_ID
  }

  /**
   * Whether this member may commit. A group that nobody has joined comes into being with the first commit of a tool;
   * it may be the one with the empty name, as in Kafka.
   * @param options.codeOfUnknown - for a group that is not there, where a generation is claimed
   */
  commitFault(
    groupId: string,
    claim: MemberClaim,
    options: { readonly codeOfUnknown: number },
  ): number {
    const entry = this.#entries.get(groupId)
    if (entry !== undefined) return entry.group.commitFault(claim)
    return claim.generationId < 0 ? errorCodes.NONE : options.codeOfUnknown
  }

  /**
   * Writes offsets that passed `commitFault`, in one batch: all of them or none.
   * @param expireTimestamp - -1: by the retention of the broker
   */
  async commit(
    groupId: string,
    toCommit: readonly OffsetToCommit[],
    expireTimestamp: number,
  ): Promise<void> {
    const commitTimestamp = this.#clock.now()
    const records = toCommit.map(
      ({ topic, partition, offset, leaderEpoch, metadata }): OffsetRecord & { value: object } => ({
        kind: 'offset',
        group: groupId,
        topic,
        partition,
        value: { offset, leaderEpoch, metadata, commitTimestamp, expireTimestamp },
      }),
    )
    const topicIds = new Map(records.map(({ topic }) => [topic, this.#topics.named(topic)?.id]))
    this.#beingWritten.add(records)
    try {
      await this.#log.append(records)
    } finally {
      this.#beingWritten.delete(records)
    }
    const late: OffsetRecord[] = []
    for (const record of records) {
      const { topic, partition, value } = record
      if (this.#topics.named(topic)?.id !== topicIds.get(topic)) late.push(record)
      else this.#entry(groupId).offsets.set(topic, partition, value)
    }
    await this.#log.append(this.#tombstonesOfLate(late))
  }

  /** For offsets whose topic went while they were written, unless its successor has some by now. */
  #tombstonesOfLate(late: readonly OffsetRecord[]): OffsetsRecord[] {
    return late
      .filter(
        ({ group, topic, partition }) =>
          this.#entries.get(group)?.offsets.get(topic, partition) === undefined,
      )
      .map((record) => ({ ...record, value: null }))
  }

  /** Deletes a group without members, with its offsets. */
  async delete(groupId: string): Promise<number> {
    const entry = this.#entries.get(groupId)
    if (entry === undefined) return errorCodes.GROUP_ID_NOT_FOUND
    if (entry.group.state !== 'Empty') return errorCodes.NON_EMPTY_GROUP
    await this.#bury(entry, 'deleted')
    return errorCodes.NONE
  }

  /** @returns the code per partition; offsets of topics that members subscribe to stay (KIP-496) */
  async deleteOffsets(
    groupId: string,
    partitions: readonly TopicPartition[],
  ): Promise<number | readonly number[]> {
    const entry = this.#entries.get(groupId)
    if (entry === undefined) return errorCodes.GROUP_ID_NOT_FOUND
    const subscribed = subscribedTopics(entry.group)
    if (subscribed === 'unknown') return errorCodes.NON_EMPTY_GROUP
    const codes = partitions.map(({ topic }) =>
      subscribed.has(topic) ? errorCodes.GROUP_SUBSCRIBED_TO_TOPIC : errorCodes.NONE,
    )
    await this.#forget(
      entry,
      partitions.filter((_, index) => codes[index] === errorCodes.NONE),
    )
    return codes
  }

  /** Drops what has outlived its retention, groups too that nothing is left of, and keeps the log short. */
  async tidy(): Promise<void> {
    const times = { nowMs: this.#clock.now(), retentionMs: this.#settings.offsetsRetentionMs }
    for (const entry of this.#entries.values()) {
      const expired = expiredOffsets(entry.group, entry.offsets, times)
      await this.#forget(entry, expired)
      const { group, offsets } = entry
      const isOver = group.state === 'Empty' && !group.hasPending && offsets.isEmpty
      if (isOver) await this.#bury(entry, 'its offsets have expired')
    }
    const live = this.#live()
    const { length } = this.#log
    if (length > rewriteAtLeast && length > live.length * rewriteRatio)
      await this.#log.rewrite(live)
  }

  stop(): void {
    for (const { group } of this.#entries.values()) group.stop()
  }

  #entry(groupId: string): GroupEntry {
    let entry = this.#entries.get(groupId)
    if (entry === undefined) {
      entry = { group: new ClassicGroup(groupId, this.#ports), offsets: new GroupOffsets() }
      this.#entries.set(groupId, entry)
    }
    return entry
  }

  async #save(group: ClassicGroup): Promise<void> {
    try {
      await this.#log.append([{ kind: 'group', group: group.id, value: group.saved() }])
    } catch (error) {
      events.brokerTaskFailed.publish({ task: `write group ${group.id}`, error })
      throw error
    }
  }

  /** With its offsets; unless somebody has joined or committed by the time that is written. */
  async #bury(entry: GroupEntry, reason: string): Promise<void> {
    const { group, offsets } = entry
    await this.#forget(
      entry,
      [...offsets.entries()],
      [{ kind: 'group', group: group.id, value: null }],
    )
    if (group.state !== 'Empty' || group.hasPending || !offsets.isEmpty) return
    this.#entries.delete(group.id)
    group.bury(reason)
  }

  /** Writes that offsets are gone, then forgets them. What was committed meanwhile stays. */
  async #forget(
    { group, offsets }: GroupEntry,
    partitions: readonly TopicPartition[],
    further: readonly OffsetsRecord[] = [],
  ): Promise<void> {
    const known = partitions.flatMap(({ topic, partition }) => {
      const committed = offsets.get(topic, partition)
      return committed === undefined ? [] : [{ topic, partition, committed }]
    })
    await this.#log.append([...tombstones(group.id, known), ...further])
    for (const { topic, partition, committed } of known)
      if (offsets.get(topic, partition) === committed) offsets.delete(topic, partition)
  }

  /** In all groups at once: a name may be used again as soon as anybody waits. */
  async #forgetEverywhere(isGone: (topic: string) => boolean): Promise<void> {
    const records: OffsetsRecord[] = []
    for (const entry of this.#entries.values()) {
      for (const topic of entry.offsets.topics.filter(isGone)) {
        const indexes = [...entry.offsets.ofTopic(topic).keys()]
        const partitions = indexes.map((partition) => ({ topic, partition }))
        for (const partition of indexes) entry.offsets.delete(topic, partition)
        records.push(...tombstones(entry.group.id, partitions))
      }
    }
    await this.#log.append(records)
  }

  #live(): OffsetsRecord[] {
    const records: OffsetsRecord[] = []
    for (const [id, { group, offsets }] of this.#entries) {
      if (group.protocolType !== null)
        records.push({ kind: 'group', group: id, value: group.saved() })
      for (const { topic, partition, committed } of offsets.entries())
        records.push({ kind: 'offset', group: id, topic, partition, value: committed })
    }
    // Newer than what the groups know, and about to be cut off with all that stands before.
    for (const commit of this.#beingWritten) records.push(...commit)
    return records
  }
}

function tombstones(group: string, partitions: readonly TopicPartition[]): OffsetsRecord[] {
  return partitions.map(({ topic, partition }) => ({
    kind: 'offset',
    group,
    topic,
    partition,
    value: null,
  }))
}

function refusedJoin(errorCode: number, memberId: string): Promise<JoinAnswer> {
  return Promise.resolve(joinError(errorCode, memberId))
}

function publishChange(group: ClassicGroup, reason: string): void {
  if (!events.brokerGroupChanged.isHeard) return
  events.brokerGroupChanged.publish({
    group: group.id,
    state: group.state,
    generation: group.generation,
    members: group.members.size,
    reason,
  })
}

export type { CommittedOffset }
