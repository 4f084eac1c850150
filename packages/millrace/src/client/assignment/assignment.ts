/**
 * Partitions that were chosen by whoever runs this, without a group: nobody rebalances them, nobody takes them away.
 *
 * - Positions may be kept under a group id all the same: commits go out as generation -1, as tools send them. The
 *   coordinator takes them only while the group has no members; with members it answers 25, and this says so.
 * - Partitions that are not there yet are waited for, and said once; `all` takes new ones as they come.
 */
import { failure, type MillraceError } from '../../errors/index.ts'
import { backoffMs, deferred, sleep, type Timer } from '../../kit/index.ts'
import { errorCodes } from '../../protocol/index.ts'
import type { ClientCore } from '../client-core.ts'
import {
  Committer,
  CoordinatorLink,
  Tenures,
  commitEntries,
  partitionKey,
  type CommitEntry,
  type CommitOutcome,
  type GroupSettings,
  type OwnedPartition,
  type TopicPartition,
} from '../group/index.ts'
import { isRetriable } from '../kafka-failure.ts'
import { requestBackoff } from '../retrying.ts'
import { settingsOfAssignment, type AssignmentOptions } from './options.ts'

export interface DirectAssignment extends AsyncDisposable {
  /** `waiting` until the partitions were found. */
  readonly state: 'waiting' | 'assigned' | 'closed'
  readonly owned: readonly OwnedPartition[]
  /** Resolves when every topic was found once; partitions that are missing then are waited for. */
  ready(): Promise<void>
  /**
   * Stores positions under the group id; without one it does nothing and answers `committed`. `fenced`: the group has
   * members now, whose positions these would be.
   * @throws MR_CLIENT_TIMEOUT (outcome unknown), MR_KAFKA_ERROR
   */
  commit(
    entries: readonly CommitEntry[],
    options?: { readonly timeoutMs?: number },
  ): Promise<readonly CommitOutcome[]>
  /** Gives everything back (`onReleased` is awaited). Idempotent; never throws. */
  close(options?: { readonly timeoutMs?: number }): Promise<void>
}

/** How soon missing partitions are looked for again, and new ones of `all`. */
const missingMs = 2000
const changedMs = 60_000

/** What a commit says of its sender when it is no member (OffsetCommit, `generationIdOrMemberEpoch`). */
const noMember = { mayCommit: true, generation: -1, memberId: '' } as const

/** Takes partitions, in the background. @throws MR_ASSIGNMENT_INVALID */
export function assign(
  core: ClientCore,
  options: AssignmentOptions,
  onClosed: () => void = () => undefined,
): DirectAssignment {
  return new AssignedPart(core, settingsOfAssignment(options), options, onClosed)
}

class AssignedPart implements DirectAssignment {
  readonly #core: ClientCore
  readonly #settings: GroupSettings
  readonly #options: AssignmentOptions
  readonly #onClosed: () => void
  readonly #closing = new AbortController()
  readonly #link: CoordinatorLink
  readonly #committer: Committer
  readonly #tenures: Tenures
  readonly #ready = deferred()
  readonly #held = new Set<string>()
  #state: DirectAssignment['state'] = 'waiting'
  #hasToldMissing = false
  #hasToldRefused = false
  #timer: Timer | undefined
  #stopListening: (() => void) | undefined
  #turn: Promise<void> = Promise.resolve()
  #close: Promise<void> | undefined

  constructor(
    core: ClientCore,
    settings: GroupSettings,
    options: AssignmentOptions,
    onClosed: () => void,
  ) {
    this.#core = core
    this.#settings = settings
    this.#options = options
    this.#onClosed = onClosed
    this.#link = new CoordinatorLink(core, settings.groupId, this.#closing.signal)
    this.#committer = new Committer(core, settings, noMember, this.#link, (_generation, code) =>
      this.#refused(code),
    )
    this.#tenures = new Tenures(core, settings, {
      groupId: settings.groupId,
      topics: settings.topics,
      onAssigned: (partitions) => options.onAssigned?.(partitions),
      onRevoked: (partitions) => options.onReleased?.(partitions),
      onError: (error) => options.onError?.(error),
    })
    // Whoever does not wait for `ready` loses nothing by its end.
    this.#ready.promise.catch(() => undefined)
    this.#stopListening = core.metadata.onChange(() => this.#lookSoon())
    this.#turn = this.#begin()
  }

  get state(): DirectAssignment['state'] {
    return this.#state
  }

  get owned(): readonly OwnedPartition[] {
    return this.#tenures.owned
  }

  ready(): Promise<void> {
    return this.#ready.promise
  }

  async commit(
    entries: readonly CommitEntry[],
    { timeoutMs = this.#core.apiTimeoutMs }: { readonly timeoutMs?: number } = {},
  ): Promise<readonly CommitOutcome[]> {
    if (this.#options.groupId === undefined) return entries.map(() => 'committed')
    const outcomes = await commitEntries(this.#committer, entries, {
      clock: this.#core.clock,
      timeoutMs,
      what: `commit to group ${this.#settings.groupId}`,
      reason: () => 'its coordinator did not answer',
      notOwned: () =>
        failure('MR_ASSIGNMENT_INVALID', { what: 'commit takes the partitions it was given' }),
    })
    if (outcomes.every((outcome) => outcome === 'committed')) this.#hasToldRefused = false
    return outcomes
  }

  close({ timeoutMs }: { readonly timeoutMs?: number } = {}): Promise<void> {
    return (this.#close ??= this.#end(timeoutMs ?? this.#settings.drainMs))
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  async #begin(): Promise<void> {
    const { clock, metadata } = this.#core
    const { signal } = this.#closing
    for (let attempt = 1; !signal.aborted; attempt++) {
      try {
        await metadata.refresh(this.#settings.topics, { signal, reason: 'partitions are assigned' })
        await this.#take()
        this.#ready.resolve()
        return
      } catch (error) {
        if (signal.aborted) return
        if (!isRetriable(error)) this.#options.onError?.(error as MillraceError)
      }
      await sleep(clock, backoffMs(requestBackoff, attempt), signal).catch(() => undefined)
    }
  }

  /** Takes what is there and not held yet. */
  async #take(): Promise<void> {
    const { found, missing } = this.#wanted()
    const added = found.filter(
      ({ topic, partition }) => !this.#held.has(partitionKey(topic, partition)),
    )
    for (const { topic, partition } of added) this.#held.add(partitionKey(topic, partition))
    if (missing.length > 0 && !this.#hasToldMissing) {
      this.#hasToldMissing = true
      this.#options.onError?.(failure('MR_ASSIGNMENT_MISSING', { places: missing }))
    }
    this.#arm(missing.length > 0 ? missingMs : changedMs)
    await this.#tenures.begin(added)
    if (this.#state === 'waiting') this.#state = 'assigned'
  }

  #wanted(): { readonly found: readonly TopicPartition[]; readonly missing: readonly string[] } {
    const found: TopicPartition[] = []
    const missing: string[] = []
    for (const [topic, wanted] of Object.entries(this.#options.topics)) {
      const known = this.#core.metadata.peek(topic)?.partitions.map((one) => one.partition) ?? []
      if (wanted === 'all') {
        if (known.length === 0) missing.push(topic)
        for (const partition of known) found.push({ topic, partition })
        continue
      }
      for (const partition of wanted) {
        if (known.includes(partition)) found.push({ topic, partition })
        else missing.push(`${topic}/${partition}`)
      }
    }
    return { found, missing }
  }

  /** One look at a time, and none before the first has ended. */
  #lookSoon(): void {
    if (this.#state !== 'assigned') return
    this.#turn = this.#lookAfter(this.#turn)
  }

  async #lookAfter(before: Promise<void>): Promise<void> {
    await before
    if (!this.#closing.signal.aborted) await this.#take()
  }

  #arm(delayMs: number): void {
    this.#timer?.cancel()
    const fire = (): void => {
      this.#core.metadata.requestRefresh('partitions are assigned', this.#settings.topics)
      this.#arm(delayMs)
    }
    this.#timer = this.#core.clock.after(delayMs, fire, { unref: true })
  }

  #refused(errorCode: number): void {
    if (errorCode !== errorCodes.UNKNOWN_MEMBER_ID || this.#hasToldRefused) return
    this.#hasToldRefused = true
    this.#options.onError?.(
      failure('MR_ASSIGNMENT_GROUP_JOINED', { groupId: this.#settings.groupId }),
    )
  }

  async #end(timeoutMs: number): Promise<void> {
    this.#timer?.cancel()
    this.#stopListening?.()
    const late = deferred()
    const timer = this.#core.clock.after(timeoutMs, () => late.resolve())
    const owned = this.#tenures.owned.map(({ topic, partition }) => ({ topic, partition }))
    await Promise.race([this.#tenures.revoke(owned, this.#committer), late.promise])
    timer.cancel()
    this.#state = 'closed'
    this.#closing.abort(failure('MR_CLIENT_CLOSED', { what: 'assignment' }))
    this.#tenures.close(this.#committer)
    this.#committer.close()
    this.#link.hangUp('the assignment has ended')
    this.#ready.reject(failure('MR_CLIENT_CLOSED', { what: 'assignment' }))
    this.#onClosed()
  }
}
