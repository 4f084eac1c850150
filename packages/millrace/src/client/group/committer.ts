import { orAbort, type Timer } from '../../kit/index.ts'
import { apis, errorCodes, type ResponseOf } from '../../protocol/index.ts'
import { events } from '../../telemetry/index.ts'
import type { ClientCore } from '../client-core.ts'
import type { PartitionFeed } from '../fetcher/index.ts'
import { isRetriable } from '../kafka-failure.ts'
import { partitionKey } from './assignors/index.ts'
import { CommitQueue, type CommitOutcome, type Position } from './commit-queue.ts'
import type { CoordinatorLink } from './coordinator-link.ts'
import type { GroupSettings } from './options.ts'

const retryMs = 100

/** Who commits: a member, or with generation -1 somebody who is none. */
export interface CommittingSession {
  readonly mayCommit: boolean
  readonly generation: number
  readonly memberId: string
}

/** Sends what the commit queue holds whenever the session allows it. */
export class Committer {
  readonly #core: ClientCore
  readonly #settings: GroupSettings
  readonly #session: CommittingSession
  readonly #link: CoordinatorLink
  readonly #onRefused: (generation: number, errorCode: number) => void
  readonly #queue = new CommitQueue<PartitionFeed>()
  readonly #idle = new Set<() => void>()
  #retry: Timer | undefined

  constructor(
    core: ClientCore,
    settings: GroupSettings,
    session: CommittingSession,
    link: CoordinatorLink,
    onRefused: (generation: number, errorCode: number) => void,
  ) {
    this.#core = core
    this.#settings = settings
    this.#session = session
    this.#link = link
    this.#onRefused = onRefused
  }

  /**
   * Resolves when the coordinator has answered for every position. Until then the signal takes back what
   * is not on its way.
   * @throws MR_KAFKA_ERROR for what no repeat can mend, such as metadata that is too large
   */
  async add(
    positions: readonly Position<PartitionFeed>[],
    signal: AbortSignal,
  ): Promise<readonly CommitOutcome[]> {
    const waiters = positions.map((position) => this.#queue.add(position))
    const outcomes = Promise.all(waiters.map(({ promise }) => promise))
    const abandon = (): void => {
      for (const waiter of waiters) this.#queue.abandon(waiter)
      this.#look()
    }
    signal.addEventListener('abort', abandon, { once: true })
    this.flush()
    return orAbort(outcomes, signal)
  }

  /** Call whenever the session may have become able to commit. */
  flush(): void {
    if (this.#retry || !this.#session.mayCommit) return
    const { generation, memberId } = this.#session
    const positions = this.#queue.next(generation)
    if (positions) void this.#send(positions, generation, memberId)
    else this.#look()
  }

  end(tenure: PartitionFeed): void {
    this.#queue.end(tenure)
    this.#look()
  }

  /** Resolves when nothing waits and nothing is in flight. */
  idle(): Promise<void> {
    if (this.#queue.isEmpty) return Promise.resolve()
    return new Promise((resolve) => this.#idle.add(resolve))
  }

  close(): void {
    this.#retry?.cancel()
    this.#retry = undefined
  }

  async #send(
    positions: readonly Position<PartitionFeed>[],
    generation: number,
    memberId: string,
  ): Promise<void> {
    const { clock } = this.#core
    const { groupId, instanceId } = this.#settings
    const startedMs = clock.monotonicMs()
    const byTopic = Map.groupBy(positions, ({ tenure }) => tenure.topic)
    const topics = Array.from(byTopic, ([name, list]) => ({
      name,
      partitions: list.map(({ tenure, offset, leaderEpoch, metadata }) => ({
        partitionIndex: tenure.partition,
        committedOffset: offset,
        committedLeaderEpoch: leaderEpoch,
        committedMetadata: metadata,
      })),
    }))
    try {
      const answer = await this.#link.request(
        apis.offsetCommit,
        {
          groupId,
          memberId,
          generationIdOrMemberEpoch: generation,
          groupInstanceId: instanceId,
          topics,
        },
        {},
      )
      this.#answered(codesOf(answer), generation, startedMs)
    } catch (error) {
      this.#failed(positions, error)
    }
    this.flush()
  }

  #answered(codes: ReadonlyMap<string, number>, generation: number, startedMs: number): void {
    const now = this.#session.generation
    const { committed, refused } = this.#queue.answered((key) => codes.get(key), now)
    if (committed.length > 0 && events.offsetsCommitted.isHeard) {
      const latencyMs = this.#core.clock.monotonicMs() - startedMs
      const offsets = committed.map(show)
      events.offsetsCommitted.publish({ ...this.#place(), offsets, latencyMs })
    }
    const byCode = Map.groupBy(refused, ({ errorCode }) => errorCode)
    for (const [errorCode, list] of byCode) {
      const willRetry = list.some((one) => one.willRetry)
      const offsets = list.map(({ position }) => show(position))
      events.offsetsCommitFailed.publish({ ...this.#place(), offsets, errorCode, willRetry })
      if (willRetry) this.#retryLater()
      if (
        errorCode === errorCodes.NOT_COORDINATOR ||
        errorCode === errorCodes.COORDINATOR_NOT_AVAILABLE
      )
        this.#link.lookUp()
      else this.#onRefused(generation, errorCode)
    }
  }

  #failed(positions: readonly Position<PartitionFeed>[], error: unknown): void {
    const willRetry = isRetriable(error)
    if (willRetry) this.#queue.unanswered()
    else this.#queue.failed(error as Error)
    events.offsetsCommitFailed.publish({
      ...this.#place(),
      offsets: positions.map(show),
      errorCode: 0,
      willRetry,
    })
    if (!willRetry) return
    this.#link.lookUp()
    this.#retryLater()
  }

  #retryLater(): void {
    const fire = (): void => {
      this.#retry = undefined
      this.flush()
    }
    this.#retry ??= this.#core.clock.after(retryMs, fire, { unref: true })
  }

  #look(): void {
    if (!this.#queue.isEmpty) return
    for (const resolve of this.#idle) resolve()
    this.#idle.clear()
  }

  #place(): {
    readonly clientId: string
    readonly groupId: string
    readonly memberId: string
    readonly generation: number
  } {
    const { memberId, generation } = this.#session
    return { clientId: this.#core.clientId, groupId: this.#settings.groupId, memberId, generation }
  }
}

function codesOf(answer: ResponseOf<typeof apis.offsetCommit>): ReadonlyMap<string, number> {
  const codes = new Map<string, number>()
  for (const { name, partitions } of answer.topics)
    for (const { partitionIndex, errorCode } of partitions)
      codes.set(partitionKey(name, partitionIndex), errorCode)
  return codes
}

function show({ tenure, offset }: Position<PartitionFeed>): {
  readonly topic: string
  readonly partition: number
  readonly offset: number
  readonly found: number | null
} {
  const { topic, partition, committed } = tenure
  return { topic, partition, offset, found: committed?.offset ?? null }
}
