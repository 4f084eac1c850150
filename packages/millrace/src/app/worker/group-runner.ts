import { hostname } from 'node:os'

import type {
  DirectAssignment,
  Client,
  GroupMember,
  GroupOptions,
  OwnedPartition,
} from '../../client/index.ts'
import { failure, type MillraceError } from '../../errors/index.ts'
import { parseDuration, sleep, type Clock, type Timer } from '../../kit/index.ts'
import { events } from '../../telemetry/index.ts'
import { mainCluster } from '../clusters/index.ts'
import type { ResolvedConfig } from '../config/resolve-config.ts'
import type { Start } from '../consumer/define-consumer.ts'
import type { ConsumerPlan } from '../consumer/plan.ts'
import { Committer } from '../offsets/committer.ts'
import type { OwnerEnvironment } from '../owner/environment.ts'
import { PartitionOwner } from '../owner/partition-owner.ts'
import { isPattern, matchTopics, routeOf } from '../patterns/index.ts'
import type { Topic } from '../topic/define-topic.ts'

/** A handler that ignores its aborted signal is left behind after this. */
const graceMs = 1000
/** How much longer than the drain the group waits: for the grace, the hook and the commit. */
const drainMarginMs = 5000
/** One look for topics; with the brokers away the group joins meanwhile, and looks again. */
const lookTimeoutMs = 5000
/** Half of Kafka's default offsets.retention.minutes. */
const recommitAfterMs = 3.5 * 24 * 3_600_000

export type WorkerEnvironment = Omit<OwnerEnvironment, 'commit' | 'onMarked'> & {
  /** Sees an owner before it starts, and may pause it. */
  readonly adopt?: (owner: PartitionOwner) => void
  /** How often topics that match a pattern are looked for; default the setting. */
  readonly patternIntervalMs?: number
}

/** One group of the worker: its member, and an owner for each partition that it holds. */
export class GroupRunner {
  /** Where positions are kept. */
  readonly groupId: string
  /** False for assigned partitions whose positions nobody keeps. */
  readonly keepsPositions: boolean
  readonly group: string
  readonly plans: readonly ConsumerPlan[]
  /** Where this member is; the topics of other clusters have their own. */
  readonly cluster: string
  readonly #resolved: ResolvedConfig
  readonly #env: OwnerEnvironment
  readonly #adopt: WorkerEnvironment['adopt']
  readonly #patternIntervalMs: number
  readonly #clock: Clock
  readonly #drainMs: number
  readonly #owners = new Map<OwnedPartition, PartitionOwner>()
  readonly #consumerByTopic = new Map<
    string,
    { readonly plan: ConsumerPlan; readonly topic: Topic }
  >()
  readonly #patterns: { readonly plan: ConsumerPlan; readonly topic: Topic }[] = []
  /** Topics that the group reads without a pattern. */
  readonly #readByName: ReadonlySet<string>
  #patternWatch: Disposable | undefined
  readonly #committer: Committer
  readonly #onFatal: (error: MillraceError) => void
  #member: GroupMember | DirectAssignment | undefined
  #commitTimeoutMs: number | undefined
  #isQuiet = false
  #isFinishing = false

  constructor(
    plans: readonly ConsumerPlan[],
    resolved: ResolvedConfig,
    env: WorkerEnvironment,
    onFatal: (error: MillraceError) => void,
    cluster: string = mainCluster,
  ) {
    const first = plans[0] as ConsumerPlan
    this.plans = plans
    this.cluster = cluster
    this.keepsPositions = first.assignment === undefined || first.assignment.groupId !== undefined
    this.groupId = first.assignment?.groupId ?? first.groupId
    this.group = first.group
    this.#resolved = resolved
    this.#clock = env.clock
    this.#onFatal = onFatal
    this.#drainMs = resolved.options['rebalance.drain']
    for (const plan of plans)
      for (const topic of plan.topics.filter((one) => resolved.clusterOf(one) === cluster)) {
        if (isPattern(topic)) this.#patterns.push({ plan, topic })
        else this.#consumerByTopic.set(resolved.wireName(topic.name), { plan, topic })
      }
    this.#readByName = new Set(
      Array.from(this.#consumerByTopic.values(), ({ topic }) => topic.name),
    )
    this.#committer = new Committer(
      env.clock,
      { intervalMs: first.commitIntervalMs, every: first.commitEvery, recommitAfterMs },
      { commit: (entries) => this.#commit(entries) },
      () => this.#owners.values(),
    )
    this.#adopt = env.adopt
    this.#patternIntervalMs = env.patternIntervalMs ?? resolved.options['patterns.interval']
    this.#env = {
      ...env,
      commit: (owner) => this.#committer.commit([owner]),
      onMarked: () => this.#committer.onMarked(),
    }
  }

  get owners(): Iterable<PartitionOwner> {
    return this.#owners.values()
  }

  get topics(): readonly string[] {
    return [...this.#consumerByTopic.keys()]
  }

  /** What the member is doing, for status and health. */
  get state(): string {
    return this.#member?.state ?? 'not joined'
  }

  /** Begins to join; the promise resolves with the first assignment, and rejects when the group cannot be joined. */
  async join(client: Client): Promise<void> {
    const { assignment } = this.plans[0] as ConsumerPlan
    if (assignment === undefined) {
      // The topics that are there already are worth one join, not two.
      if (this.#patterns.length > 0) await this.#findTopics(client)
      if (this.#isFinishing) return
      const member = this.#joined(client)
      this.#member = member
      if (this.#patterns.length > 0) this.#watchTopics(client, member)
    } else this.#member = this.#assignedBy(client)
    this.#committer.start()
    await this.#member.ready()
  }

  /** Looks for topics that match, and takes what came since. */
  async #findTopics(client: Client): Promise<void> {
    const { declaredName, wireName } = this.#resolved
    try {
      const all = await client.admin.describeTopics(undefined, { timeoutMs: lookTimeoutMs })
      const found = all.flatMap((topic) => {
        const name = declaredName(topic.name)
        return name === undefined ? [] : [{ name, isInternal: topic.isInternal }]
      })
      for (const route of matchTopics(this.#patterns, found, this.#readByName)) {
        const name = wireName(route.name)
        if (this.#consumerByTopic.has(name)) continue
        const topic = routeOf(route.source, route.name, route.match)
        this.#consumerByTopic.set(name, { plan: route.plan, topic })
        const { group } = this
        events.topicMatched.publish({ group, pattern: route.source.name, topic: route.name })
      }
    } catch (error) {
      // The next look asks again; whether the brokers answer is told elsewhere.
      events.error.publish({ type: 'patterns', error })
    }
  }

  #watchTopics(client: Client, member: GroupMember): void {
    let timer: Timer | undefined
    let isOver = false
    const look = async (): Promise<void> => {
      await this.#findTopics(client)
      if (isOver) return
      member.subscribe(this.topics)
      arm()
    }
    const arm = (): void => {
      timer = this.#clock.after(this.#patternIntervalMs, () => void look(), { unref: true })
    }
    arm()
    this.#patternWatch = {
      [Symbol.dispose]() {
        isOver = true
        timer?.cancel()
      },
    }
  }

  #joined(client: Client): GroupMember {
    const { options } = this.#resolved
    const instanceId = options.instanceId
    return client.joinGroup({
      ...this.#reading(),
      groupId: this.groupId,
      topics: this.topics,
      mayBeEmpty: this.#patterns.length > 0,
      sessionTimeoutMs: options.session,
      heartbeatIntervalMs: options.heartbeat,
      drainMs: this.#drainMs + drainMarginMs,
      rebalanceTimeoutMs: this.#drainMs + 30_000,
      ...(instanceId === undefined ? {} : { instanceId: instanceIdOf(instanceId) }),
      onAssigned: (partitions) => this.#assigned(partitions),
      onRevoked: (partitions) => this.#revoked(partitions),
      onLost: (partitions) => this.#lost(partitions),
      onError: (error, isFatal) => {
        if (isFatal) this.#onFatal(error)
        else events.error.publish({ type: 'group', error })
      },
    })
  }

  #assignedBy(client: Client): DirectAssignment {
    const { assignment } = this.plans[0] as ConsumerPlan
    const topics = Array.from(this.#consumerByTopic, ([wireName, { topic }]) => [
      wireName,
      assignment?.partitionsByTopic.get(topic.name) ?? 'all',
    ])
    return client.assign({
      ...this.#reading(),
      topics: Object.fromEntries(topics) as Record<string, readonly number[] | 'all'>,
      groupId: assignment?.groupId,
      drainMs: this.#drainMs + drainMarginMs,
      onAssigned: (partitions) => this.#assigned(partitions),
      onReleased: (partitions) => this.#revoked(partitions),
      onError: (error) => events.error.publish({ type: 'assignment', error }),
    })
  }

  /** How partitions are read, however they come. */
  #reading(): Pick<GroupOptions, 'start' | 'outOfRange' | 'isolation' | 'fetch'> {
    const { options } = this.#resolved
    const { start, outOfRange, isolation } = this.plans[0] as ConsumerPlan
    return {
      start: startPolicy(start, this.#clock.now()),
      outOfRange,
      isolation,
      fetch: {
        maxBytes: options['fetch.maxBytes'],
        perPartitionBytes: options['fetch.perPartition'],
        bufferedBytes: options['fetch.buffered'],
        minBytes: options['fetch.minBytes'],
        maxWaitMs: options['fetch.maxWait'],
      },
    }
  }

  quiet(): void {
    this.#isQuiet = true
    for (const owner of this.#owners.values()) owner.quiet()
  }

  /** Ends all owners; resolves when their handlers are done or given up, and their hooks have run. */
  async finish(abortAfterMs: number, giveUpMs: number): Promise<void> {
    this.#isFinishing = true
    this.#patternWatch?.[Symbol.dispose]()
    const owners = [...this.#owners.values()]
    await Promise.all(owners.map((owner) => owner.end('shutdown', abortAfterMs, giveUpMs)))
  }

  commit(): Promise<boolean> {
    return this.#committer.commit(this.#owners.values())
  }

  /** The last commit, some tries within `timeoutMs`. */
  async commitFinally(timeoutMs: number): Promise<boolean> {
    this.#committer.stop()
    this.#commitTimeoutMs = Math.max(1, timeoutMs / 3)
    const limit = new AbortController()
    const late = sleep(this.#clock, timeoutMs, limit.signal)
    try {
      // A commit that was under way already may wait for brokers that are away.
      return await Promise.race([
        this.#committer.commitFinally(this.#owners.values(), limit.signal),
        late.then(() => false),
      ])
    } finally {
      limit.abort(new Error('done'))
    }
  }

  async leave(timeoutMs: number): Promise<void> {
    this.#isFinishing = true
    this.#patternWatch?.[Symbol.dispose]()
    this.#committer.stop()
    await this.#member?.close({ timeoutMs })
    for (const owner of this.#owners.values()) owner.release()
    this.#owners.clear()
  }

  async #assigned(partitions: readonly OwnedPartition[]): Promise<void> {
    // They go to somebody else in a moment, when this member leaves.
    if (this.#isFinishing) return
    const starting = partitions.flatMap((source) => {
      const known = this.#consumerByTopic.get(source.topic)
      if (known === undefined) return []
      const owner = new PartitionOwner(known.plan, known.topic, source, this.#env)
      this.#owners.set(source, owner)
      if (this.#isQuiet) owner.quiet()
      this.#adopt?.(owner)
      return [owner.start()]
    })
    await Promise.all(starting)
  }

  async #revoked(partitions: readonly OwnedPartition[]): Promise<void> {
    const owners = partitions.flatMap((source) => this.#owners.get(source) ?? [])
    await Promise.all(owners.map((owner) => owner.end('revoked', this.#drainMs, graceMs)))
    await this.#committer.commit(owners)
    this.#release(partitions)
  }

  /** Nothing can be committed, so nobody waits for handlers: they are told, and left behind. */
  async #lost(partitions: readonly OwnedPartition[]): Promise<void> {
    const owners = partitions.flatMap((source) => this.#owners.get(source) ?? [])
    await Promise.all(owners.map((owner) => owner.end('lost', 0, graceMs)))
    this.#release(partitions)
  }

  #release(partitions: readonly OwnedPartition[]): void {
    for (const source of partitions) {
      this.#owners.get(source)?.release()
      this.#owners.delete(source)
    }
  }

  #commit(
    entries: readonly {
      readonly partition: unknown
      readonly offset: number
      readonly metadata: string
    }[],
  ): Promise<readonly ('committed' | 'fenced')[]> {
    if (this.#member === undefined) throw failure('MR_GROUP_CLOSED', { groupId: this.groupId })
    const positions = entries.map(({ partition, offset, metadata }) => ({
      partition: partition as OwnedPartition,
      offset,
      metadata,
    }))
    const timeoutMs = this.#commitTimeoutMs
    return this.#member.commit(positions, timeoutMs === undefined ? {} : { timeoutMs })
  }
}

function startPolicy(
  start: Start,
  nowMs: number,
): 'earliest' | 'latest' | 'fail' | { readonly timestampMs: number } {
  if (start === 'earliest' || start === 'latest' || start === 'fail') return start
  if (start instanceof Date) return { timestampMs: start.getTime() }
  return { timestampMs: nowMs - (parseDuration(start.slice(1)) ?? 0) }
}

function instanceIdOf(written: string): string {
  // `hostname-mail-1` is what a scale file makes of it.
  return written.replace(/^hostname(?=$|-)/, process.env['HOSTNAME'] ?? hostname())
}
