import { failure } from '../../errors/index.ts'
import { deferred, type Clock, type Deferred, type Timer, orAbort } from '../../kit/index.ts'
import { apis, errorCodes, type ResponseOf } from '../../protocol/index.ts'
import { events } from '../../telemetry/index.ts'
import type { BrokerAddress, ConnectionPool } from '../connections/index.ts'
import { kafkaFailure } from '../kafka-failure.ts'
import { retrying } from '../retrying.ts'
import { Coordinators, type FindOptions } from './coordinators.ts'
import { isReplaced, mergeTopic, withLeader, type TopicMetadata } from './topic-metadata.ts'

/**
 * What the client knows of the cluster: brokers, leaders, topic ids, coordinators. One per client.
 *
 * - Only topics that somebody asked for are read. Refreshes are merged while one is under way.
 * - A smaller leader epoch never replaces a greater one. A topic that was deleted and created again is another
 *   topic: `topic.replaced` is published and the listeners of `onReplaced` are called.
 * - Read again after five minutes: by the next use (`refreshIfOld`), or by a timer while somebody watches.
 * - With no known broker in reach, the pool falls back to the bootstrap list; so does code 129 (KIP-1102).
 */

export interface MetadataSettings {
  readonly clientId: string
  readonly clock: Clock
  /** Default bound of every wait here. */
  readonly apiTimeoutMs: number
  /** Default 5 minutes. */
  readonly maxAgeMs?: number
}

export interface TopicOptions extends FindOptions {
  /** Let the broker create the topic when it may (auto.create.topics.enable). Default false. */
  readonly mayCreate?: boolean
  /** How long an unknown topic may still be news that has not reached every broker. Default 3 s. */
  readonly unknownMs?: number
}

/** What one Metadata request is about; `waiting` resolves when its answer is in the cache. */
interface Refresh {
  readonly topics: Set<string>
  readonly reasons: Set<string>
  readonly waiting: Deferred<void>
}

type MetadataAnswer = ResponseOf<typeof apis.metadata>

const unknownMs = 3000
const maxAgeMs = 300_000

export class MetadataCache {
  readonly #pool: ConnectionPool
  readonly #settings: MetadataSettings
  readonly #coordinators: Coordinators
  readonly #wanted = new Set<string>()
  readonly #topics = new Map<string, TopicMetadata>()
  readonly #nameById = new Map<string, string>()
  /** The code of the last answer for wanted topics that are not in `#topics`. */
  readonly #refusals = new Map<string, number>()
  readonly #changeListeners = new Set<() => void>()
  readonly #replacedListeners = new Set<(topic: string) => void>()
  #brokers: readonly BrokerAddress[] = []
  #clusterId: string | null = null
  #controllerId = -1
  #running: Refresh | undefined
  #next: Refresh | undefined
  #refreshedAtMs = -Infinity
  #watchers = 0
  #watchTimer: Timer | undefined
  #isClosed = false

  constructor(pool: ConnectionPool, settings: MetadataSettings) {
    this.#pool = pool
    this.#settings = settings
    this.#coordinators = new Coordinators(pool, settings.clock, settings.apiTimeoutMs)
  }

  get clusterId(): string | null {
    return this.#clusterId
  }

  /** -1 when the answering broker knew of none. */
  get controllerId(): number {
    return this.#controllerId
  }

  get brokers(): readonly BrokerAddress[] {
    return this.#brokers
  }

  broker(nodeId: number): BrokerAddress | undefined {
    return this.#pool.broker(nodeId)
  }

  /** What is known now; nothing is asked. For hot paths. */
  peek(name: string): TopicMetadata | undefined {
    return this.#topics.get(name)
  }

  /** The leader as known now; undefined when the partition is unknown or leaderless. */
  leaderOf(topic: string, partition: number): number | undefined {
    const leader = this.#topics.get(topic)?.partitions[partition]?.leader
    return leader === undefined || leader < 0 ? undefined : leader
  }

  topicNameById(id: string): string | undefined {
    return this.#nameById.get(id)
  }

  /**
   * A topic's partitions and leaders, from the cache or the cluster. From then on the topic is kept fresh.
   * @throws MR_TOPIC_UNKNOWN, MR_CLIENT_TIMEOUT, or MR_KAFKA_ERROR for what does not pass (17, 29)
   */
  async topic(name: string, options: TopicOptions = {}): Promise<TopicMetadata> {
    const known = this.#topics.get(name)
    if (known) return known
    const { clock, apiTimeoutMs } = this.#settings
    const startMs = clock.monotonicMs()
    const timeoutMs = options.timeoutMs ?? apiTimeoutMs
    const patienceMs = options.unknownMs ?? unknownMs
    const what = `metadata of ${name}`
    return retrying({ what, clock, timeoutMs, signal: options.signal }, async (signal, attempt) => {
      await this.refresh([name], { signal, reason: 'a new topic' })
      if (!this.#topics.has(name) && options.mayCreate === true) await this.#create(name, signal)
      const found = this.#topics.get(name)
      if (found) return found
      const code = this.#refusals.get(name) ?? errorCodes.UNKNOWN_TOPIC_OR_PARTITION
      const isUnknown = code === errorCodes.UNKNOWN_TOPIC_OR_PARTITION
      if (isUnknown && attempt > 1 && clock.monotonicMs() - startMs >= patienceMs) {
        this.forget(name)
        throw failure('MR_TOPIC_UNKNOWN', { topic: name })
      }
      const refusal = kafkaFailure(what, code)
      // Whoever asks again will hear the same; asking for it with every refresh helps nobody.
      if (!refusal.retriable) this.forget(name)
      throw refusal
    })
  }

  /** The partition's leader, waiting for an election to end. @throws as `topic`, and MR_PARTITION_UNKNOWN */
  async leader(topic: string, partition: number, options: FindOptions = {}): Promise<number> {
    const { clock, apiTimeoutMs } = this.#settings
    const timeoutMs = options.timeoutMs ?? apiTimeoutMs
    const what = `leader of ${topic}/${partition}`
    return retrying({ what, clock, timeoutMs, signal: options.signal }, async (signal, attempt) => {
      const { partitions } = await this.topic(topic, { signal, timeoutMs })
      if (attempt > 1 && this.leaderOf(topic, partition) === undefined)
        await this.refresh([topic], { signal, reason: 'a partition without a leader' })
      const leader = this.leaderOf(topic, partition)
      if (leader !== undefined) return leader
      if (partition >= partitions.length && attempt > 1)
        throw failure('MR_PARTITION_UNKNOWN', { topic, partition, partitions: partitions.length })
      throw kafkaFailure(what, errorCodes.LEADER_NOT_AVAILABLE)
    })
  }

  /** The broker that coordinates a group. @throws MR_CLIENT_TIMEOUT, MR_KAFKA_ERROR */
  coordinatorOf(groupId: string, options: FindOptions = {}): Promise<number> {
    return this.#coordinators.find(groupId, options)
  }

  /** After 14, 15, 16 or a lost connection to it. */
  forgetCoordinator(groupId: string): void {
    this.#coordinators.forget(groupId)
  }

  /**
   * Reads brokers and the given topics (with all wanted ones) again, by one request without a retry.
   * Calls while one is under way share its answer when it covers their topics.
   * @throws retriable: connection errors, MR_REQUEST_TIMEOUT, MR_KAFKA_ERROR
   */
  async refresh(
    topics: readonly string[] = [],
    { signal, reason = 'asked for' }: { signal?: AbortSignal | undefined; reason?: string } = {},
  ): Promise<void> {
    for (const topic of topics) this.#wanted.add(topic)
    await orAbort(this.#join(topics, reason).waiting.promise, signal)
  }

  /** A refresh that nobody waits for; a failure is an event, the next need asks again. */
  requestRefresh(reason: string, topics: readonly string[] = []): void {
    if (this.#isClosed) return
    const { clientId } = this.#settings
    this.refresh(topics, { reason }).catch((error: unknown) => {
      if (!this.#isClosed) events.metadataRefreshFailed.publish({ clientId, reason, error })
    })
  }

  /** Call now and then while working: starts a refresh when the last is older than five minutes. */
  refreshIfOld(): void {
    const ageMs = this.#settings.clock.monotonicMs() - this.#refreshedAtMs
    if (this.#running || this.#wanted.size === 0) return
    if (ageMs >= (this.#settings.maxAgeMs ?? maxAgeMs)) this.requestRefresh('age')
  }

  /** Keeps topics fresh by a timer until the returned function is called. For those who must see new partitions. */
  watch(topics: readonly string[]): () => void {
    for (const topic of topics) this.#wanted.add(topic)
    this.#watchers++
    this.#scheduleWatch()
    let isWatching = true
    return () => {
      if (!isWatching) return
      isWatching = false
      if (--this.#watchers > 0) return
      this.#watchTimer?.cancel()
      this.#watchTimer = undefined
    }
  }

  /** Stops keeping a topic fresh, and drops what is known of it. */
  forget(topic: string): void {
    this.#wanted.delete(topic)
    this.#refusals.delete(topic)
    const known = this.#topics.get(topic)
    if (known) this.#nameById.delete(known.id)
    this.#topics.delete(topic)
  }

  /** Calls the listener after every answer. Returns the function that ends it. */
  onChange(listener: () => void): () => void {
    this.#changeListeners.add(listener)
    return () => void this.#changeListeners.delete(listener)
  }

  /** Calls the listener when a topic was deleted and created again. Returns the function that ends it. */
  onReplaced(listener: (topic: string) => void): () => void {
    this.#replacedListeners.add(listener)
    return () => void this.#replacedListeners.delete(listener)
  }

  /** Takes a leader that a Produce or Fetch answer named (KIP-951), with its address when that came along. */
  hintLeader(
    topic: string,
    partition: number,
    leader: number,
    leaderEpoch: number,
    address?: BrokerAddress,
  ): void {
    const known = this.#topics.get(topic)
    if (!known || leader < 0) return
    if (address) this.#pool.learn(address)
    if (this.#pool.broker(leader))
      this.#topics.set(topic, withLeader(known, partition, leader, leaderEpoch))
  }

  close(): void {
    this.#isClosed = true
    this.#watchTimer?.cancel()
    this.#watchers = 0
    this.#changeListeners.clear()
    this.#replacedListeners.clear()
  }

  #join(topics: readonly string[], reason: string): Refresh {
    const running = this.#running
    if (running && topics.every((topic) => running.topics.has(topic))) return running
    const refresh = (this.#next ??= {
      topics: new Set(),
      reasons: new Set(),
      waiting: deferred(),
    })
    refresh.reasons.add(reason)
    if (!running) this.#start()
    return refresh
  }

  #start(): void {
    const refresh = this.#next
    if (!refresh) return
    this.#next = undefined
    this.#running = refresh
    for (const topic of this.#wanted) refresh.topics.add(topic)
    refresh.waiting.promise.catch(() => undefined)
    void this.#run(refresh)
  }

  async #run(refresh: Refresh): Promise<void> {
    try {
      const answer = await this.#ask([...refresh.topics], false)
      this.#apply(answer, [...refresh.reasons].join(', '))
      refresh.waiting.resolve()
    } catch (error) {
      refresh.waiting.reject(error)
    }
    this.#running = undefined
    this.#start()
  }

  /** Asked for the one topic alone: the flag holds for every topic of a request, deleted ones included. */
  async #create(name: string, signal: AbortSignal): Promise<void> {
    this.#apply(await this.#ask([name], true, signal), `create ${name}`)
  }

  async #ask(
    names: readonly string[],
    allowAutoTopicCreation: boolean,
    signal?: AbortSignal,
  ): Promise<MetadataAnswer> {
    const connection = await this.#pool.connect('any', 'data', { signal })
    const topics = names.map((name) => ({ name }))
    const body = { topics, allowAutoTopicCreation }
    const answer = await connection.request(apis.metadata, body, { signal })
    if (answer.errorCode === 0) return answer
    if (answer.errorCode === errorCodes.REBOOTSTRAP_REQUIRED) this.#pool.forgetBrokers()
    throw kafkaFailure('metadata', answer.errorCode)
  }

  #apply(answer: MetadataAnswer, reason: string): void {
    this.#brokers = answer.brokers.map(({ nodeId, host, port, rack }) => ({
      nodeId,
      host,
      port,
      rack,
    }))
    this.#pool.setBrokers(this.#brokers)
    this.#clusterId = answer.clusterId
    this.#controllerId = answer.controllerId
    for (const topic of answer.topics) {
      if (topic.name === null) continue
      const fresh = toTopic(topic.name, topic)
      if (topic.errorCode !== 0) this.#refuse(topic.name, topic.errorCode)
      // Announced, and nothing to send to yet: as during an election.
      else if (fresh.partitions.length === 0)
        this.#refuse(topic.name, errorCodes.LEADER_NOT_AVAILABLE)
      else this.#take(fresh)
    }
    this.#refreshedAtMs = this.#settings.clock.monotonicMs()
    this.#scheduleWatch()
    const { clientId } = this.#settings
    const { topics, brokers } = answer
    events.metadataRefreshed.publish({
      clientId,
      topics: topics.length,
      brokers: brokers.length,
      reason,
    })
    for (const listener of this.#changeListeners) listener()
  }

  #take(fresh: TopicMetadata): void {
    const { name } = fresh
    const known = this.#topics.get(name)
    this.#topics.set(name, mergeTopic(known, fresh))
    this.#nameById.set(fresh.id, name)
    this.#refusals.delete(name)
    if (!known || !isReplaced(known, fresh)) return
    this.#nameById.delete(known.id)
    const { clientId } = this.#settings
    events.topicReplaced.publish({ clientId, topic: name, oldId: known.id, newId: fresh.id })
    for (const listener of this.#replacedListeners) listener(name)
  }

  #refuse(name: string, errorCode: number): void {
    this.#refusals.set(name, errorCode)
    // A leader election leaves the topic where it is; only "there is none" takes it away.
    if (errorCode !== errorCodes.UNKNOWN_TOPIC_OR_PARTITION) return
    const known = this.#topics.get(name)
    if (known) this.#nameById.delete(known.id)
    this.#topics.delete(name)
  }

  #scheduleWatch(): void {
    this.#watchTimer?.cancel()
    this.#watchTimer = undefined
    if (this.#watchers === 0 || this.#isClosed) return
    const delayMs = this.#settings.maxAgeMs ?? maxAgeMs
    const fire = (): void => {
      this.requestRefresh('age')
      this.#scheduleWatch()
    }
    this.#watchTimer = this.#settings.clock.after(delayMs, fire, { unref: true })
  }
}

function toTopic(name: string, topic: MetadataAnswer['topics'][number]): TopicMetadata {
  const partitions = topic.partitions
    .map((one) => ({
      partition: one.partitionIndex,
      leader: one.leaderId,
      leaderEpoch: one.leaderEpoch,
      replicas: one.replicaNodes,
      inSync: one.isrNodes,
      offline: one.offlineReplicas,
    }))
    .toSorted((left, right) => left.partition - right.partition)
    // Looked up by position ever after; behind a hole nothing would be where it is looked for.
    .filter(({ partition }, position) => partition === position)
  return { name, id: topic.topicId, isInternal: topic.isInternal, partitions }
}
