/**
 * Membership in a group by the classic protocol: what to ask the coordinator next, and which
 * partitions this member holds. Pure: events in, actions out; time, sockets and handlers are outside.
 *
 *   idle -> joining -> (assigning ->) syncing -> steady -> revoking -> joining ...
 *              ^------------ waiting <------------|            `-> leaving -> closed
 *
 * Promises, each a test:
 * - At most one Join or Sync is outstanding, and nothing else is sent meanwhile.
 * - An eager member gives everything up, and waits for it, before each Join; a member whose assignors
 *   are all cooperative keeps its partitions, gives up what Sync took away, and joins again at once
 *   to free it (KIP-429).
 * - What is revoked is waited for; what is lost (22, 25, 82, a session without answers) is not.
 * - Heartbeats go on through revocations: they are nobody's but the timer's.
 * - 25 costs the member id, 22 only the generation; 82 ends the member, as does every error that no
 *   repeat can mend.
 * - From every state `close` reaches `closed`, given that revocations and leaving end.
 */
import type { MillraceError } from '../../errors/index.ts'
import { errorCodes, kafkaErrorOf } from '../../protocol/index.ts'
import { kafkaFailure } from '../kafka-failure.ts'
import { partitionKey, type TopicPartition } from './assignors/index.ts'
import type {
  JoinAnswer,
  LossCause,
  SessionAction,
  SessionEvent,
  TimerName,
} from './session-messages.ts'

export type SessionPhase =
  | 'idle'
  | 'waiting'
  | 'joining'
  | 'assigning'
  | 'syncing'
  | 'steady'
  | 'revoking'
  | 'leaving'
  | 'closed'
  | 'failed'

export interface SessionRules {
  readonly groupId: string
  /** Static membership: never leaves by itself (KIP-345). */
  readonly isStatic: boolean
  /** Gives everything up before each Join, as one that offers a non-cooperative assignor must. */
  readonly isEager: boolean
  readonly sessionTimeoutMs: number
  readonly heartbeatIntervalMs: number
  readonly rebalanceTimeoutMs: number
  /** The wait before attempt `n`, from 1. */
  readonly backoffMs: (attempt: number) => number
}

export class GroupSession {
  readonly #rules: SessionRules
  readonly #owned = new Map<string, TopicPartition>()
  #phase: SessionPhase = 'idle'
  #memberId = ''
  #generation = -1
  /** Of the last Sync; what Join claims to own dates from it. */
  #ownedGeneration = -1
  #protocol = ''
  #isLeader = false
  #isClosing = false
  #wantsRejoin: string | undefined
  #revoking: readonly TopicPartition[] = []
  /** Of the outstanding Join, assignment or Sync; of the outstanding heartbeat. */
  #request = 0
  #heartbeat = 0
  #lastRequest = 0
  #failures = 0
  #isOutOfTouch = false
  #actions: SessionAction[] = []

  constructor(rules: SessionRules) {
    this.#rules = rules
  }

  get phase(): SessionPhase {
    return this.#phase
  }

  get memberId(): string {
    return this.#memberId
  }

  get generation(): number {
    return this.#generation
  }

  get isLeader(): boolean {
    return this.#isLeader
  }

  get owned(): readonly TopicPartition[] {
    return Array.from(this.#owned.values())
  }

  /** Commits go out in a confirmed generation, and never behind a Join or Sync. */
  get mayCommit(): boolean {
    if (this.#generation < 0) return false
    return this.#phase === 'steady' || this.#phase === 'revoking'
  }

  /** Takes an event and returns what is to be done, in order. */
  take(event: SessionEvent): readonly SessionAction[] {
    this.#actions = []
    if (this.#phase !== 'closed') this.#handle(event)
    return this.#actions
  }

  #handle(event: SessionEvent): void {
    switch (event.on) {
      case 'start':
        if (this.#phase === 'idle') this.#join('first join')
        return
      case 'joined':
        if (this.#phase === 'joining' && event.request === this.#request) this.#joined(event.answer)
        return
      case 'assigned':
        if (this.#phase === 'assigning' && event.request === this.#request)
          this.#sync(event.assignments)
        return
      case 'synced':
        if (this.#phase === 'syncing' && event.request === this.#request)
          this.#synced(event.errorCode, event.partitions)
        return
      case 'heartbeat-answered':
        if (event.request !== this.#heartbeat) return
        this.#heartbeat = 0
        if (this.#isHeartbeating) this.#heartbeatAnswered(event.errorCode)
        return
      case 'unanswered':
        this.#unanswered(event.request)
        return
      case 'broken':
        if (event.request === this.#request || event.request === this.#heartbeat)
          this.#fail(event.error)
        return
      case 'commit-refused':
        if (event.generation === this.#generation && this.mayCommit)
          this.#refused(event.errorCode, 'commit')
        return
      case 'revoked':
        if (this.#phase === 'revoking') this.#revoked()
        return
      case 'timer':
        this.#fired(event.timer)
        return
      case 'partitions-changed':
        this.#rejoin('the number of partitions has changed')
        return
      case 'subscription-changed':
        this.#rejoin('the subscription has changed')
        return
      case 'close':
        this.#close()
        return
      case 'left':
        if (this.#phase === 'leaving') this.#end()
        return
    }
  }

  get #isHeartbeating(): boolean {
    const { phase } = this
    return (phase === 'steady' || phase === 'revoking') && this.#generation >= 0
  }

  #join(reason: string): void {
    this.#wantsRejoin = undefined
    if (this.#rules.isEager && this.#owned.size > 0) {
      this.#wantsRejoin = reason
      this.#revoke(this.owned)
      return
    }
    this.#phase = 'joining'
    this.#request = ++this.#lastRequest
    this.#heartbeat = 0
    this.#act({ act: 'stop-timer', timer: 'heartbeat' })
    // The coordinator keeps a waiting member alive; without an answer until then it is gone.
    if (!this.#isOutOfTouch && this.#owned.size > 0)
      this.#expectContact(this.#rules.rebalanceTimeoutMs + this.#rules.sessionTimeoutMs)
    this.#act({
      act: 'join',
      request: this.#request,
      memberId: this.#memberId,
      owned: this.owned,
      ownedGeneration: this.#ownedGeneration,
      reason,
    })
  }

  /** An answer to Join or Sync: the wire is free again, and the coordinator is there. */
  #answered(): void {
    this.#phase = 'steady'
    this.#isOutOfTouch = false
    if (this.#owned.size > 0)
      this.#expectContact(this.#rules.rebalanceTimeoutMs + this.#rules.sessionTimeoutMs)
  }

  #joined(answer: JoinAnswer): void {
    this.#answered()
    if (answer.errorCode === errorCodes.MEMBER_ID_REQUIRED) {
      this.#memberId = answer.memberId
      this.#join('member id given')
      return
    }
    if (answer.errorCode !== errorCodes.NONE) {
      this.#refused(answer.errorCode, 'join')
      return
    }
    this.#memberId = answer.memberId
    this.#generation = answer.generation
    this.#protocol = answer.protocol
    this.#isLeader = answer.leader === answer.memberId
    if (this.#isLeader && !answer.skipsAssignment) {
      this.#phase = 'assigning'
      this.#request = ++this.#lastRequest
      this.#act({ act: 'assign', request: this.#request, answer })
    } else {
      this.#sync(new Map())
    }
  }

  #sync(assignments: ReadonlyMap<string, Buffer>): void {
    this.#phase = 'syncing'
    this.#request = ++this.#lastRequest
    this.#act({
      act: 'sync',
      request: this.#request,
      memberId: this.#memberId,
      generation: this.#generation,
      protocol: this.#protocol,
      assignments,
    })
  }

  #synced(errorCode: number, partitions: readonly TopicPartition[]): void {
    this.#answered()
    if (errorCode !== errorCodes.NONE) {
      this.#refused(errorCode, 'sync')
      return
    }
    this.#failures = 0
    this.#ownedGeneration = this.#generation
    const assigned = new Set(partitions.map((one) => partitionKey(one.topic, one.partition)))
    const added: TopicPartition[] = []
    const kept: TopicPartition[] = []
    for (const one of partitions) {
      const key = partitionKey(one.topic, one.partition)
      if (this.#owned.has(key)) kept.push(one)
      else added.push(one)
      this.#owned.set(key, one)
    }
    const surplus = this.owned.filter(
      (one) => !assigned.has(partitionKey(one.topic, one.partition)),
    )
    this.#act({ act: 'take', generation: this.#generation, added, kept })
    this.#expectContact(this.#rules.sessionTimeoutMs)
    this.#act({
      act: 'start-timer',
      timer: 'heartbeat',
      delayMs: this.#rules.heartbeatIntervalMs,
    })
    if (surplus.length > 0) {
      this.#wantsRejoin = 'partitions were given up'
      this.#revoke(surplus)
    } else if (this.#wantsRejoin !== undefined) {
      this.#join(this.#wantsRejoin)
    }
  }

  #heartbeatAnswered(errorCode: number): void {
    this.#isOutOfTouch = false
    if (errorCode !== errorCodes.NONE) {
      this.#refused(errorCode, 'heartbeat')
      return
    }
    this.#failures = 0
    this.#expectContact(this.#rules.sessionTimeoutMs)
  }

  /** What an error code means is nearly the same wherever it comes from. */
  #refused(errorCode: number, where: 'join' | 'sync' | 'heartbeat' | 'commit'): void {
    switch (errorCode) {
      case errorCodes.REBALANCE_IN_PROGRESS:
        if (where === 'heartbeat') this.#expectContact(this.#rules.sessionTimeoutMs)
        if (where === 'join') this.#retryJoin()
        else this.#rejoin('the group rebalances')
        return
      case errorCodes.ILLEGAL_GENERATION:
      case errorCodes.GROUP_ID_NOT_FOUND:
        this.#lose('generation')
        this.#rejoin('the generation has ended')
        return
      case errorCodes.UNKNOWN_MEMBER_ID:
        this.#memberId = ''
        this.#lose('member')
        if (where === 'join') this.#retryJoin()
        else this.#rejoin('the coordinator does not know this member')
        return
      case errorCodes.FENCED_INSTANCE_ID:
        this.#lose('fenced')
        this.#fail(kafkaFailure(`group ${this.#rules.groupId}`, errorCode))
        return
      case errorCodes.COORDINATOR_NOT_AVAILABLE:
      case errorCodes.NOT_COORDINATOR:
        this.#act({ act: 'look-up' })
        this.#again(where)
        return
    }
    if (where === 'commit') return
    if (kafkaErrorOf(errorCode).retriable) this.#again(where)
    else this.#fail(this.#failureOf(errorCode, where))
  }

  #failureOf(errorCode: number, where: string): MillraceError {
    return kafkaFailure(`${where} of group ${this.#rules.groupId}`, errorCode)
  }

  #again(where: 'join' | 'sync' | 'heartbeat' | 'commit'): void {
    if (where === 'heartbeat') this.#heartbeatSoon()
    else if (where !== 'commit') this.#retryJoin()
  }

  #unanswered(request: number): void {
    if (request === this.#heartbeat) {
      this.#heartbeat = 0
      if (!this.#isHeartbeating) return
      this.#act({ act: 'look-up' })
      this.#heartbeatSoon()
      return
    }
    const { phase } = this
    const isAsked = phase === 'joining' || phase === 'assigning' || phase === 'syncing'
    if (!isAsked || request !== this.#request) return
    if (phase !== 'assigning') this.#act({ act: 'look-up' })
    if (!this.#isOutOfTouch && this.#owned.size > 0) {
      this.#isOutOfTouch = true
      this.#expectContact(this.#rules.sessionTimeoutMs)
    }
    this.#retryJoin()
  }

  #heartbeatSoon(): void {
    this.#failures += 1
    const delayMs = Math.min(this.#rules.backoffMs(this.#failures), this.#rules.heartbeatIntervalMs)
    this.#act({ act: 'start-timer', timer: 'heartbeat', delayMs })
  }

  #retryJoin(): void {
    this.#phase = 'waiting'
    this.#request = 0
    this.#failures += 1
    const delayMs = this.#rules.backoffMs(this.#failures)
    this.#act({ act: 'start-timer', timer: 'backoff', delayMs })
  }

  /** Joins as soon as the state allows it. */
  #rejoin(reason: string): void {
    switch (this.#phase) {
      case 'steady':
        this.#join(reason)
        return
      case 'joining':
      case 'assigning':
      case 'syncing':
      case 'revoking':
        this.#wantsRejoin = reason
        return
      case 'idle':
      case 'waiting':
      case 'leaving':
      case 'closed':
      case 'failed':
    }
  }

  #fired(timer: TimerName): void {
    if (timer === 'backoff' && this.#phase === 'waiting') this.#join('trying again')
    else if (timer === 'heartbeat' && this.#isHeartbeating) this.#beat()
    else if (timer === 'session' && this.#owned.size > 0) this.#runOut()
  }

  /** Whoever is reachable has given our partitions to others by now. */
  #runOut(): void {
    const { phase } = this
    if (phase === 'joining' || phase === 'assigning' || phase === 'syncing') {
      // What was asked claims partitions that are ours no longer.
      this.#act({ act: 'hang-up' })
      this.#phase = 'steady'
    }
    this.#lose('session')
    this.#rejoin('the session has run out')
  }

  #beat(): void {
    const delayMs = this.#rules.heartbeatIntervalMs
    this.#act({ act: 'start-timer', timer: 'heartbeat', delayMs })
    if (this.#heartbeat !== 0) return
    this.#heartbeat = ++this.#lastRequest
    this.#act({
      act: 'heartbeat',
      request: this.#heartbeat,
      memberId: this.#memberId,
      generation: this.#generation,
    })
  }

  #revoke(partitions: readonly TopicPartition[]): void {
    this.#phase = 'revoking'
    this.#revoking = partitions
    this.#act({ act: 'revoke', partitions })
  }

  #revoked(): void {
    for (const one of this.#revoking) this.#owned.delete(partitionKey(one.topic, one.partition))
    this.#revoking = []
    this.#phase = 'steady'
    if (this.#isClosing) this.#leave()
    else this.#join(this.#wantsRejoin ?? 'partitions were given up')
  }

  #lose(cause: LossCause): void {
    this.#generation = -1
    this.#ownedGeneration = -1
    this.#isOutOfTouch = false
    this.#act({ act: 'stop-timer', timer: 'session' })
    this.#act({ act: 'stop-timer', timer: 'heartbeat' })
    if (this.#owned.size === 0) return
    this.#act({ act: 'lose', partitions: this.owned, cause })
    this.#owned.clear()
  }

  #close(): void {
    if (this.#isClosing) return
    this.#isClosing = true
    this.#wantsRejoin = undefined
    switch (this.#phase) {
      case 'idle':
      case 'failed':
        this.#end()
        return
      case 'joining':
      case 'assigning':
      case 'syncing':
        this.#request = 0
        this.#act({ act: 'hang-up' })
        this.#leave()
        return
      case 'waiting':
        this.#act({ act: 'stop-timer', timer: 'backoff' })
        this.#leave()
        return
      case 'steady':
        this.#leave()
        return
      case 'revoking':
      case 'leaving':
      case 'closed':
    }
  }

  #leave(): void {
    if (this.#owned.size > 0) {
      this.#revoke(this.owned)
      return
    }
    if (this.#rules.isStatic || this.#memberId === '') {
      this.#end()
      return
    }
    this.#phase = 'leaving'
    this.#stopTimers()
    this.#act({ act: 'leave', memberId: this.#memberId })
  }

  #fail(error: Error): void {
    this.#lose('failed')
    this.#stopTimers()
    this.#request = 0
    this.#phase = 'failed'
    this.#act({ act: 'fail', error })
    if (this.#isClosing) this.#end()
  }

  #end(): void {
    this.#stopTimers()
    this.#phase = 'closed'
    this.#act({ act: 'closed' })
  }

  #expectContact(delayMs: number): void {
    this.#act({ act: 'start-timer', timer: 'session', delayMs })
  }

  #stopTimers(): void {
    for (const timer of ['heartbeat', 'session', 'backoff'] as const)
      this.#act({ act: 'stop-timer', timer })
  }

  #act(action: SessionAction): void {
    this.#actions.push(action)
  }
}
