import { failure, isFailure, type MillraceError } from '../../errors/index.ts'
import { backoffMs, type Timer } from '../../kit/index.ts'
import { apis, type NewRecord, type ResponseOf } from '../../protocol/index.ts'
import { events } from '../../telemetry/index.ts'
import type { ClientCore } from '../client-core.ts'
import type { Connection } from '../connections/index.ts'
import { isRetriable } from '../kafka-failure.ts'
import { requestBackoff } from '../retrying.ts'
import type { Batch } from './batch.ts'
import type { ProducerSettings } from './options.ts'
import { PartitionQueue, type QueueListener } from './partition-queue.ts'
import { ProducerIds } from './producer-ids.ts'
import type { Receipt } from './receipt.ts'
import { topicDataOf } from './topic-data.ts'
import { lostVerdict, verdictOf, type Verdict } from './verdict.ts'

/**
 * Moves batches from the partition queues to their leaders.
 *
 * One pass (`#drain`) runs at the end of a loop turn in which something happened: messages came, an answer came,
 * a connection opened, metadata changed, or the one timer fired (linger, back-off, expiry). It takes at most one
 * batch of each partition and puts those with the same leader into one Produce request.
 */

/** One Produce request; more batches for a leader go into the next. Far below a broker's socket.request.max.bytes. */
const maxRequestBytes = 16 * 1024 * 1024

/** With these nothing has left the client, and nothing will. */
const neverSent = [
  'MR_CONNECTION_VERSION_UNSUPPORTED',
  'MR_PROTOCOL_UNENCODABLE',
  'MR_PROTOCOL_VERSION_UNSUPPORTED',
] as const

interface Node {
  inFlight: number
  isConnecting: boolean
  failures: number
  /** Nothing goes there before: back-off after a failed connection, or the broker's throttling (KIP-219). */
  pausedUntilMs: number
}

interface Request {
  readonly connection: Connection
  readonly node: Node
  readonly nodeId: number
  readonly batches: Batch[]
  bytes: number
}

export interface SenderBuffer {
  /** Room in the buffer: a batch is settled. */
  released(bytes: number): void
  /** Bytes that came into being without a message (a batch was cut in two). */
  grown(bytes: number): void
  /** Sends wait for room: nothing should linger. */
  isPressed(): boolean
  /** Bytes in it, and how many fit. */
  fill(): { readonly bufferedBytes: number; readonly bufferBytes: number }
}

type ProduceAnswer = ResponseOf<typeof apis.produce>

export class Sender implements QueueListener {
  readonly #core: ClientCore
  readonly #settings: ProducerSettings
  readonly #buffer: SenderBuffer
  readonly #random: (() => number) | undefined
  readonly #identities: ProducerIds
  readonly #queues = new Map<string, PartitionQueue[]>()
  readonly #working = new Set<PartitionQueue>()
  readonly #nodes = new Map<number, Node>()
  readonly #stopWatching: () => void
  readonly #ending = new AbortController()
  #isWoken = false
  #refreshAttempts = 0
  #refreshAtMs = 0
  #flushes = 0
  #timer: Timer | undefined
  #timerAtMs = Infinity

  constructor(
    core: ClientCore,
    settings: ProducerSettings,
    buffer: SenderBuffer,
    random?: () => number,
  ) {
    this.#core = core
    this.#settings = settings
    this.#buffer = buffer
    this.#random = random
    this.#identities = new ProducerIds(core, random, this.#ending.signal, (error) => {
      if (error) this.#abandon(error)
      this.wake()
    })
    this.#stopWatching = core.metadata.onChange(() => {
      if (this.#working.size > 0) this.wake()
    })
  }

  /** The queue of a partition; there is one from the first look on. */
  queue(topic: string, partition: number): PartitionQueue {
    let queues = this.#queues.get(topic)
    if (!queues) this.#queues.set(topic, (queues = []))
    const known = queues[partition]
    if (known) return known
    const { batchBytes, lingerMs, deliveryTimeoutMs, compression, isIdempotent } = this.#settings
    // Only sequence numbers keep the order of several batches in flight when one of them fails.
    const maxInFlight = isIdempotent ? this.#settings.maxInFlight : 1
    const rules = {
      batchBytes,
      lingerMs,
      deliveryTimeoutMs,
      maxInFlight,
      compression,
      isIdempotent,
      random: this.#random,
    }
    const queue = new PartitionQueue(topic, partition, rules, this.#identities, this)
    queues[partition] = queue
    return queue
  }

  /** Appends and sees to the sending. Returns the bytes taken. */
  append(queue: PartitionQueue, record: NewRecord, sizeBound: number, receipt: Receipt): number {
    const bytes = queue.append(record, sizeBound, receipt, this.#core.clock.monotonicMs())
    this.#working.add(queue)
    this.wake()
    return bytes
  }

  /** Runs a pass at the end of this loop turn. */
  wake(): void {
    if (this.#isWoken) return
    this.#isWoken = true
    setImmediate(this.#pass)
  }

  /** Sends open batches now, lingered or not, until `endFlush`. */
  beginFlush(): void {
    this.#flushes++
    this.wake()
  }

  endFlush(): void {
    this.#flushes--
  }

  /** Fails what is left and stops. */
  stop(error: MillraceError): void {
    for (const queue of this.#working) queue.abandon(error)
    this.#working.clear()
    this.#timer?.cancel()
    this.#stopWatching()
    this.#ending.abort(error)
  }

  delivered(batch: Batch, offset: number, appendTimeMs: number): void {
    const { topic, partition, receipts } = batch
    for (let at = 0; at < receipts.length; at++)
      receipts[at]?.delivered(topic, partition, offset < 0 ? -1 : offset + at, appendTimeMs)
    this.#buffer.released(batch.sizeInBytes)
  }

  failed(
    batch: Batch,
    error: MillraceError,
    isOutcomeKnown: boolean,
    byRecord?: ReadonlyMap<number, MillraceError>,
  ): void {
    const { topic, partition, receipts, count } = batch
    for (let at = 0; at < receipts.length; at++) receipts[at]?.failed(byRecord?.get(at) ?? error)
    this.#buffer.released(batch.sizeInBytes)
    const { clientId } = this.#core
    events.producerFailed.publish({ clientId, topic, partition, count, error, isOutcomeKnown })
  }

  retried(batch: Batch, delayMs: number, reason: string): void {
    const { clientId } = this.#core
    const { topic, partition, count, attempts: attempt } = batch
    const context = { clientId, topic, partition, count, attempt, delayMs, reason }
    events.producerRetried.publish(context)
  }

  split(batch: Batch, [first, second]: readonly [Batch, Batch]): void {
    this.#buffer.grown(first.sizeInBytes + second.sizeInBytes - batch.sizeInBytes)
  }

  epochRaised(
    { topic, partition }: PartitionQueue,
    identity: { readonly producerId: number; readonly epoch: number },
    reason: string,
  ): void {
    const { clientId } = this.#core
    events.producerEpochRaised.publish({ clientId, topic, partition, ...identity, reason })
  }

  fenced(
    { topic, partition }: PartitionQueue,
    identity: { readonly producerId: number; readonly epoch: number },
  ): void {
    events.producerFenced.publish({ clientId: this.#core.clientId, topic, partition, ...identity })
  }

  readonly #pass = (): void => {
    this.#isWoken = false
    if (!this.#ending.signal.aborted) this.#drain()
  }

  #drain(): void {
    const { clock, metadata } = this.#core
    const nowMs = clock.monotonicMs()
    const isFlushing = this.#flushes > 0 || this.#buffer.isPressed()
    const requests = new Map<number, Request>()
    let nextMs = Infinity
    let needsRefresh = false
    metadata.refreshIfOld()

    const lacksIdentity = this.#settings.isIdempotent && !this.#identities.current
    if (lacksIdentity && this.#working.size > 0) nextMs = this.#identities.acquire(nowMs)

    const queues = Array.from(this.#working)
    for (const queue of queues) {
      nextMs = Math.min(nextMs, queue.expire(nowMs))
      if (queue.isEmpty) {
        this.#working.delete(queue)
        continue
      }
      const dueMs = queue.dueMs(isFlushing)
      if (dueMs > nowMs) {
        nextMs = Math.min(nextMs, dueMs)
        continue
      }
      const leader = metadata.leaderOf(queue.topic, queue.partition)
      if (leader === undefined) needsRefresh = true
      else nextMs = Math.min(nextMs, this.#take(queue, leader, requests, nowMs, isFlushing))
    }
    for (const request of requests.values()) void this.#send(request)
    if (needsRefresh) nextMs = Math.min(nextMs, this.#refresh(nowMs))
    if (nextMs <= nowMs) this.wake()
    else this.#arm(nextMs)
  }

  /** Returns when to look at the queue again; Infinity when an answer or a connection will tell. */
  #take(
    queue: PartitionQueue,
    leader: number,
    requests: Map<number, Request>,
    nowMs: number,
    isFlushing: boolean,
  ): number {
    let request = requests.get(leader)
    if (!request) {
      const node = this.#node(leader)
      if (node.inFlight >= this.#settings.maxInFlight) return Infinity
      if (node.pausedUntilMs > nowMs) return node.pausedUntilMs
      const connection = this.#core.connections.peek(leader, 'data')
      if (!connection) {
        if (!node.isConnecting) void this.#connect(leader, node)
        return Infinity
      }
      request = { connection, node, nodeId: leader, batches: [], bytes: 0 }
    }
    if (request.bytes >= maxRequestBytes) return nowMs
    const batch = queue.take(nowMs, isFlushing)
    if (!batch) return Infinity
    request.batches.push(batch)
    request.bytes += batch.records?.length ?? 0
    requests.set(leader, request)
    // To the end of the line: when requests are bounded, every partition gets its turn.
    this.#working.delete(queue)
    this.#working.add(queue)
    // Another pass takes the next of its batches, if it may have several in flight.
    return queue.dueMs(isFlushing) <= nowMs ? nowMs : Infinity
  }

  #node(nodeId: number): Node {
    let node = this.#nodes.get(nodeId)
    if (!node) {
      node = { inFlight: 0, isConnecting: false, failures: 0, pausedUntilMs: 0 }
      this.#nodes.set(nodeId, node)
    }
    return node
  }

  async #connect(nodeId: number, node: Node): Promise<void> {
    node.isConnecting = true
    try {
      await this.#core.connections.connect(nodeId, 'data', { signal: this.#ending.signal })
      node.failures = 0
    } catch (error) {
      if (this.#ending.signal.aborted) return
      const waitMs = backoffMs(requestBackoff, ++node.failures, this.#random)
      node.pausedUntilMs = this.#core.clock.monotonicMs() + waitMs
      if (isRetriable(error)) this.#core.metadata.requestRefresh(error.message)
      else this.#abandon(error as MillraceError)
    } finally {
      node.isConnecting = false
    }
    this.wake()
  }

  async #send(request: Request): Promise<void> {
    const { node, connection, batches } = request
    node.inFlight++
    const { acks } = this.#settings
    const body = {
      acks,
      timeoutMs: this.#core.requestTimeoutMs,
      topicData: topicDataOf(batches),
    }
    // From v13 on topics go by id (KIP-516). zstd came with v7 (KIP-110).
    const minVersion = this.#settings.compression === 'zstd' ? 7 : 3
    const bounds = { minVersion, maxVersion: 12 }
    try {
      if (acks === 0) {
        await connection.notify(apis.produce, body, bounds)
        if (events.producerAppended.isHeard) {
          const nowMs = this.#core.clock.monotonicMs()
          for (const batch of batches) this.#publishAppended(batch, -1, nowMs, request)
        }
        this.#answeredAll(batches, { kind: 'appended', offset: -1, appendTimeMs: -1 })
      } else {
        const answer = await connection.request(apis.produce, body, bounds)
        if (answer.throttleTimeMs > 0)
          node.pausedUntilMs = this.#core.clock.monotonicMs() + answer.throttleTimeMs
        this.#answered(request, answer)
      }
    } catch (error) {
      const failed = error as MillraceError
      if (isFailure(error, ...neverSent)) {
        this.#answeredAll(batches, { kind: 'refused', error: failed, isByContent: false })
      } else {
        // An answer that cannot be read is one that did not come.
        this.#core.metadata.requestRefresh(failed.message)
        this.#answeredAll(batches, lostVerdict(failed, true))
      }
    }
    node.inFlight--
    this.wake()
  }

  #answered({ batches, nodeId, connection }: Request, answer: ProduceAnswer): void {
    const { clock, metadata } = this.#core
    const nowMs = clock.monotonicMs()
    const unanswered = new Set(batches)
    for (const { name: topic, partitionResponses } of answer.responses) {
      for (const part of partitionResponses) {
        const { index: partition } = part
        const batch = batches.find((one) => one.partition === partition && one.topic === topic)
        if (!batch || !unanswered.delete(batch)) continue
        const verdict = verdictOf(topic, partition, part, this.#settings.isIdempotent)
        if (verdict.kind === 'appended' && events.producerAppended.isHeard)
          this.#publishAppended(batch, verdict.offset, nowMs, { connection, nodeId })
        if (verdict.kind === 'retry' && verdict.refreshesMetadata) {
          const { leaderId, leaderEpoch } = part.currentLeader
          const address = answer.nodeEndpoints.find((one) => one.nodeId === leaderId)
          metadata.hintLeader(topic, partition, leaderId, leaderEpoch, address)
          metadata.requestRefresh(verdict.reason, [topic])
        }
        this.queue(topic, partition).answered(batch, verdict, nowMs)
      }
    }
    for (const batch of unanswered) {
      const reason = 'the answer left this partition out'
      const error = failure('MR_CONNECTION_LOST', { address: connection.name, reason })
      this.queue(batch.topic, batch.partition).answered(batch, lostVerdict(error, true), nowMs)
    }
  }

  #publishAppended(
    batch: Batch,
    offset: number,
    nowMs: number,
    { connection, nodeId }: Pick<Request, 'connection' | 'nodeId'>,
  ): void {
    const { topic, partition, count, attempts, createdMs, sentMs } = batch
    events.producerAppended.publish({
      clientId: this.#core.clientId,
      topic,
      partition,
      offset,
      count,
      bytes: batch.records?.length ?? 0,
      broker: connection.name,
      node: nodeId,
      attempts,
      deliveryMs: nowMs - createdMs,
      ackMs: nowMs - sentMs,
      ...this.#buffer.fill(),
    })
  }

  #answeredAll(batches: readonly Batch[], verdict: Verdict): void {
    const nowMs = this.#core.clock.monotonicMs()
    for (const batch of batches)
      this.queue(batch.topic, batch.partition).answered(batch, verdict, nowMs)
  }

  #abandon(error: MillraceError): void {
    for (const queue of this.#working) queue.abandon(error)
  }

  /** Refreshes for partitions without a leader, with back-off. Returns when the next may start. */
  #refresh(nowMs: number): number {
    if (nowMs < this.#refreshAtMs) return this.#refreshAtMs
    this.#refreshAttempts = nowMs - this.#refreshAtMs > 5000 ? 1 : this.#refreshAttempts + 1
    this.#refreshAtMs = nowMs + backoffMs(requestBackoff, this.#refreshAttempts, this.#random)
    this.#core.metadata.requestRefresh('a partition without a leader')
    return this.#refreshAtMs
  }

  #arm(atMs: number): void {
    if (atMs === this.#timerAtMs) return
    // A timer that fires early costs one pass; moving it for every batch would cost more.
    if (atMs !== Infinity && atMs > this.#timerAtMs) return
    this.#timer?.cancel()
    this.#timer = undefined
    this.#timerAtMs = atMs
    if (atMs === Infinity) return
    const { clock } = this.#core
    // Whole milliseconds, upwards: a timer a fraction too early would find nothing due.
    this.#timer = clock.after(Math.ceil(atMs - clock.monotonicMs()), () => {
      this.#timerAtMs = Infinity
      this.#timer = undefined
      this.#pass()
    })
  }
}
