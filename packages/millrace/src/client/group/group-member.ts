/**
 * A member of a consumer group: carries out what the session decides.
 *
 *   GroupSession (pure) -> actions -> CoordinatorLink, timers, Tenures (feeds, hooks), Committer
 *            ^--------------- events: answers, timers, revoked, close
 */
import { failure, MillraceError } from '../../errors/index.ts'
import { backoffMs, deferred, type Timer } from '../../kit/index.ts'
import { apis } from '../../protocol/index.ts'
import { events } from '../../telemetry/index.ts'
import type { ClientCore } from '../client-core.ts'
import { isRetriable } from '../kafka-failure.ts'
import { requestBackoff } from '../retrying.ts'
import { commitEntries, type CommitEntry } from './commit-entries.ts'
import type { CommitOutcome } from './commit-queue.ts'
import { Committer } from './committer.ts'
import { CoordinatorLink } from './coordinator-link.ts'
import { GroupLeader } from './leader.ts'
import { settingsOf, type GroupOptions, type GroupSettings } from './options.ts'
import type { OwnedPartition } from './owned-partition.ts'
import { GroupSession, type SessionPhase } from './session.ts'
import type { JoinAnswer, SessionAction, SessionEvent, TimerName } from './session-messages.ts'
import { decodeAssignment, encodeSubscription } from './subscription.ts'
import { Tenures } from './tenures.ts'

export interface GroupMember extends AsyncDisposable {
  readonly groupId: string
  /** Empty until the coordinator gave one. */
  readonly memberId: string
  /** -1 while not a member. */
  readonly generation: number
  readonly state: SessionPhase
  readonly isLeader: boolean
  readonly owned: readonly OwnedPartition[]
  /** Wants these topics from now on, and joins anew when they differ; what it holds of the others is given back. */
  subscribe(topics: readonly string[]): void
  /** Resolves after the first assignment, which may be empty. @throws what ended the member before it */
  ready(): Promise<void>
  /**
   * Stores positions of tenures that live, under their generation. `fenced`: the partition is not ours
   * any more; it is never stored later. Waits for a rebalance in hand; the newest position of a
   * partition replaces one that still waits.
   *
   * @param options.timeoutMs - default: the client's apiTimeoutMs
   * @throws MR_CLIENT_TIMEOUT (outcome unknown), MR_KAFKA_ERROR
   */
  commit(
    entries: readonly CommitEntry[],
    options?: { readonly timeoutMs?: number },
  ): Promise<readonly CommitOutcome[]>
  /**
   * Gives everything back (`onRevoked` is awaited), then leaves, unless static. Idempotent; never throws.
   * @param options.timeoutMs - bound of the whole; default 30 s plus the drain time
   */
  close(options?: { readonly timeoutMs?: number }): Promise<void>
}

const leaveTimeoutMs = 5000
/** As the Java client: how much longer than the rebalance the answer to a Join may take. */
const joinGraceMs = 5000

/** Joins a group, in the background. @throws MR_GROUP_OPTIONS_INVALID */
export function joinGroup(
  core: ClientCore,
  options: GroupOptions,
  onClosed: () => void = () => undefined,
): GroupMember {
  return new Member(core, settingsOf(options), options, onClosed)
}

class Member implements GroupMember {
  readonly #core: ClientCore
  readonly #settings: GroupSettings
  readonly #onClosed: () => void
  readonly #session: GroupSession
  readonly #link: CoordinatorLink
  readonly #committer: Committer
  readonly #tenures: Tenures
  readonly #leader: GroupLeader
  readonly #closing = new AbortController()
  readonly #ready = deferred()
  readonly #closed = deferred()
  readonly #timers = new Map<TimerName, Timer>()
  readonly #events: SessionEvent[] = []
  #topics: readonly string[]
  #isHandling = false
  #close: Promise<void> | undefined

  constructor(
    core: ClientCore,
    settings: GroupSettings,
    options: GroupOptions,
    onClosed: () => void,
  ) {
    this.#core = core
    this.#settings = settings
    this.#topics = settings.topics
    this.#onClosed = onClosed
    this.#session = new GroupSession({
      groupId: settings.groupId,
      isStatic: settings.instanceId !== null,
      isEager: settings.isEager,
      sessionTimeoutMs: settings.sessionTimeoutMs,
      heartbeatIntervalMs: settings.heartbeatIntervalMs,
      rebalanceTimeoutMs: settings.rebalanceTimeoutMs,
      backoffMs: (attempt) => backoffMs(requestBackoff, attempt),
    })
    this.#link = new CoordinatorLink(core, settings.groupId, this.#closing.signal)
    this.#committer = new Committer(core, settings, this.#session, this.#link, (generation, code) =>
      this.#handle({ on: 'commit-refused', generation, errorCode: code }),
    )
    this.#tenures = new Tenures(core, settings, options)
    this.#leader = new GroupLeader(
      core,
      settings.groupId,
      settings.assignors,
      () => this.#handle({ on: 'partitions-changed' }),
      (error) => this.#tenures.report(error),
    )
    // Whoever does not wait for `ready` hears of the failure through `onError`.
    this.#ready.promise.catch(() => undefined)
    this.#handle({ on: 'start' })
  }

  get groupId(): string {
    return this.#settings.groupId
  }

  get memberId(): string {
    return this.#session.memberId
  }

  get generation(): number {
    return this.#session.generation
  }

  get state(): SessionPhase {
    return this.#session.phase
  }

  get isLeader(): boolean {
    return this.#session.isLeader
  }

  get owned(): readonly OwnedPartition[] {
    return this.#tenures.owned
  }

  subscribe(topics: readonly string[]): void {
    const wanted = Array.from(new Set(topics)).toSorted()
    if (wanted.join('\n') === this.#topics.toSorted().join('\n')) return
    this.#topics = wanted
    this.#handle({ on: 'subscription-changed' })
  }

  ready(): Promise<void> {
    return this.#ready.promise
  }

  commit(
    entries: readonly CommitEntry[],
    { timeoutMs = this.#core.apiTimeoutMs }: { readonly timeoutMs?: number } = {},
  ): Promise<readonly CommitOutcome[]> {
    const { groupId } = this
    return commitEntries(this.#committer, entries, {
      clock: this.#core.clock,
      timeoutMs,
      what: `commit of group ${groupId}`,
      reason: () => `the group is ${this.state}`,
      notOwned: () =>
        failure('MR_GROUP_OPTIONS_INVALID', {
          groupId,
          what: 'commit takes the partitions that this member was assigned',
        }),
    })
  }

  close({ timeoutMs }: { readonly timeoutMs?: number } = {}): Promise<void> {
    return (this.#close ??= this.#end(timeoutMs ?? this.#settings.drainMs + 30_000))
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  async #end(timeoutMs: number): Promise<void> {
    const startedMs = this.#core.clock.monotonicMs()
    const timer = this.#core.clock.after(timeoutMs, () => this.#closed.resolve())
    this.#handle({ on: 'close' })
    await this.#closed.promise
    timer.cancel()
    this.#release()
    const durationMs = this.#core.clock.monotonicMs() - startedMs
    events.groupLeft.publish({ ...this.#place(), durationMs })
    this.#onClosed()
  }

  #release(): void {
    this.#closing.abort(failure('MR_GROUP_CLOSED', { groupId: this.groupId }))
    for (const timer of this.#timers.values()) timer.cancel()
    this.#timers.clear()
    this.#leader.unwatch()
    this.#tenures.close(this.#committer)
    this.#committer.close()
    this.#link.hangUp('the member has ended')
    this.#ready.reject(failure('MR_GROUP_CLOSED', { groupId: this.groupId }))
  }

  /** Events that come up while one is handled wait for its actions to be done. */
  #handle(event: SessionEvent): void {
    this.#events.push(event)
    if (this.#isHandling) return
    this.#isHandling = true
    try {
      for (let next = this.#events.shift(); next; next = this.#events.shift())
        for (const action of this.#session.take(next)) this.#perform(action)
    } finally {
      this.#isHandling = false
    }
    this.#committer.flush()
  }

  #perform(action: SessionAction): void {
    switch (action.act) {
      case 'join':
        events.groupJoining.publish({ ...this.#place(), reason: action.reason })
        this.#leader.unwatch()
        void this.#ask(action.request, () => this.#join(action))
        return
      case 'assign':
        void this.#ask(action.request, async () => {
          const assignments = await this.#leader.assign(action.answer, this.#closing.signal)
          return { on: 'assigned', request: action.request, assignments }
        })
        return
      case 'sync':
        void this.#ask(action.request, () => this.#sync(action))
        return
      case 'heartbeat':
        void this.#ask(action.request, () => this.#beat(action))
        return
      case 'leave':
        void this.#leave(action.memberId)
        return
      case 'hang-up':
        this.#link.hangUp('a waiting join was given up')
        return
      case 'look-up':
        this.#link.lookUp()
        return
      case 'start-timer':
        this.#startTimer(action.timer, action.delayMs)
        return
      case 'stop-timer':
        this.#timers.get(action.timer)?.cancel()
        this.#timers.delete(action.timer)
        return
      case 'take':
        this.#take(action)
        return
      case 'revoke':
        void this.#revoke(action.partitions)
        return
      case 'lose':
        events.groupLost.publish({
          ...this.#place(),
          partitions: action.partitions,
          cause: action.cause,
        })
        this.#tenures.lose(action.partitions, this.#committer)
        return
      case 'fail':
        this.#fail(action.error)
        return
      case 'closed':
        this.#closed.resolve()
        return
    }
  }

  async #ask(request: number, work: () => Promise<SessionEvent>): Promise<void> {
    let event: SessionEvent
    try {
      event = await work()
    } catch (error) {
      if (this.#closing.signal.aborted) return
      event = isRetriable(error)
        ? { on: 'unanswered', request }
        : { on: 'broken', request, error: error as Error }
    }
    this.#handle(event)
  }

  async #join(action: Extract<SessionAction, { act: 'join' }>): Promise<SessionEvent> {
    const settings = this.#settings
    const { sessionTimeoutMs, rebalanceTimeoutMs, instanceId } = settings
    const startedMs = this.#core.clock.monotonicMs()
    const answer = await this.#link.request(
      apis.joinGroup,
      {
        groupId: settings.groupId,
        sessionTimeoutMs,
        rebalanceTimeoutMs,
        memberId: action.memberId,
        groupInstanceId: instanceId,
        protocolType: 'consumer',
        protocols: settings.assignors.map((assignor) => ({
          name: assignor.name,
          metadata: encodeSubscription(
            assignor,
            this.#topics,
            action.owned,
            action.ownedGeneration,
          ),
        })),
        reason: action.reason,
      },
      {
        timeoutMs: rebalanceTimeoutMs + joinGraceMs,
        // Below, an instance id cannot be told, and every restart would be a rebalance.
        ...(instanceId === null ? {} : { minVersion: 5 }),
      },
    )
    const joined: JoinAnswer = {
      errorCode: answer.errorCode,
      memberId: answer.memberId,
      generation: answer.generationId,
      protocol: answer.protocolName ?? '',
      leader: answer.leader,
      skipsAssignment: answer.skipAssignment,
      members: answer.members.map((member) => ({
        memberId: member.memberId,
        instanceId: member.groupInstanceId,
        metadata: member.metadata,
      })),
    }
    if (joined.errorCode === 0) {
      events.groupJoined.publish({
        clientId: this.#core.clientId,
        groupId: settings.groupId,
        memberId: joined.memberId,
        generation: joined.generation,
        protocol: joined.protocol,
        isLeader: joined.leader === joined.memberId,
        members: joined.members.length,
        durationMs: this.#core.clock.monotonicMs() - startedMs,
      })
    }
    return { on: 'joined', request: action.request, answer: joined }
  }

  async #sync(action: Extract<SessionAction, { act: 'sync' }>): Promise<SessionEvent> {
    const { groupId, instanceId, rebalanceTimeoutMs } = this.#settings
    const startedMs = this.#core.clock.monotonicMs()
    const answer = await this.#link.request(
      apis.syncGroup,
      {
        groupId,
        generationId: action.generation,
        memberId: action.memberId,
        groupInstanceId: instanceId,
        protocolType: 'consumer',
        protocolName: action.protocol,
        assignments: Array.from(action.assignments, ([memberId, assignment]) => ({
          memberId,
          assignment,
        })),
      },
      { timeoutMs: rebalanceTimeoutMs + joinGraceMs },
    )
    const { errorCode } = answer
    const partitions = errorCode === 0 ? decodeAssignment(answer.assignment) : []
    if (errorCode === 0) {
      events.groupSynced.publish({
        clientId: this.#core.clientId,
        groupId,
        memberId: action.memberId,
        generation: action.generation,
        partitions: partitions.length,
        durationMs: this.#core.clock.monotonicMs() - startedMs,
      })
    }
    return { on: 'synced', request: action.request, errorCode, partitions }
  }

  async #beat(action: Extract<SessionAction, { act: 'heartbeat' }>): Promise<SessionEvent> {
    const { groupId, instanceId, sessionTimeoutMs } = this.#settings
    const { clock, requestTimeoutMs } = this.#core
    const startedMs = clock.monotonicMs()
    const { errorCode } = await this.#link.request(
      apis.heartbeat,
      {
        groupId,
        generationId: action.generation,
        memberId: action.memberId,
        groupInstanceId: instanceId,
      },
      // So that a hung connection leaves time for another within the session.
      { timeoutMs: Math.min(requestTimeoutMs, sessionTimeoutMs / 3) },
    )
    const latencyMs = clock.monotonicMs() - startedMs
    events.heartbeat.publish({ ...this.#place(), errorCode, latencyMs })
    return { on: 'heartbeat-answered', request: action.request, errorCode }
  }

  async #leave(memberId: string): Promise<void> {
    const { groupId } = this.#settings
    const reason = 'the member closes'
    try {
      const body = { groupId, memberId, members: [{ memberId, groupInstanceId: null, reason }] }
      const timeoutMs = Math.min(leaveTimeoutMs, this.#core.requestTimeoutMs)
      await this.#link.request(apis.leaveGroup, body, { timeoutMs })
    } catch (error) {
      // The session's end does what leaving would have done, later.
      if (!(error instanceof MillraceError)) throw error
    }
    this.#handle({ on: 'left' })
  }

  #take({ added, kept }: Extract<SessionAction, { act: 'take' }>): void {
    events.groupAssigned.publish({ ...this.#place(), added, kept })
    if (this.#session.isLeader) this.#leader.watch(this.#topics)
    void this.#tenures.begin(added).then(() => this.#ready.resolve())
  }

  async #revoke(partitions: readonly { topic: string; partition: number }[]): Promise<void> {
    events.groupRevoking.publish({ ...this.#place(), partitions })
    const isCut = await this.#tenures.revoke(partitions, this.#committer)
    events.groupRevoked.publish({ ...this.#place(), partitions, isCut })
    this.#handle({ on: 'revoked' })
  }

  #fail(cause: Error): void {
    const error =
      cause instanceof MillraceError
        ? cause
        : failure('MR_GROUP_BROKEN', { groupId: this.groupId, reason: cause.message }, { cause })
    events.groupFailed.publish({ ...this.#place(), error })
    this.#leader.unwatch()
    this.#link.hangUp('the member has failed')
    this.#ready.reject(error)
    this.#tenures.report(error, true)
  }

  #startTimer(timer: TimerName, delayMs: number): void {
    this.#timers.get(timer)?.cancel()
    // Heartbeats hold the process open, as membership itself does; the rest follows from them.
    const fire = (): void => {
      this.#timers.delete(timer)
      this.#handle({ on: 'timer', timer })
    }
    this.#timers.set(timer, this.#core.clock.after(delayMs, fire))
  }

  #place(): {
    readonly clientId: string
    readonly groupId: string
    readonly memberId: string
    readonly generation: number
  } {
    const { memberId, generation } = this.#session
    return { clientId: this.#core.clientId, groupId: this.groupId, memberId, generation }
  }
}
