import type { Clock, Timer } from '../../kit/index.ts'
import { errorCodes } from '../../protocol/index.ts'
import { joinError, syncError, type JoinAnswer } from './group-answers.ts'
import {
  commonProtocols,
  type GroupMember,
  type MemberProtocol,
  type SavedMember,
} from './group-member.ts'

/** What a joining member says of itself. */
export interface Introduction {
  readonly instanceId: string | null
  readonly clientId: string
  readonly clientHost: string
  /** Its connection. */
  readonly peerId: number
  readonly sessionTimeoutMs: number
  readonly rebalanceTimeoutMs: number
  readonly protocolType: string
  readonly protocols: readonly MemberProtocol[]
}

/** A member that joined a rebalance for the first time may wait this long in it, whatever its session (as in Kafka). */
const newMemberTimeoutMs = 5 * 60_000

export const noBytes = Buffer.alloc(0)

/**
 * Who is in a group: members, the instance ids of static ones (KIP-345), ids given out and not yet
 * come back (KIP-394), the leader, and everybody's session.
 */
export class Roster {
  readonly members = new Map<string, GroupMember>()
  leaderId: string | null = null
  readonly #clock: Clock
  readonly #onExpired: (member: GroupMember, reason: string) => void
  readonly #onPendingGone: () => void
  /** Member id by instance id. */
  readonly #statics = new Map<string, string>()
  readonly #pending = new Map<string, { readonly timer: Timer; readonly peerId: number }>()

  constructor(options: {
    readonly clock: Clock
    readonly onExpired: (member: GroupMember, reason: string) => void
    readonly onPendingGone: () => void
  }) {
    this.#clock = options.clock
    this.#onExpired = options.onExpired
    this.#onPendingGone = options.onPendingGone
  }

  get pending(): number {
    return this.#pending.size
  }

  /** Who holds an instance id. */
  withInstance(instanceId: string): GroupMember | undefined {
    const id = this.#statics.get(instanceId)
    return id === undefined ? undefined : this.members.get(id)
  }

  /** 0 when this member is known, under this instance id if it gives one. */
  claimFault(memberId: string, instanceId: string | null): number {
    if (instanceId !== null) {
      const known = this.#statics.get(instanceId)
      if (known === undefined) return errorCodes.UNKNOWN_MEMBER_ID
      if (known !== memberId) return errorCodes.FENCED_INSTANCE_ID
    }
    return this.members.has(memberId) ? errorCodes.NONE : errorCodes.UNKNOWN_MEMBER_ID
  }

  /** Whether a newcomer shares a protocol with everybody. */
  supports(protocols: readonly MemberProtocol[]): boolean {
    const common = commonProtocols(this.members.values())
    return protocols.some(({ name }) => common.has(name))
  }

  rebalanceTimeoutMs(): number {
    let longest = 0
    for (const { rebalanceTimeoutMs } of this.members.values())
      if (rebalanceTimeoutMs > longest) longest = rebalanceTimeoutMs
    return longest
  }

  add(id: string, from: Introduction, reply: (answer: JoinAnswer) => void): void {
    const member: GroupMember = {
      id,
      instanceId: from.instanceId,
      clientId: from.clientId,
      clientHost: from.clientHost,
      peerId: from.peerId,
      goneAtMs: 0,
      sessionTimeoutMs: from.sessionTimeoutMs,
      rebalanceTimeoutMs: from.rebalanceTimeoutMs,
      protocols: from.protocols,
      assignment: noBytes,
      isNew: true,
      awaitingJoin: reply,
      awaitingSync: undefined,
      session: undefined,
    }
    this.#enter(member)
    this.leaderId ??= id
    member.session = this.#clock.after(
      newMemberTimeoutMs,
      () => this.#onExpired(member, 'a new member waited too long'),
      { unref: true },
    )
  }

  rejoin(member: GroupMember, from: Introduction, reply: (answer: JoinAnswer) => void): void {
    member.awaitingJoin?.(joinError(errorCodes.UNKNOWN_MEMBER_ID, member.id))
    member.protocols = from.protocols
    member.sessionTimeoutMs = from.sessionTimeoutMs
    member.rebalanceTimeoutMs = from.rebalanceTimeoutMs
    member.awaitingJoin = reply
    member.peerId = from.peerId
    if (!member.isNew) this.stopSession(member)
  }

  /** The holder of an instance id came back as another member: it inherits, the former is fenced. */
  replace(old: GroupMember, newId: string, from: Introduction): GroupMember {
    old.awaitingJoin?.(joinError(errorCodes.FENCED_INSTANCE_ID, old.id))
    old.awaitingSync?.(syncError(errorCodes.FENCED_INSTANCE_ID))
    this.stopSession(old)
    const member: GroupMember = {
      ...old,
      id: newId,
      clientId: from.clientId,
      clientHost: from.clientHost,
      peerId: from.peerId,
      sessionTimeoutMs: from.sessionTimeoutMs,
      rebalanceTimeoutMs: from.rebalanceTimeoutMs,
      protocols: from.protocols,
      awaitingJoin: undefined,
      awaitingSync: undefined,
      session: undefined,
    }
    this.members.delete(old.id)
    this.#enter(member)
    if (this.leaderId === old.id) this.leaderId = newId
    return member
  }

  /** A member that an earlier process wrote down. Its session starts anew. */
  restore(saved: SavedMember, protocolName: string): void {
    const member: GroupMember = {
      id: saved.memberId,
      instanceId: saved.groupInstanceId,
      clientId: saved.clientId,
      clientHost: saved.clientHost,
      peerId: undefined,
      goneAtMs: this.#clock.monotonicMs(),
      sessionTimeoutMs: saved.sessionTimeout,
      rebalanceTimeoutMs:
        saved.rebalanceTimeout < 0 ? saved.sessionTimeout : saved.rebalanceTimeout,
      protocols: [{ name: protocolName, metadata: saved.subscription }],
      assignment: saved.assignment,
      isNew: false,
      awaitingJoin: undefined,
      awaitingSync: undefined,
      session: undefined,
    }
    this.#enter(member)
    this.startSession(member)
  }

  /** Takes a member out and tells whoever waits on its behalf. The leader's place goes to the next. */
  drop(member: GroupMember): void {
    this.stopSession(member)
    member.awaitingJoin?.(joinError(errorCodes.UNKNOWN_MEMBER_ID, member.id))
    member.awaitingSync?.(syncError(errorCodes.UNKNOWN_MEMBER_ID))
    member.awaitingJoin = undefined
    member.awaitingSync = undefined
    this.members.delete(member.id)
    if (member.instanceId !== null && this.#statics.get(member.instanceId) === member.id)
      this.#statics.delete(member.instanceId)
    if (this.leaderId === member.id) this.leaderId = this.members.keys().next().value ?? null
  }

  /** Dynamic members that nobody has heard of since their connection went, and whom a rebalance waits for. */
  absent(): readonly GroupMember[] {
    return [...this.members.values()].filter(
      ({ instanceId, awaitingJoin, peerId }) =>
        instanceId === null && awaitingJoin === undefined && peerId === undefined,
    )
  }

  /** @returns whether somebody was last heard of on this connection */
  peerGone(peerId: number): boolean {
    let isSomebodyGone = false
    for (const member of this.members.values()) {
      if (member.peerId !== peerId) continue
      isSomebodyGone = true
      member.peerId = undefined
      member.goneAtMs = this.#clock.monotonicMs()
      // Nobody would hear the answer; counted as joined, it would be given partitions.
      if (member.instanceId === null) member.awaitingJoin = undefined
    }
    return isSomebodyGone
  }

  addPending(id: string, from: Pick<Introduction, 'sessionTimeoutMs' | 'peerId'>): void {
    this.#expectPending(id, from.peerId, from.sessionTimeoutMs)
  }

  /** Those who asked on this connection, which has gone, have to be back within the time. */
  hurryPending(peerId: number, withinMs: number): void {
    for (const [id, one] of this.#pending) {
      if (one.peerId !== peerId) continue
      one.timer.cancel()
      this.#expectPending(id, peerId, withinMs)
    }
  }

  #expectPending(id: string, peerId: number, timeoutMs: number): void {
    const timer = this.#clock.after(
      timeoutMs,
      () => {
        this.#pending.delete(id)
        this.#onPendingGone()
      },
      { unref: true },
    )
    this.#pending.set(id, { timer, peerId })
  }

  /** @returns whether it was pending */
  dropPending(id: string): boolean {
    this.#pending.get(id)?.timer.cancel()
    return this.#pending.delete(id)
  }

  /** A heartbeat or commit keeps a member; one that waits in a join or sync needs none. */
  renew(memberId: string): void {
    const member = this.members.get(memberId)
    if (member === undefined) return
    if (member.awaitingJoin === undefined && member.awaitingSync === undefined)
      this.startSession(member)
  }

  startSession(member: GroupMember): void {
    member.session?.cancel()
    member.session = this.#clock.after(
      member.sessionTimeoutMs,
      () => this.#onExpired(member, 'the session of a member is over'),
      { unref: true },
    )
  }

  stopSession(member: GroupMember): void {
    member.session?.cancel()
    member.session = undefined
  }

  stop(): void {
    for (const { timer } of this.#pending.values()) timer.cancel()
    for (const member of this.members.values()) this.stopSession(member)
  }

  #enter(member: GroupMember): void {
    this.members.set(member.id, member)
    if (member.instanceId !== null) this.#statics.set(member.instanceId, member.id)
  }
}
