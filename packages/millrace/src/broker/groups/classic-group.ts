/**
 * A classic group: a pure state machine. Time, ids and persistence come in as ports; answers that
 * have to wait are given through callbacks.
 *
 *                       join                  all joined, or time out
 *     Empty ----------------> PreparingRebalance ----------------> CompletingRebalance
 *       ^                        ^     |  nobody left                       | leader's sync, stored
 *       |                        |     v                                    v
 *       +------------------------|---- *          join with news,         Stable
 *                                +---- leave, session over, leader's rejoin --+
 *
 * - The member list goes to the leader only. A rejoin without news is answered with the present
 *   generation; the leader's always starts a rebalance. No other rebalances.
 * - A static member (KIP-345) that comes back gets a new member id and its old assignment without a
 *   rebalance, unless another protocol would be chosen; the old id is fenced (82).
 * - Waiting in a join or sync keeps a member alive; in between its session runs.
 * - Pending ids (KIP-394) count: a rebalance waits for those who were told to come back, `absentGraceMs` once their
 *   connection is lost.
 * - Unlike Kafka's, a rebalance does not wait for a dynamic member whose connection has been gone for
 *   `absentGraceMs`. Alone, a lost connection changes nothing: the session decides, as in Kafka.
 */
import type { Clock } from '../../kit/index.ts'
import { errorCodes } from '../../protocol/index.ts'
import { joinError, syncError, type JoinAnswer, type SyncAnswer } from './group-answers.ts'
import {
  chooseProtocol,
  hasProtocols,
  metadataFor,
  type GroupMember,
  type SavedMember,
} from './group-member.ts'
import type { JoinRequest, MemberClaim, SyncRequest } from './group-requests.ts'
import { RebalanceTimers } from './rebalance-timers.ts'
import { noBytes, Roster } from './roster.ts'

export type GroupState = 'Empty' | 'PreparingRebalance' | 'CompletingRebalance' | 'Stable' | 'Dead'

export interface GroupPorts {
  readonly clock: Clock
  readonly initialRebalanceDelayMs: number
  readonly maxSize: number
  /** How long a rebalance waits for members without a connection; 0: for as long as their session lasts. */
  readonly absentGraceMs: number
  /** A fresh id that begins with this text. */
  readonly newMemberId: (prefix: string) => string
  /** Writes the group's present state; rejects when it could not. */
  readonly save: (group: ClassicGroup) => Promise<void>
  readonly onChange: (group: ClassicGroup, reason: string) => void
}

/** Written and read back as Kafka's GroupMetadataValue. */
export interface SavedGroup {
  readonly protocolType: string
  readonly generation: number
  readonly protocol: string | null
  readonly leader: string | null
  readonly currentStateTimestamp: number
  readonly members: readonly SavedMember[]
}

export class ClassicGroup {
  readonly id: string
  readonly #ports: GroupPorts
  readonly #roster: Roster
  readonly #timers: RebalanceTimers
  /** Who has joined this generation and not yet asked for its assignment. */
  readonly #unsynced = new Set<string>()
  #state: GroupState = 'Empty'
  #stateSinceMs: number
  #generation = 0
  #protocolType: string | null = null
  #protocolName: string | null = null
  #hasNewJoiner = false

  constructor(id: string, ports: GroupPorts) {
    this.id = id
    this.#ports = ports
    this.#timers = new RebalanceTimers(ports.clock)
    this.#roster = new Roster({
      clock: ports.clock,
      onExpired: (member, reason) => this.#remove(member, reason),
      onPendingGone: () => this.#tryCompleteJoin(),
    })
    this.#stateSinceMs = ports.clock.now()
  }

  get state(): GroupState {
    return this.#state
  }

  /** Epoch milliseconds. */
  get stateSinceMs(): number {
    return this.#stateSinceMs
  }

  get generation(): number {
    return this.#generation
  }

  /** Null until somebody joined: then it is a holder of offsets alone. */
  get protocolType(): string | null {
    return this.#protocolType
  }

  get protocolName(): string | null {
    return this.#protocolName
  }

  get members(): ReadonlyMap<string, GroupMember> {
    return this.#roster.members
  }

  get hasPending(): boolean {
    return this.#roster.pending > 0
  }

  join(request: JoinRequest, reply: (answer: JoinAnswer) => void): void {
    this.#join(request, reply)
    this.#tryCompleteJoin()
  }

  #join(request: JoinRequest, reply: (answer: JoinAnswer) => void): void {
    const { memberId, instanceId } = request
    const refuse = (errorCode: number): void => reply(joinError(errorCode, memberId))
    if (this.#state === 'Dead') return refuse(errorCodes.COORDINATOR_NOT_AVAILABLE)
    if (!this.#mayGrow(memberId)) return refuse(errorCodes.GROUP_MAX_SIZE_REACHED)
    if (!this.#supports(request)) return refuse(errorCodes.INCONSISTENT_GROUP_PROTOCOL)

    if (memberId === '') {
      if (instanceId !== null) return this.#joinStatic(request, instanceId, reply)
      const newId = this.#ports.newMemberId(request.clientId)
      if (!request.needsKnownId) return this.#addMember(newId, request, reply)
      this.#roster.addPending(newId, request)
      return reply(joinError(errorCodes.MEMBER_ID_REQUIRED, newId))
    }
    if (instanceId === null && this.#roster.dropPending(memberId))
      return this.#addMember(memberId, request, reply)
    const fault = this.#roster.claimFault(memberId, instanceId)
    if (fault !== errorCodes.NONE) return refuse(fault)
    const member = this.members.get(memberId)!
    const hasNews = !hasProtocols(member, request.protocols)
    switch (this.#state) {
      case 'PreparingRebalance':
        return this.#roster.rejoin(member, request, reply)
      case 'CompletingRebalance':
        // It may have missed the answer to its join.
        if (!hasNews) return reply(this.#joinAnswer(member))
        return this.#rejoinAndRebalance(member, request, reply, 'a member joined with news')
      case 'Stable':
        if (this.#roster.leaderId === memberId)
          return this.#rejoinAndRebalance(member, request, reply, 'the leader rejoined')
        if (!hasNews) return reply(this.#joinAnswer(member))
        return this.#rejoinAndRebalance(member, request, reply, 'a member joined with news')
      case 'Empty':
        return refuse(errorCodes.UNKNOWN_MEMBER_ID)
    }
  }

  #joinStatic(request: JoinRequest, instanceId: string, reply: (answer: JoinAnswer) => void): void {
    const newId = this.#ports.newMemberId(instanceId)
    const old = this.#roster.withInstance(instanceId)
    if (old === undefined) return this.#addMember(newId, request, reply)

    const leaderBefore = this.#roster.leaderId
    const member = this.#roster.replace(old, newId, request)
    if (this.#unsynced.delete(old.id)) this.#unsynced.add(newId)
    if (this.#state !== 'Stable') {
      member.awaitingJoin = reply
      this.#roster.stopSession(member)
      if (this.#state !== 'PreparingRebalance') this.#prepareRebalance('a static member came back')
      return
    }
    if (chooseProtocol(this.members.values()) !== this.#protocolName) {
      member.awaitingJoin = reply
      this.#roster.stopSession(member)
      return this.#prepareRebalance('a static member came back with another protocol')
    }
    this.#roster.startSession(member)
    void this.#answerReturned(member, leaderBefore, request.canSkipAssignment, reply)
  }

  /** Its new id is written first: a restart must not bring the old one back. */
  async #answerReturned(
    member: GroupMember,
    leaderBefore: string | null,
    canSkipAssignment: boolean,
    reply: (answer: JoinAnswer) => void,
  ): Promise<void> {
    try {
      await this.#ports.save(this)
    } catch {
      // The port has told of it.
      reply(joinError(errorCodes.COORDINATOR_NOT_AVAILABLE, member.id))
      return
    }
    const answer = this.#joinAnswer(member)
    // Below v9 it cannot be told not to assign: it is not told that it leads.
    reply(
      canSkipAssignment
        ? { ...answer, skipAssignment: this.#roster.leaderId === member.id }
        : { ...answer, leader: leaderBefore ?? '', members: [] },
    )
  }

  sync(request: SyncRequest, reply: (answer: SyncAnswer) => void): void {
    const refuse = (errorCode: number): void => reply(syncError(errorCode))
    const fault = this.#memberFault(request)
    if (fault !== errorCodes.NONE) return refuse(fault)
    const { protocolType, protocolName } = request
    const isOther =
      (protocolType !== null && protocolType !== this.#protocolType) ||
      (protocolName !== null && protocolName !== this.#protocolName)
    if (isOther) return refuse(errorCodes.INCONSISTENT_GROUP_PROTOCOL)

    const member = this.members.get(request.memberId)!
    switch (this.#state) {
      case 'Dead':
        return refuse(errorCodes.COORDINATOR_NOT_AVAILABLE)
      case 'Empty':
        return refuse(errorCodes.UNKNOWN_MEMBER_ID)
      case 'PreparingRebalance':
        return refuse(errorCodes.REBALANCE_IN_PROGRESS)
      case 'Stable':
        this.#unsynced.delete(member.id)
        this.#roster.startSession(member)
        return reply(this.#syncAnswer(member))
      case 'CompletingRebalance': {
        this.#unsynced.delete(member.id)
        member.awaitingSync?.(syncError(errorCodes.REBALANCE_IN_PROGRESS))
        member.awaitingSync = reply
        this.#roster.stopSession(member)
        if (member.id === this.#roster.leaderId) void this.#assign(request.assignments)
      }
    }
  }

  async #assign(assignments: SyncRequest['assignments']): Promise<void> {
    const byMember = new Map(assignments.map((one) => [one.memberId, one.assignment]))
    for (const member of this.members.values())
      member.assignment = byMember.get(member.id) ?? noBytes
    const generation = this.#generation
    const isSaved = await this.#ports.save(this).then(
      () => true,
      () => false,
    )
    // Meanwhile somebody may have left or joined: then these assignments are void.
    if (this.#state !== 'CompletingRebalance' || this.#generation !== generation) return
    if (!isSaved) {
      this.#failSyncs(errorCodes.COORDINATOR_NOT_AVAILABLE)
      this.#prepareRebalance('the assignment could not be written')
      return
    }
    this.#become('Stable', 'assigned')
    for (const member of this.members.values()) {
      const reply = member.awaitingSync
      if (reply === undefined) continue
      member.awaitingSync = undefined
      this.#roster.startSession(member)
      reply(this.#syncAnswer(member))
    }
  }

  heartbeat(claim: MemberClaim): number {
    if (this.#state === 'Dead') return errorCodes.COORDINATOR_NOT_AVAILABLE
    const fault = this.#memberFault(claim)
    if (fault !== errorCodes.NONE) return fault
    if (this.#state === 'Empty') return errorCodes.UNKNOWN_MEMBER_ID
    this.#roster.renew(claim.memberId)
    return this.#state === 'PreparingRebalance' ? errorCodes.REBALANCE_IN_PROGRESS : errorCodes.NONE
  }

  /** @param claim.memberId - may be empty when the instance id is given */
  leave(claim: { readonly memberId: string; readonly instanceId: string | null }): number {
    if (this.#state === 'Dead') return errorCodes.COORDINATOR_NOT_AVAILABLE
    const { instanceId } = claim
    if (instanceId === null && this.#roster.dropPending(claim.memberId)) {
      this.#tryCompleteJoin()
      return errorCodes.NONE
    }
    const memberId =
      claim.memberId === '' && instanceId !== null
        ? (this.#roster.withInstance(instanceId)?.id ?? '')
        : claim.memberId
    const fault = this.#roster.claimFault(memberId, instanceId)
    if (fault !== errorCodes.NONE) return fault
    this.#remove(this.members.get(memberId)!, 'a member left')
    return errorCodes.NONE
  }

  /** Whether offsets may be committed under this claim; renews the session of a member that may. */
  commitFault(claim: MemberClaim): number {
    const { memberId, instanceId, generationId } = claim
    if (this.#state === 'Dead') return errorCodes.COORDINATOR_NOT_AVAILABLE
    if (generationId < 0 && memberId === '' && instanceId === null) {
      // A tool, or a consumer that assigns partitions to itself: only while nobody else is there.
      return this.#state === 'Empty' ? errorCodes.NONE : errorCodes.UNKNOWN_MEMBER_ID
    }
    const fault = this.#memberFault(claim)
    if (fault !== errorCodes.NONE) return fault
    if (this.#state === 'CompletingRebalance') return errorCodes.REBALANCE_IN_PROGRESS
    this.#roster.renew(memberId)
    return errorCodes.NONE
  }

  /** A member was heard of on this connection. */
  seen(memberId: string, peerId: number): void {
    const member = this.members.get(memberId)
    if (member !== undefined) member.peerId = peerId
  }

  /** A connection has gone, and with it whoever spoke on it last, unless it comes back on another. */
  peerGone(peerId: number): void {
    const { absentGraceMs } = this.#ports
    if (absentGraceMs > 0) this.#roster.hurryPending(peerId, absentGraceMs)
    const isSomebodyGone = this.#roster.peerGone(peerId)
    if (isSomebodyGone && this.#state === 'PreparingRebalance' && !this.#timers.has('absent'))
      this.#waitForAbsent(absentGraceMs)
  }

  /** No timer fires and nobody is answered any more. */
  stop(): void {
    this.#timers.cancel()
    this.#roster.stop()
  }

  /** Deleted: whoever still holds it is told to look for the coordinator again. */
  bury(reason: string): void {
    this.stop()
    this.#become('Dead', reason)
  }

  saved(): SavedGroup {
    return {
      protocolType: this.#protocolType ?? '',
      generation: this.#generation,
      protocol: this.#protocolName,
      leader: this.#roster.leaderId,
      currentStateTimestamp: this.#stateSinceMs,
      members: Array.from(this.members.values(), (member) => ({
        memberId: member.id,
        groupInstanceId: member.instanceId,
        clientId: member.clientId,
        clientHost: member.clientHost,
        rebalanceTimeout: member.rebalanceTimeoutMs,
        sessionTimeout: member.sessionTimeoutMs,
        subscription: metadataFor(member, this.#protocolName),
        assignment: member.assignment,
      })),
    }
  }

  /** Takes over what an earlier process wrote: its members go on where they were, their sessions start anew. */
  restore(saved: SavedGroup): void {
    this.#protocolType = saved.protocolType === '' ? null : saved.protocolType
    this.#generation = saved.generation
    this.#protocolName = saved.protocol
    this.#roster.leaderId = saved.leader
    for (const one of saved.members) this.#roster.restore(one, saved.protocol ?? '')
    this.#state = this.members.size === 0 ? 'Empty' : 'Stable'
    this.#stateSinceMs =
      saved.currentStateTimestamp < 0 ? this.#ports.clock.now() : saved.currentStateTimestamp
  }

  #supports({ protocolType, protocols }: JoinRequest): boolean {
    if (protocolType === '' || protocols.length === 0) return false
    if (this.members.size === 0) return true
    if (this.#protocolType !== protocolType) return false
    return this.#roster.supports(protocols)
  }

  #mayGrow(memberId: string): boolean {
    return this.members.has(memberId) || this.members.size < this.#ports.maxSize
  }

  #memberFault({ memberId, instanceId, generationId }: MemberClaim): number {
    const fault = this.#roster.claimFault(memberId, instanceId)
    if (fault !== errorCodes.NONE) return fault
    return generationId === this.#generation ? errorCodes.NONE : errorCodes.ILLEGAL_GENERATION
  }

  #addMember(id: string, request: JoinRequest, reply: (answer: JoinAnswer) => void): void {
    if (this.members.size === 0) this.#protocolType = request.protocolType
    this.#roster.add(id, request, reply)
    this.#hasNewJoiner = true
    if (this.#state !== 'PreparingRebalance') this.#prepareRebalance('a member joined')
  }

  #rejoinAndRebalance(
    member: GroupMember,
    request: JoinRequest,
    reply: (answer: JoinAnswer) => void,
    reason: string,
  ): void {
    this.#roster.rejoin(member, request, reply)
    this.#prepareRebalance(reason)
  }

  #remove(member: GroupMember, reason: string): void {
    if (this.members.get(member.id) !== member) return
    this.#drop(member)
    if (this.#state === 'Stable' || this.#state === 'CompletingRebalance')
      this.#prepareRebalance(reason)
    this.#tryCompleteJoin()
  }

  #drop(member: GroupMember): void {
    this.#unsynced.delete(member.id)
    this.#roster.drop(member)
  }

  #prepareRebalance(reason: string): void {
    if (this.#state === 'CompletingRebalance') {
      for (const member of this.members.values()) member.assignment = noBytes
      this.#failSyncs(errorCodes.REBALANCE_IN_PROGRESS)
    }
    this.#timers.cancel('sync')
    this.#unsynced.clear()
    const isInitial = this.#state === 'Empty'
    this.#become('PreparingRebalance', reason)
    if (isInitial) {
      this.#delayFirst(this.#ports.initialRebalanceDelayMs, this.#roster.rebalanceTimeoutMs())
      return
    }
    this.#waitForJoins()
    this.#waitForAbsent(this.#ports.absentGraceMs)
    this.#tryCompleteJoin()
  }

  /** A fixed time, whoever has joined, and again while newcomers come. @param leftMs - at most, in all */
  #delayFirst(delayMs: number, leftMs: number): void {
    if (delayMs <= 0) {
      this.#completeJoin()
      return
    }
    this.#hasNewJoiner = false
    this.#timers.set('delay', delayMs, () => {
      const next = Math.min(delayMs, leftMs - delayMs)
      if (this.#hasNewJoiner && next > 0) this.#delayFirst(next, leftMs - delayMs)
      else this.#completeJoin()
    })
  }

  #waitForJoins(): void {
    this.#timers.set('join', this.#roster.rebalanceTimeoutMs(), () => this.#completeJoin())
  }

  /**
   * A process that was killed never rejoins; without this a rebalance waits until its session ends. Each is given the
   * grace from when its connection went, and from the start of the rebalance.
   */
  #waitForAbsent(delayMs: number): void {
    const { absentGraceMs, clock } = this.#ports
    if (absentGraceMs <= 0) return
    this.#timers.set('absent', delayMs, () => {
      if (this.#state !== 'PreparingRebalance') return
      const outwaitedMs = clock.monotonicMs() - absentGraceMs
      let nextMs = Infinity
      for (const member of this.#roster.absent()) {
        if (member.goneAtMs <= outwaitedMs) this.#drop(member)
        else nextMs = Math.min(nextMs, member.goneAtMs - outwaitedMs)
      }
      if (nextMs < Infinity) this.#waitForAbsent(nextMs)
      this.#tryCompleteJoin()
    })
  }

  #tryCompleteJoin(): void {
    if (this.#state !== 'PreparingRebalance' || this.#timers.has('delay')) return
    if (this.#roster.pending > 0) return
    for (const member of this.members.values()) if (member.awaitingJoin === undefined) return
    this.#completeJoin()
  }

  #completeJoin(): void {
    this.#timers.cancel('delay', 'join', 'absent')
    const joined: GroupMember[] = []
    for (const member of this.members.values()) {
      if (member.awaitingJoin !== undefined) joined.push(member)
      // A static member is away until its session is over, not gone.
      else if (member.instanceId === null) this.#drop(member)
    }
    const [first] = joined
    if (first === undefined && this.members.size > 0) {
      this.#waitForJoins()
      return
    }
    this.#generation++
    if (first === undefined) {
      this.#protocolName = null
      this.#roster.leaderId = null
      this.#become('Empty', 'nobody is left')
      // What is lost with it is only that the group is empty; the next start finds it out by its sessions.
      this.#ports.save(this).catch(() => undefined)
      return
    }
    if (!joined.some(({ id }) => id === this.#roster.leaderId)) this.#roster.leaderId = first.id
    this.#protocolName = chooseProtocol(this.members.values())
    this.#become('CompletingRebalance', 'all have joined')
    for (const member of joined) {
      const reply = member.awaitingJoin
      member.awaitingJoin = undefined
      member.isNew = false
      this.#unsynced.add(member.id)
      this.#roster.startSession(member)
      reply?.(this.#joinAnswer(member))
    }
    this.#waitForSyncs()
  }

  /** Who joined and then never asks for its assignment would hold the others. */
  #waitForSyncs(): void {
    this.#timers.set('sync', this.#roster.rebalanceTimeoutMs(), () => {
      const late = [...this.#unsynced]
      this.#unsynced.clear()
      for (const id of late) {
        const member = this.members.get(id)
        if (member !== undefined) this.#drop(member)
      }
      if (late.length > 0) this.#prepareRebalance('members never asked for their assignment')
    })
  }

  #failSyncs(errorCode: number): void {
    for (const member of this.members.values()) {
      if (member.awaitingSync === undefined) continue
      const reply = member.awaitingSync
      member.awaitingSync = undefined
      this.#roster.startSession(member)
      reply(syncError(errorCode))
    }
  }

  #become(state: GroupState, reason: string): void {
    this.#state = state
    this.#stateSinceMs = this.#ports.clock.now()
    this.#ports.onChange(this, reason)
  }

  #joinAnswer(member: GroupMember): JoinAnswer {
    const isLeader = member.id === this.#roster.leaderId
    return {
      errorCode: errorCodes.NONE,
      memberId: member.id,
      generationId: this.#generation,
      protocolType: this.#protocolType,
      protocolName: this.#protocolName,
      leader: this.#roster.leaderId ?? '',
      skipAssignment: false,
      members: isLeader
        ? Array.from(this.members.values(), (one) => ({
            memberId: one.id,
            groupInstanceId: one.instanceId,
            metadata: metadataFor(one, this.#protocolName),
          }))
        : [],
    }
  }

  #syncAnswer(member: GroupMember): SyncAnswer {
    return {
      errorCode: errorCodes.NONE,
      protocolType: this.#protocolType,
      protocolName: this.#protocolName,
      assignment: member.assignment,
    }
  }
}
