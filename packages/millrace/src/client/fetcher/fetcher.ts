/**
 * Keeps the queues of its partitions filled.
 *
 * - One Fetch waits per broker that leads wanted partitions, on connections of this fetcher alone.
 * - Bytes are bounded: all queues together, with a share for each partition; an answer may exceed it
 *   by a batch per partition (KIP-74). Who was served goes to the end of the order.
 * - An answer counts only under the version it was asked for: seeks and ended tenures drop theirs alone.
 * - A wrong checksum is read again once, then the partition stops. A cut batch is read again with room for it.
 * - **Not done**: fetch sessions (KIP-227), followers (KIP-392), validation of positions after an
 *   election (KIP-320).
 */
import { failure, type MillraceError } from '../../errors/index.ts'
import { backoffMs, type Timer } from '../../kit/index.ts'
import { apis, type RequestInput, type ResponseOf } from '../../protocol/index.ts'
import { events } from '../../telemetry/index.ts'
import type { ClientCore } from '../client-core.ts'
import type { Connection, Purpose } from '../connections/index.ts'
import { isRetriable, kafkaFailure } from '../kafka-failure.ts'
import { requestBackoff } from '../retrying.ts'
import { cureOf } from './fetch-refusal.ts'
import { listOffsets } from './list-offsets.ts'
import { PartitionFeed, type FeedOwner, type SeekTarget } from './partition-feed.ts'
import { isWanted, planFetch, shareOf, type FetchLimits, type FetchPlan } from './plan-fetch.ts'
import { readAnswer } from './read-answer.ts'

export type ResetPolicy = 'earliest' | 'latest' | 'fail'

export interface FetcherOptions extends FetchLimits {
  readonly isReadCommitted: boolean
  readonly outOfRange: ResetPolicy
  readonly maxInflatedBytes?: number | undefined
  /** Told of what went wrong with a partition, or of messages that were lost. */
  readonly onError: (error: MillraceError) => void
}

interface Node {
  readonly id: number
  isWaiting: boolean
  isCatchingUp: boolean
}

type FetchAnswer = ResponseOf<typeof apis.fetch>
type PartitionAnswer = FetchAnswer['responses'][number]['partitions'][number]

/** What a feed was asked for; its answer must find it so. */
interface Asked {
  readonly feed: PartitionFeed
  readonly version: number
}

const zeroUuid = 'AAAAAAAAAAAAAAAAAAAAAA'
/** Kafka's largest message.max.bytes is far below; a length beyond it is no batch. */
const maxBatchBytes = 128 * 1024 * 1024

let fetchers = 0

export class Fetcher implements FeedOwner {
  readonly #core: ClientCore
  readonly #options: FetcherOptions
  readonly #name = `${++fetchers}`
  readonly #feeds = new Set<PartitionFeed>()
  readonly #nodes = new Map<number, Node>()
  readonly #connections = new Set<Connection>()
  readonly #closing = new AbortController()
  readonly #stopListening: () => void
  /** Bytes that outstanding requests may bring. */
  #reserved = 0
  #isScheduled = false
  #timer: Timer | undefined

  constructor(core: ClientCore, options: FetcherOptions) {
    this.#core = core
    this.#options = options
    this.#stopListening = core.metadata.onChange(() => this.#schedule())
  }

  openFeed(topic: string, partition: number): PartitionFeed {
    const { isReadCommitted, maxInflatedBytes } = this.#options
    return new PartitionFeed(topic, partition, this, { isReadCommitted, maxInflatedBytes })
  }

  /** From now on the feed is filled, once its position is known. */
  add(feed: PartitionFeed): void {
    this.#feeds.add(feed)
    this.#schedule()
  }

  remove(feed: PartitionFeed): void {
    this.#feeds.delete(feed)
    this.#schedule()
  }

  /** Stops asking; what is queued stays. Idempotent. */
  close(): void {
    if (this.#closing.signal.aborted) return
    this.#stopListening()
    this.#timer?.cancel()
    this.#closing.abort(failure('MR_CLIENT_CLOSED', { what: 'fetch' }))
    for (const connection of this.#connections) connection.close()
    this.#feeds.clear()
  }

  feedChanged(feed: PartitionFeed): void {
    if (this.#feeds.has(feed)) this.#schedule()
  }

  feedFailed(_feed: PartitionFeed, error: MillraceError): void {
    this.#options.onError(error)
  }

  async resolveOffset(feed: PartitionFeed, to: Exclude<SeekTarget, number>): Promise<number> {
    const { topic, partition } = feed
    const { isReadCommitted } = this.#options
    const question = { topic, partition, to }
    const [offset] = await listOffsets(
      this.#core,
      [question],
      isReadCommitted,
      this.#closing.signal,
    )
    return offset!
  }

  /** Once at the end of the loop turn, whatever happened in it. */
  #schedule(): void {
    if (this.#isScheduled || this.#closing.signal.aborted) return
    this.#isScheduled = true
    setImmediate(() => {
      this.#isScheduled = false
      if (!this.#closing.signal.aborted) this.#pump()
    })
  }

  #pump(): void {
    const { metadata, clock } = this.#core
    metadata.refreshIfOld()
    const nowMs = clock.monotonicMs()
    const share = shareOf(this.#options, this.#feeds.size)
    const wantedByNode = new Map<number, PartitionFeed[]>()
    const leaderless = new Set<string>()
    let buffered = 0
    let wakeAtMs = Infinity
    for (const feed of this.#feeds) {
      buffered += feed.bufferedBytes
      this.#followTopic(feed)
      if (feed.isReadable && feed.retryAtMs > nowMs) wakeAtMs = Math.min(wakeAtMs, feed.retryAtMs)
      if (!isWanted(feed, share, nowMs)) continue
      const leader = metadata.leaderOf(feed.topic, feed.partition)
      if (leader === undefined) {
        this.#postpone(feed)
        leaderless.add(feed.topic)
        wakeAtMs = Math.min(wakeAtMs, feed.retryAtMs)
        continue
      }
      const wanted = wantedByNode.get(leader)
      if (wanted) wanted.push(feed)
      else wantedByNode.set(leader, [feed])
    }
    if (leaderless.size > 0)
      metadata.requestRefresh('a partition without a leader', Array.from(leaderless))
    this.#wakeAt(wakeAtMs)
    for (const [id, wanted] of wantedByNode) {
      const node = this.#node(id)
      if (node.isWaiting && node.isCatchingUp) continue
      const isCatchUp = node.isWaiting
      const room = this.#options.bufferedBytes - buffered - this.#reserved
      // Each broker may be asked twice at once; none may use up what the others need.
      const part = Math.floor(this.#options.bufferedBytes / (2 * this.#nodes.size))
      const plan = planFetch(wanted, Math.min(room, part), this.#options, isCatchUp)
      if (plan) void this.#fetch(node, plan, share, isCatchUp)
    }
  }

  #node(id: number): Node {
    let node = this.#nodes.get(id)
    if (!node) this.#nodes.set(id, (node = { id, isWaiting: false, isCatchingUp: false }))
    return node
  }

  #wakeAt(atMs: number): void {
    this.#timer?.cancel()
    this.#timer = undefined
    if (atMs === Infinity) return
    const { clock } = this.#core
    this.#timer = clock.after(atMs - clock.monotonicMs(), () => this.#schedule(), { unref: true })
  }

  async #fetch(node: Node, plan: FetchPlan, share: number, isCatchUp: boolean): Promise<void> {
    const asked: Asked[] = plan.feeds.map((feed) => ({ feed, version: feed.version }))
    for (const { feed, version } of asked) feed.askedVersion = version
    if (isCatchUp) node.isCatchingUp = true
    else node.isWaiting = true
    this.#reserved += plan.maxBytes
    try {
      await this.#exchange(node, plan, asked, share, isCatchUp)
    } catch (error) {
      if (!this.#closing.signal.aborted) this.#unanswered(asked, error)
    } finally {
      this.#reserved -= plan.maxBytes
      for (const { feed, version } of asked)
        if (feed.askedVersion === version) feed.askedVersion = -1
      if (isCatchUp) node.isCatchingUp = false
      else node.isWaiting = false
      this.#schedule()
    }
  }

  async #exchange(
    node: Node,
    plan: FetchPlan,
    asked: readonly Asked[],
    share: number,
    isCatchUp: boolean,
  ): Promise<void> {
    const { clock, clientId, connections, requestTimeoutMs } = this.#core
    const { signal } = this.#closing
    const purpose: Purpose = `fetch:${this.#name}${isCatchUp ? '+' : ''}`
    const connection =
      connections.peek(node.id, purpose) ??
      (await connections.connect(node.id, purpose, { signal }))
    this.#keep(connection)
    const startedMs = clock.monotonicMs()
    const { body, names, haveIds } = this.#request(plan, asked, share)
    const answer = await connection.request(apis.fetch, body, {
      signal,
      timeoutMs: plan.maxWaitMs + requestTimeoutMs,
      ...(haveIds ? {} : { maxVersion: 12 }),
    })
    signal.throwIfAborted()
    if (answer.errorCode !== 0) throw kafkaFailure('fetch', answer.errorCode)
    const { bytes, messages } = this.#take(answer, asked, names)
    if (events.fetchReceived.isHeard) {
      events.fetchReceived.publish({
        clientId,
        broker: connection.name,
        node: node.id,
        partitions: asked.length,
        messages,
        bytes,
        latencyMs: clock.monotonicMs() - startedMs,
      })
    }
  }

  #keep(connection: Connection): void {
    if (this.#connections.has(connection)) return
    this.#connections.add(connection)
    connection.onClose(() => this.#connections.delete(connection))
    if (this.#closing.signal.aborted) connection.close()
  }

  #request(
    plan: FetchPlan,
    asked: readonly Asked[],
    share: number,
  ): {
    readonly body: RequestInput<typeof apis.fetch>
    readonly names: ReadonlyMap<string, string>
    readonly haveIds: boolean
  } {
    const { metadata } = this.#core
    const { minBytes, isReadCommitted } = this.#options
    const names = new Map<string, string>()
    let haveIds = true
    let maxBytes = plan.maxBytes
    const byTopic = Map.groupBy(asked, ({ feed }) => feed.topic)
    const topics = Array.from(byTopic, ([topic, list]) => {
      const known = metadata.peek(topic)
      const topicId = known?.id ?? zeroUuid
      if (topicId === zeroUuid) haveIds = false
      names.set(topicId, topic)
      return {
        topic,
        topicId,
        partitions: list.map(({ feed }) => {
          const partitionMaxBytes = Math.max(share, feed.neededBytes)
          maxBytes = Math.max(maxBytes, feed.neededBytes)
          return {
            partition: feed.partition,
            currentLeaderEpoch: known?.partitions[feed.partition]?.leaderEpoch ?? -1,
            fetchOffset: feed.fetchOffset,
            partitionMaxBytes,
          }
        }),
      }
    })
    const isolationLevel = isReadCommitted ? 1 : 0
    // Session id 0 with epoch -1: a full fetch that opens no session (KIP-227).
    const session = { sessionId: 0, sessionEpoch: -1 }
    const body = {
      maxWaitMs: plan.maxWaitMs,
      minBytes,
      maxBytes,
      isolationLevel,
      ...session,
      topics,
    }
    return { body, names, haveIds }
  }

  #take(
    answer: FetchAnswer,
    asked: readonly Asked[],
    names: ReadonlyMap<string, string>,
  ): { readonly bytes: number; readonly messages: number } {
    const byKey = new Map<string, Asked>()
    for (const one of asked) byKey.set(`${one.feed.topic}/${one.feed.partition}`, one)
    const receivedAt = this.#core.clock.now()
    const stale = new Set<string>()
    let bytes = 0
    let messages = 0
    for (const { topic, topicId, partitions } of answer.responses) {
      const name = topic === '' ? (names.get(topicId) ?? '') : topic
      for (const one of partitions) {
        bytes += one.records?.length ?? 0
        const found = byKey.get(`${name}/${one.partitionIndex}`)
        if (!found || found.feed.version !== found.version || found.feed.state !== 'live') continue
        if (one.errorCode !== 0) this.#heedHint(name, one, answer.nodeEndpoints)
        const before = found.feed.buffered
        if (one.errorCode === 0) this.#accept(found.feed, one, receivedAt)
        messages += Math.max(0, found.feed.buffered - before)
        if (one.errorCode === 0) continue
        if (this.#refused(found.feed, one.errorCode)) stale.add(name)
      }
    }
    if (stale.size > 0) this.#core.metadata.requestRefresh('a fetch was refused', Array.from(stale))
    return { bytes, messages }
  }

  /** Who is not the leader may say who is, and where it lives (KIP-951). */
  #heedHint(
    topic: string,
    { partitionIndex, currentLeader }: PartitionAnswer,
    endpoints: FetchAnswer['nodeEndpoints'],
  ): void {
    const { leaderId, leaderEpoch } = currentLeader
    if (leaderId < 0) return
    const address = endpoints.find(({ nodeId }) => nodeId === leaderId)
    this.#core.metadata.hintLeader(topic, partitionIndex, leaderId, leaderEpoch, address)
  }

  #accept(feed: PartitionFeed, answer: PartitionAnswer, receivedAt: number): void {
    feed.highWatermark = answer.highWatermark
    feed.lastStableOffset = answer.lastStableOffset
    if (answer.logStartOffset >= 0) feed.logStartOffset = answer.logStartOffset
    feed.attempts = 0
    const { records } = answer
    if (records === null || records.length === 0) {
      feed.touch()
      return
    }
    feed.filter?.add(answer.abortedTransactions ?? [])
    const read = readAnswer(records, feed.fetchOffset, feed.filter, receivedAt)
    const hasMoved = read.nextOffset > feed.fetchOffset
    feed.enqueue(read)
    if (hasMoved) {
      feed.neededBytes = 0
      feed.suspectOffset = -1
      // Served: behind the others next time.
      if (this.#feeds.delete(feed)) this.#feeds.add(feed)
    }
    if (read.stop.at === 'fault') this.#suspect(feed, read.stop.what, read.stop.offset)
    else if (read.stop.at === 'cut' && !hasMoved)
      this.#makeRoom(feed, read.stop.needed, records.length)
  }

  /** Once it may have been the wire; twice it is the log. */
  #suspect(feed: PartitionFeed, what: string, offset: number): void {
    const { topic, partition } = feed
    if (feed.suspectOffset === offset)
      feed.fail(failure('MR_FETCH_CORRUPT', { topic, partition, offset, what }))
    else feed.suspectOffset = offset
  }

  #makeRoom(feed: PartitionFeed, needed: number, got: number): void {
    const { topic, partition, fetchOffset: offset } = feed
    const bytes = Math.max(needed, got + 1)
    const context = { topic, partition, offset, bytes, limit: maxBatchBytes }
    if (bytes > maxBatchBytes) feed.fail(failure('MR_FETCH_BATCH_TOO_LARGE', context))
    // A length that was not cut itself is exact; of a shorter piece only its size is known.
    else feed.neededBytes = Math.max(bytes, feed.neededBytes * 2)
  }

  /** True: the leaders must be looked up again. */
  #refused(feed: PartitionFeed, errorCode: number): boolean {
    const { topic, partition } = feed
    const cure = cureOf(errorCode)
    switch (cure) {
      case 'out-of-range':
        void this.#reset(feed)
        return false
      case 'corrupt':
        this.#suspect(feed, 'the broker calls the batch corrupt', feed.fetchOffset)
        this.#postpone(feed)
        return false
      case 'fail':
        feed.fail(kafkaFailure(`fetch of ${topic}/${partition}`, errorCode))
        return false
      case 'refresh':
      case 'retry':
        this.#postpone(feed)
        return cure === 'refresh'
    }
  }

  /**
   * Offsets of a topic that was deleted mean nothing in the one that has its name now (KIP-516). The id is kept
   * with the position: between the two topics there may have been none, and the metadata forgets what is gone.
   */
  #followTopic(feed: PartitionFeed): void {
    const id = this.#core.metadata.peek(feed.topic)?.id ?? zeroUuid
    if (id === zeroUuid || id === feed.topicId || feed.fetchOffset < 0) return
    if (feed.topicId === '' || feed.fetchOffset === 0) feed.topicId = id
    // Infinity: it is being reset already.
    else if (feed.isReadable && feed.retryAtMs !== Infinity) void this.#reset(feed, id)
  }

  /**
   * The position is outside the log: the declared policy decides, and it is always told.
   * @param newTopicId - the position is of a topic that this one has replaced
   */
  async #reset(feed: PartitionFeed, newTopicId?: string): Promise<void> {
    const { topic, partition, fetchOffset: offset, version } = feed
    const { isReadCommitted, outOfRange, onError } = this.#options
    feed.retryAtMs = Infinity
    try {
      const { signal } = this.#closing
      const look = (to: 'earliest' | 'latest'): Promise<readonly number[]> =>
        listOffsets(this.#core, [{ topic, partition, to }], isReadCommitted, signal)
      const [[start], [end]] = await Promise.all([look('earliest'), look('latest')])
      if (feed.version !== version || start === undefined || end === undefined) return
      feed.retryAtMs = 0
      if (newTopicId !== undefined) feed.topicId = newTopicId
      else if (offset >= start && offset <= end) {
        // Inside after all: a leader that knows less than its followers did. Ask again.
        this.#postpone(feed)
        this.#schedule()
        return
      }
      if (outOfRange === 'fail') {
        feed.fail(failure('MR_OFFSET_OUT_OF_RANGE', { topic, partition, offset, start, end }))
        return
      }
      const newOffset = outOfRange === 'earliest' ? start : end
      const count = Math.max(0, newOffset - offset)
      const lost = { topic, partition, offset, newOffset, count }
      feed.jumpTo(newOffset)
      events.offsetsLost.publish({ clientId: this.#core.clientId, ...lost })
      onError(failure('MR_OFFSETS_LOST', lost))
    } catch (error) {
      if (this.#closing.signal.aborted || feed.version !== version) return
      if (isRetriable(error)) {
        this.#postpone(feed)
        this.#schedule()
      } else feed.fail(error as MillraceError)
    }
  }

  #postpone(feed: PartitionFeed): void {
    feed.attempts++
    const waitMs = backoffMs(requestBackoff, feed.attempts)
    feed.retryAtMs = this.#core.clock.monotonicMs() + waitMs
  }

  /** No answer: the broker or its leadership is gone; metadata tells which. */
  #unanswered(asked: readonly Asked[], error: unknown): void {
    for (const { feed, version } of asked) {
      if (feed.version !== version) continue
      if (isRetriable(error)) this.#postpone(feed)
      else feed.fail(error as MillraceError)
    }
    if (!isRetriable(error)) return
    const topics = new Set(asked.map(({ feed }) => feed.topic))
    this.#core.metadata.requestRefresh('a fetch failed', Array.from(topics))
  }
}
