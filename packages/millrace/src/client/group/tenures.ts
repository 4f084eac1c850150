import { failure, type MillraceError } from '../../errors/index.ts'
import { deferred } from '../../kit/index.ts'
import type { ClientCore } from '../client-core.ts'
import { Fetcher, listOffsets, type PartitionFeed } from '../fetcher/index.ts'
import { partitionKey, type TopicPartition } from './assignors/index.ts'
import { committedOffsets, type CommittedOffset } from './committed-offsets.ts'
import type { Committer } from './committer.ts'
import type { GroupOptions, GroupSettings } from './options.ts'

type HookName = 'onAssigned' | 'onRevoked' | 'onLost'

/** The start of some tenures: positions are found, the user is told, fetching begins. */
interface Beginning {
  readonly feeds: readonly PartitionFeed[]
  readonly ending: AbortController
  readonly settled: Promise<void>
}

/**
 * The partitions that a member holds, from assignment to their end.
 *
 * - The user hears of a partition before its first fetch, once, and of its end once; of the end only
 *   what it heard the beginning of.
 * - `revoke` waits for the user and for commits, up to the drain time; `lose` waits for nobody.
 */
export class Tenures {
  readonly #core: ClientCore
  readonly #settings: GroupSettings
  readonly #options: GroupOptions
  readonly #fetcher: Fetcher
  readonly #feeds = new Map<string, PartitionFeed>()
  /** What the user has heard of. */
  readonly #announced = new Set<PartitionFeed>()
  readonly #beginnings = new Set<Beginning>()

  constructor(core: ClientCore, settings: GroupSettings, options: GroupOptions) {
    this.#core = core
    this.#settings = settings
    this.#options = options
    this.#fetcher = new Fetcher(core, {
      ...settings.fetch,
      isReadCommitted: settings.isReadCommitted,
      outOfRange: settings.outOfRange,
      maxInflatedBytes: settings.maxInflatedBytes,
      onError: (error) => this.report(error),
    })
  }

  get owned(): readonly PartitionFeed[] {
    return Array.from(this.#feeds.values())
  }

  report(error: MillraceError, isFatal = false): void {
    this.#options.onError?.(error, isFatal)
  }

  /** Resolves when the user has been told; reads on from there by itself. */
  begin(partitions: readonly TopicPartition[]): Promise<void> {
    if (partitions.length === 0) return Promise.resolve()
    const feeds = partitions.map(({ topic, partition }) => {
      const feed = this.#fetcher.openFeed(topic, partition)
      this.#feeds.set(partitionKey(topic, partition), feed)
      return feed
    })
    const ending = new AbortController()
    const told = this.#announce(feeds, ending.signal)
    const settled = told
      .then(() => this.#start(feeds, ending.signal))
      .catch((error: unknown) => {
        if (!ending.signal.aborted) this.#failAll(feeds, error)
      })
    const beginning: Beginning = { feeds, ending, settled: told.catch(() => undefined) }
    this.#beginnings.add(beginning)
    void settled.then(() => this.#beginnings.delete(beginning))
    return beginning.settled
  }

  /** @returns true when the drain time ran out first */
  async revoke(partitions: readonly TopicPartition[], committer: Committer): Promise<boolean> {
    const feeds = this.#find(partitions)
    for (const feed of feeds) {
      feed.revoke()
      this.#fetcher.remove(feed)
    }
    this.#endBeginnings()
    const isCut = await this.#withinDrain(async () => {
      // The user hears of the end after the beginning, never beside it.
      const open = Array.from(this.#beginnings).filter((one) =>
        one.feeds.some((feed) => feeds.includes(feed) && this.#announced.has(feed)),
      )
      await Promise.all(open.map((one) => one.settled))
      await this.#tell('onRevoked', this.#withdraw(feeds))
      await committer.idle()
    })
    this.#end(feeds, committer)
    return isCut
  }

  lose(partitions: readonly TopicPartition[], committer: Committer): void {
    const feeds = this.#find(partitions)
    const heard = this.#withdraw(feeds)
    this.#end(feeds, committer)
    this.#endBeginnings()
    void this.#tell('onLost', heard)
  }

  /** Whatever is left ends now. */
  close(committer: Committer): void {
    this.#end(this.owned, committer)
    this.#endBeginnings()
    this.#fetcher.close()
  }

  async #announce(feeds: readonly PartitionFeed[], signal: AbortSignal): Promise<void> {
    const { groupId } = this.#settings
    // Without a group nothing is kept, so there is nothing to ask for.
    const committed =
      groupId === ''
        ? new Map<string, CommittedOffset>()
        : await committedOffsets(this.#core, groupId, feeds, signal)
    const live = feeds.filter(({ state }) => state === 'live')
    for (const feed of live) {
      const known = committed.get(partitionKey(feed.topic, feed.partition))
      feed.committed = known ? { offset: known.offset, metadata: known.metadata } : null
      this.#announced.add(feed)
    }
    await this.#tell('onAssigned', live)
    for (const feed of live) {
      const known = committed.get(partitionKey(feed.topic, feed.partition))
      // A seek in the hook comes first.
      if (known && feed.version === 0) feed.startAt(known.offset, known.leaderEpoch)
    }
  }

  async #start(feeds: readonly PartitionFeed[], signal: AbortSignal): Promise<void> {
    const live = feeds.filter(({ state }) => state === 'live')
    for (const feed of live) this.#fetcher.add(feed)
    const open = live.filter(({ version, fetchOffset }) => version === 0 && fetchOffset < 0)
    if (open.length === 0) return
    const { start, isReadCommitted } = this.#settings
    if (start === 'fail') {
      for (const feed of open) {
        const { topic, partition } = feed
        feed.fail(failure('MR_OFFSET_MISSING', { topic, partition }))
      }
      return
    }
    const questions = open.map(({ topic, partition }) => ({ topic, partition, to: start }))
    const offsets = await listOffsets(this.#core, questions, isReadCommitted, signal)
    for (const [index, feed] of open.entries())
      if (feed.version === 0) feed.startAt(offsets[index]!)
  }

  #failAll(feeds: readonly PartitionFeed[], error: unknown): void {
    for (const feed of feeds) if (feed.state === 'live') feed.fail(error as MillraceError)
  }

  #find(partitions: readonly TopicPartition[]): PartitionFeed[] {
    return partitions.flatMap(
      ({ topic, partition }) => this.#feeds.get(partitionKey(topic, partition)) ?? [],
    )
  }

  /** Those the user has heard of, which it will not hear of again. */
  #withdraw(feeds: readonly PartitionFeed[]): readonly PartitionFeed[] {
    return feeds.filter((feed) => this.#announced.delete(feed))
  }

  #end(feeds: readonly PartitionFeed[], committer: Committer): void {
    for (const feed of feeds) {
      feed.end()
      this.#fetcher.remove(feed)
      this.#announced.delete(feed)
      committer.end(feed)
      const key = partitionKey(feed.topic, feed.partition)
      if (this.#feeds.get(key) === feed) this.#feeds.delete(key)
    }
  }

  /** A beginning that nobody waits for any more stops asking. */
  #endBeginnings(): void {
    for (const { feeds, ending } of this.#beginnings)
      if (feeds.every(({ state }) => state !== 'live')) ending.abort(new Error('revoked'))
  }

  async #tell(hook: HookName, feeds: readonly PartitionFeed[]): Promise<void> {
    if (feeds.length === 0) return
    try {
      await this.#options[hook]?.(feeds)
    } catch (error) {
      const { groupId } = this.#settings
      const reason = error instanceof Error ? error.message : String(error)
      this.report(failure('MR_GROUP_HOOK_FAILED', { groupId, hook, reason }, { cause: error }))
    }
  }

  /** @returns true when the time ran out first; the work goes on then, unheard */
  async #withinDrain(work: () => Promise<void>): Promise<boolean> {
    const late = deferred<true>()
    const timer = this.#core.clock.after(this.#settings.drainMs, () => late.resolve(true))
    try {
      return await Promise.race([work().then(() => false), late.promise])
    } finally {
      timer.cancel()
    }
  }
}
