/**
 * Positions on their way to the coordinator. Pure: the owner sends what `next` gives and tells what came back.
 *
 * - One commit is in flight; the next carries the newest position of each partition.
 * - A position goes out only while its tenure lives, under the generation of that moment.
 * - A refused position is fenced: never sent again, except under a newer generation of a tenure that
 *   lives on. What was not answered, or may pass later, is sent again unless a newer one has come.
 */
import { deferred, type Deferred } from '../../kit/index.ts'
import { errorCodes, kafkaErrorOf } from '../../protocol/index.ts'
import { kafkaFailure } from '../kafka-failure.ts'

export type CommitOutcome = 'committed' | 'fenced'

/** The tenure of a partition, as far as commits care. */
export interface Tenure {
  readonly topic: string
  readonly partition: number
  /** Not ended: neither revoked nor lost. */
  readonly isOwned: boolean
}

export interface Position<T extends Tenure> {
  readonly tenure: T
  readonly offset: number
  readonly leaderEpoch: number
  readonly metadata: string
}

interface Entry<T extends Tenure> extends Position<T> {
  /** Of this position and of the older ones that it replaced. */
  readonly waiting: Deferred<CommitOutcome>[]
}

/** What became of an answered commit, for events and for the session. */
export interface CommitReport<T extends Tenure> {
  readonly committed: readonly Position<T>[]
  readonly refused: readonly {
    readonly position: Position<T>
    readonly errorCode: number
    readonly willRetry: boolean
  }[]
}

/** Codes after which the commit may pass when repeated, besides those that Kafka itself calls retriable. */
const waitForSync: number = errorCodes.REBALANCE_IN_PROGRESS

export class CommitQueue<T extends Tenure> {
  readonly #pending = new Map<T, Entry<T>>()
  #flying: Map<string, Entry<T>> | undefined
  #flyingGeneration = -1

  get isFlying(): boolean {
    return this.#flying !== undefined
  }

  get isEmpty(): boolean {
    return this.#pending.size === 0 && this.#flying === undefined
  }

  /** Its promise resolves when the coordinator has answered; rejects for what no repeat can mend. */
  add(position: Position<T>): Deferred<CommitOutcome> {
    const waiter = deferred<CommitOutcome>()
    if (!position.tenure.isOwned) {
      waiter.resolve('fenced')
      return waiter
    }
    const older = this.#pending.get(position.tenure)
    this.#pending.set(position.tenure, {
      ...position,
      waiting: older ? [...older.waiting, waiter] : [waiter],
    })
    return waiter
  }

  /** Nobody waits any more: what is not on its way is not sent, and nothing is sent again. */
  abandon(waiter: Deferred<CommitOutcome>): void {
    for (const entries of [this.#pending, this.#flying]) {
      for (const [key, entry] of entries ?? []) {
        const at = entry.waiting.indexOf(waiter)
        if (at >= 0) entry.waiting.splice(at, 1)
        if (at >= 0 && entry.waiting.length === 0 && entries === this.#pending)
          this.#pending.delete(key as T)
      }
    }
  }

  /** What to send now, or undefined: nothing waits, or a commit is in flight. */
  next(generation: number): readonly Position<T>[] | undefined {
    if (this.#flying) return undefined
    const flying = new Map<string, Entry<T>>()
    for (const entry of this.#pending.values()) {
      if (entry.tenure.isOwned) flying.set(keyOf(entry.tenure), entry)
      else settle(entry, 'fenced')
    }
    this.#pending.clear()
    if (flying.size === 0) return undefined
    this.#flying = flying
    this.#flyingGeneration = generation
    return Array.from(flying.values())
  }

  /**
   * The coordinator's answer.
   * @param codeOf - by `topic/partition`; undefined counts as not answered
   * @param generation - the session's at this moment
   */
  answered(codeOf: (key: string) => number | undefined, generation: number): CommitReport<T> {
    const flying = this.#flying ?? new Map<string, Entry<T>>()
    const isNewer = generation > this.#flyingGeneration
    this.#flying = undefined
    const committed: Position<T>[] = []
    const refused: { position: Position<T>; errorCode: number; willRetry: boolean }[] = []
    for (const [key, entry] of flying) {
      const errorCode = codeOf(key) ?? errorCodes.UNKNOWN_SERVER_ERROR
      if (errorCode === errorCodes.NONE) {
        committed.push(entry)
        settle(entry, 'committed')
        continue
      }
      const willRetry = entry.tenure.isOwned && mayPass(errorCode, isNewer)
      refused.push({ position: entry, errorCode, willRetry })
      if (willRetry) this.#putBack(entry)
      else if (isFence(errorCode) || !entry.tenure.isOwned) settle(entry, 'fenced')
      else reject(entry, errorCode)
    }
    return { committed, refused }
  }

  /** No answer came: the outcome is unknown, the same positions go out again. */
  unanswered(): void {
    const flying = this.#flying
    this.#flying = undefined
    for (const entry of flying?.values() ?? []) {
      if (entry.tenure.isOwned) this.#putBack(entry)
      else settle(entry, 'fenced')
    }
  }

  /** What was tried can never pass: whoever waits is told. */
  failed(error: Error): void {
    const flying = this.#flying
    this.#flying = undefined
    for (const entry of flying?.values() ?? []) {
      if (entry.tenure.isOwned) for (const waiter of entry.waiting) waiter.reject(error)
      else settle(entry, 'fenced')
    }
  }

  /** The tenure has ended: what waits is fenced; what flies is answered by the coordinator. */
  end(tenure: T): void {
    const entry = this.#pending.get(tenure)
    if (!entry) return
    this.#pending.delete(tenure)
    settle(entry, 'fenced')
  }

  #putBack(entry: Entry<T>): void {
    if (entry.waiting.length === 0) return
    const newer = this.#pending.get(entry.tenure)
    this.#pending.set(
      entry.tenure,
      newer ? { ...newer, waiting: [...entry.waiting, ...newer.waiting] } : entry,
    )
  }
}

function keyOf({ topic, partition }: Tenure): string {
  return `${topic}/${partition}`
}

/** 22, 113 and (from v9) 69 speak of a generation; 25, 82 and 110 of the member. */
function isFence(errorCode: number): boolean {
  return isOldGeneration(errorCode) || memberIsOut.has(errorCode)
}

function isOldGeneration(errorCode: number): boolean {
  return (
    errorCode === errorCodes.ILLEGAL_GENERATION ||
    errorCode === errorCodes.STALE_MEMBER_EPOCH ||
    errorCode === errorCodes.GROUP_ID_NOT_FOUND
  )
}

const memberIsOut: ReadonlySet<number> = new Set([
  errorCodes.UNKNOWN_MEMBER_ID,
  errorCodes.FENCED_INSTANCE_ID,
  errorCodes.FENCED_MEMBER_EPOCH,
])

function mayPass(errorCode: number, isNewerGeneration: boolean): boolean {
  if (isOldGeneration(errorCode)) return isNewerGeneration
  if (errorCode === waitForSync) return true
  // Retriable by Kafka's table, but where the topic was deleted it never passes, and a revocation would wait for it
  // in vain. Whoever commits hears of it, and commits again with the next position.
  if (errorCode === errorCodes.UNKNOWN_TOPIC_OR_PARTITION) return false
  return kafkaErrorOf(errorCode).retriable
}

function settle(entry: Entry<Tenure>, outcome: CommitOutcome): void {
  for (const waiter of entry.waiting) waiter.resolve(outcome)
}

function reject(entry: Entry<Tenure>, errorCode: number): void {
  const { tenure, offset } = entry
  const error = kafkaFailure(`commit of ${keyOf(tenure)}@${offset}`, errorCode)
  for (const waiter of entry.waiting) waiter.reject(error)
}
