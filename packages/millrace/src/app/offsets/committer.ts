import { sleep, type Clock, type Timer } from '../../kit/index.ts'
import { events } from '../../telemetry/index.ts'
import type { PartitionOwner } from '../owner/partition-owner.ts'
import type { SourcePartition } from '../ports.ts'

/** Where positions go: the group's member, or memory. */
export interface CommitPort {
  /** One verdict an entry. Rejects when nothing could be said, which is tried again later. */
  commit(
    entries: readonly {
      readonly partition: SourcePartition
      readonly offset: number
      readonly metadata: string
    }[],
  ): Promise<readonly ('committed' | 'fenced')[]>
}

export interface CommitRules {
  readonly intervalMs: number
  /** Commit after so many marks; 0 is never. */
  readonly every: number
  /** An unchanged position is committed again after this, so that the broker does not forget it. */
  readonly recommitAfterMs: number
}

/**
 * Commits what moved, for all partitions of one group member: on the interval, after `every` marks, and when asked.
 * One commit is in flight at a time; the next one carries the newest positions.
 */
export class Committer {
  readonly #clock: Clock
  readonly #rules: CommitRules
  readonly #port: CommitPort
  readonly #owners: () => Iterable<PartitionOwner>
  #timer: Timer | undefined
  #isStopped = false
  #marks = 0
  #inFlight: Promise<unknown> = Promise.resolve()

  constructor(
    clock: Clock,
    rules: CommitRules,
    port: CommitPort,
    owners: () => Iterable<PartitionOwner>,
  ) {
    this.#clock = clock
    this.#rules = rules
    this.#port = port
    this.#owners = owners
  }

  start(): void {
    if (this.#isStopped) return
    this.#timer = this.#clock.after(this.#rules.intervalMs, () => void this.#onInterval())
  }

  stop(): void {
    this.#isStopped = true
    this.#timer?.cancel()
  }

  onMarked(): void {
    if (this.#rules.every === 0) return
    this.#marks++
    if (this.#marks < this.#rules.every) return
    this.#marks = 0
    void this.commit(this.#owners())
  }

  /** False when one of them is lost, or the broker could not be asked. */
  commit(owners: Iterable<PartitionOwner>): Promise<boolean> {
    const list = [...owners]
    const turn = this.#inFlight.then(() => this.#commit(list))
    this.#inFlight = turn
    return turn
  }

  /** For the end: some tries, a short wait apart, as far as `signal` lets it. */
  async commitFinally(owners: Iterable<PartitionOwner>, signal: AbortSignal): Promise<boolean> {
    const list = [...owners]
    for (let tries = 1; ; tries++) {
      if (await this.commit(list)) return true
      if (tries === 3 || signal.aborted) return false
      await sleep(this.#clock, 100)
    }
  }

  async #onInterval(): Promise<void> {
    this.#marks = 0
    await this.commit(this.#owners())
    this.start()
  }

  async #commit(owners: readonly PartitionOwner[]): Promise<boolean> {
    const moved = owners.flatMap((owner) => {
      const position = owner.positionToCommit(this.#rules.recommitAfterMs)
      return position === undefined ? [] : [{ owner, partition: owner.source, ...position }]
    })
    if (moved.length === 0) return owners.every((owner) => owner.isOwned)
    let verdicts: readonly ('committed' | 'fenced')[]
    try {
      verdicts = await this.#port.commit(moved)
    } catch (error) {
      // The positions stay as they are; the next interval brings them again, or newer ones.
      events.error.publish({ type: 'commit', error })
      return false
    }
    let isWhole = true
    for (const [index, { owner, offset, metadata }] of moved.entries()) {
      if (verdicts[index] === 'committed') owner.committed({ offset, metadata })
      else isWhole = false
    }
    return isWhole
  }
}
