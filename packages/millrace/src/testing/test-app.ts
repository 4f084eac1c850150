import { randomBytes } from 'node:crypto'

import {
  defineApp,
  startWorker,
  type AnyTopic,
  type AppProducer,
  type Logger,
  type MillraceConfig,
  type Runnable,
  type Sendable,
  type Sent,
  type Topic,
  type Worker,
} from '../app/index.ts'
import { openClient, type Client } from '../client/index.ts'
import { failure, isFailure } from '../errors/index.ts'
import { parseDuration, type Clock, type Duration } from '../kit/index.ts'
import { AppRecorder } from './app-recorder.ts'
import type { PausedBroker } from './broker-faults.ts'
import type { InvariantChecker } from './invariants.ts'
import { lookForOpen } from './settle.ts'
import { startTestBroker, type TestBroker } from './test-broker.ts'

export interface TestAppOptions {
  /**
   * What the same test body runs on: an embedded broker in memory (default), or the Kafka at `KAFKA_URL`, where topics
   * and groups get names of their own and are deleted at the end.
   */
  readonly engine?: 'embedded' | 'kafka'
  /** One that stands already, `host:port`, instead of either; its topics and groups keep their names. */
  readonly brokers?: readonly string[]
  /** Default: none. */
  readonly log?: Logger
  /** Started and stopped with the worker. */
  readonly runnables?: readonly Runnable[]
  /** Partitions of topics that declare no number; default 1, so that order is total. Embedded broker only. */
  readonly partitions?: number
  /** The worker's; the broker keeps real time. */
  readonly clock?: Clock
}

/** A message as it lies in a topic, value decoded by the declared topic. */
export interface TestMessage {
  readonly topic: string
  readonly partition: number
  readonly offset: number
  readonly key: string | null
  readonly value: unknown
  readonly raw: Buffer | null
  readonly headers: Readonly<Record<string, string>>
  readonly timestamp: number
}

/** @internal What `watchInvariants` reads. */
export const recorder: unique symbol = Symbol('recorder')

export interface TestApp extends AsyncDisposable {
  readonly engine: 'embedded' | 'kafka'
  /** The one that runs now; another one after `crash` and `rebalance`. */
  readonly worker: Worker
  readonly producer: AppProducer
  /** The embedded broker, which fails on demand. @throws MR_TEST_EMBEDDED_ONLY */
  readonly broker: TestBroker
  readonly brokers: readonly string[]
  readonly client: Client
  readonly send: <T extends AnyTopic | string>(topic: T, message: Sendable<T>) => Promise<Sent>
  /**
   * Waits until every message that lies in the topics of the groups is finished and committed, or its partition is
   * blocked, and nothing new has come meanwhile.
   * @throws MR_TEST_NOT_SETTLED with the state, after `timeout` (default `'10s'`)
   */
  readonly settled: (options?: { readonly timeout?: Duration }) => Promise<void>
  /** Everything a topic holds, partition by partition, in order. */
  readonly messages: (topic: AnyTopic | string) => Promise<readonly TestMessage[]>
  /** What a group would begin at; undefined for nothing committed. */
  readonly committed: (
    group: string,
    topic: AnyTopic | string,
    partition?: number,
  ) => Promise<number | undefined>
  /** A declared topic's name at the broker; another one on a shared Kafka. */
  readonly topicName: (topic: AnyTopic | string) => string
  /** Kafka's group id of a declared group. */
  readonly groupId: (group: string) => string
  /** Ends the worker as kill -9 would, with no commit and no goodbye, and starts a new one. */
  readonly crash: () => Promise<void>
  /**
   * Every partition changes its owner once, in good order, as in a deploy: a second worker joins, then the first one
   * stops. Resolves when the second one has everything.
   */
  readonly rebalance: () => Promise<void>
  /** The broker takes requests and answers none, until `resume`. @throws MR_TEST_EMBEDDED_ONLY */
  readonly pauseBroker: (options?: { readonly for?: Duration }) => PausedBroker
  /** @internal */
  readonly [recorder]: {
    readonly checker: InvariantChecker
    readonly account: () => Promise<void>
  }
}

/**
 * The application on an embedded broker in memory: everything is real but the disk. Heartbeats and fetches are quicker
 * than in production unless the configuration says otherwise, so that a rebalance takes moments.
 *
 * @example
 * await using app = await startTestApp(config)
 * await app.send(users, { value: { id: '1' } })
 * await app.settled()
 */
export async function startTestApp(
  config: MillraceConfig,
  options: TestAppOptions = {},
): Promise<TestApp> {
  await using stack = new AsyncDisposableStack()
  const place = await openPlace(options, stack)
  const names = namesOf(config, place.suffix)
  const recording = stack.use(new AppRecorder(config, names.groupId, names.topicName))
  const client = stack.use(openClient({ brokers: place.brokers, clientId: 'millrace-test' }))
  if (place.suffix !== '') stack.defer(() => removeTraces(client, place.suffix))
  const adapted = testConfig(config, place.brokers, names, recording)
  const start = (
    as: MillraceConfig,
  ): Promise<{ readonly worker: Worker; readonly number: number }> =>
    recording.start(() =>
      startWorker(as, {
        signals: false,
        createTopics: true,
        isSingleCluster: true,
        env: {},
        log: options.log ?? false,
        runnables: options.runnables ?? [],
        ...(options.clock === undefined ? {} : { clock: options.clock }),
      }),
    )
  let { worker, number } = await start(adapted)
  const owned = stack.move()
  const topics = declaredTopics(config)
  const groups = groupTopics(config, names)

  /** Groups with what they read by now: patterns and retry topics are known to the worker alone. */
  const groupsNow = (): ReadonlyMap<string, ReadonlySet<string>> => {
    const now = new Map(Array.from(groups, ([id, own]) => [id, new Set(own)]))
    for (const { group, topic } of worker.partitions)
      now.get(names.groupId(group))?.add(names.topicName(topic))
    return now
  }
  const isBlocked = (groupId: string, topic: string, partition: number): boolean =>
    worker.partitions.some(
      (own) =>
        own.partition === partition &&
        own.state.kind === 'blocked' &&
        names.groupId(own.group) === groupId &&
        names.topicName(own.topic) === topic,
    )
  const nameOf = (topic: AnyTopic | string): string =>
    names.topicName(typeof topic === 'string' ? topic : topic.name)

  return {
    engine: place.broker === undefined ? 'kafka' : 'embedded',
    get worker() {
      return worker
    },
    get producer() {
      return worker.producer
    },
    get broker() {
      if (place.broker === undefined) throw failure('MR_TEST_EMBEDDED_ONLY', { what: 'app.broker' })
      return place.broker
    },
    brokers: place.brokers,
    client,
    send: (topic, message) => worker.producer.send(topic, message),
    async settled({ timeout = '10s' } = {}) {
      const untilMs = performance.now() + (parseDuration(timeout) ?? 10_000)
      for (let before = ''; ;) {
        await recording.as(number, () => worker.commit())
        const { ends, open } = await lookForOpen(client, groupsNow(), isBlocked)
        const isQuiet = open.length === 0 && worker.producer.queued === 0
        if (isQuiet && ends === before) return
        before = isQuiet ? ends : ''
        if (performance.now() > untilMs)
          throw failure('MR_TEST_NOT_SETTLED', { open: withStates(open, worker) })
        if (!isQuiet) await new Promise((resolve) => setTimeout(resolve, 10))
      }
    },
    messages(topic) {
      const declared = typeof topic === 'string' ? topics.get(topic) : (topic as Topic)
      return readWhole(client, nameOf(topic), declared)
    },
    async committed(group, topic, partition = 0) {
      const all = await client.admin.committedOffsets(names.groupId(group))
      const name = nameOf(topic)
      const found = all.find((one) => one.topic === name && one.partition === partition)
      return found === undefined || found.offset < 0 ? undefined : found.offset
    },
    topicName: nameOf,
    groupId: names.groupId,
    async crash() {
      recording.crashed(number)
      await worker.kill()
      ;({ worker, number } = await start(adapted))
    },
    async rebalance() {
      const before = { worker, number }
      const held = before.worker.partitions.map(keyOfPartition)
      ;({ worker, number } = await start(asSecond(adapted)))
      recording.ending(before.number)
      await recording.as(before.number, () => before.worker.stop())
      await untilHeld(worker, held)
    },
    pauseBroker(pauseOptions) {
      if (place.broker === undefined)
        throw failure('MR_TEST_EMBEDDED_ONLY', { what: 'pauseBroker' })
      return place.broker.pause(pauseOptions)
    },
    async [Symbol.asyncDispose]() {
      recording.ending(number)
      await recording.as(number, () => worker[Symbol.asyncDispose]())
      await owned.disposeAsync()
    },
    [recorder]: {
      checker: recording.checker,
      async account() {
        for (const [groupId, names_] of groupsNow())
          await account(
            client,
            recording.checker,
            groupId,
            names_,
            startsLate(config, groupId, names),
          )
      },
    },
  }
}

interface Place {
  readonly brokers: readonly string[]
  readonly broker: TestBroker | undefined
  /** Keeps names apart on a broker that others use too. */
  readonly suffix: string
}

async function openPlace(options: TestAppOptions, stack: AsyncDisposableStack): Promise<Place> {
  if (options.brokers !== undefined)
    return { brokers: options.brokers, broker: undefined, suffix: '' }
  if (options.engine === 'kafka') {
    const url = process.env['KAFKA_URL'] ?? ''
    const brokers = url.split(',').flatMap((one) => one.trim().replace(/^\w+:\/\//, '') || [])
    if (brokers.length === 0) throw failure('MR_TEST_NO_KAFKA', {})
    return { brokers, broker: undefined, suffix: `-${randomBytes(4).toString('hex')}` }
  }
  const defaultPartitions = options.partitions ?? 1
  const broker = stack.use(await startTestBroker({ options: { defaultPartitions } }))
  return { brokers: [broker.address], broker, suffix: '' }
}

interface Names {
  readonly topicName: (name: string) => string
  readonly groupId: (group: string) => string
}

function namesOf(config: MillraceConfig, suffix: string): Names {
  const clientId = config.clientId ?? 'millrace'
  return {
    topicName: (name) => `${config.topicName?.(name) ?? name}${suffix}`,
    groupId: (group) => `${config.groupId?.(clientId, group) ?? `${clientId}_${group}`}${suffix}`,
  }
}

/** The configuration as it is, with names of its own where the broker is shared. */
function testConfig(
  config: MillraceConfig,
  brokers: readonly string[],
  names: Names,
  { middleware }: AppRecorder,
): MillraceConfig {
  const session = config.session === undefined ? { session: '10s', heartbeat: '200ms' } : {}
  return {
    ...session,
    ...config,
    brokers,
    fetch: { maxWait: '100ms', ...config.fetch },
    worker: { shutdownTimeout: '10s', ...config.worker },
    topicName: names.topicName,
    groupId: (_clientId, group) => names.groupId(group),
    app: defineApp({
      ...config.app,
      middleware: [middleware, ...(config.app?.middleware ?? [])],
    }),
  }
}

/** Two workers of one process share neither a port nor a static member. */
function asSecond(config: MillraceConfig): MillraceConfig {
  const { health: _health, instanceId: _instanceId, ...rest } = config
  return rest
}

function declaredTopics({ app }: MillraceConfig): ReadonlyMap<string, Topic> {
  const all = [
    ...(app?.topics ?? []),
    ...(app?.consumers ?? []).flatMap(({ topics }) => topics),
  ] as readonly Topic[]
  return new Map(all.map((topic) => [topic.name, topic]))
}

function groupTopics(
  { app }: MillraceConfig,
  names: Names,
): ReadonlyMap<string, ReadonlySet<string>> {
  const groups = new Map<string, Set<string>>()
  for (const { group, topics } of app?.consumers ?? []) {
    const id = names.groupId(group)
    const own = groups.get(id) ?? new Set()
    for (const { name } of topics) own.add(names.topicName(name))
    groups.set(id, own)
  }
  return groups
}

/** A group that does not begin at the beginning has passed what lay there. */
function startsLate({ app }: MillraceConfig, groupId: string, names: Names): boolean {
  return (app?.consumers ?? []).some(({ group, settings }) => {
    if (names.groupId(group) !== groupId) return false
    const start = settings.start ?? app?.groups?.[group]?.start ?? app?.defaults?.start
    return start !== undefined && start !== 'earliest'
  })
}

/** What holds the partitions that are not done, for the error. */
function withStates(open: readonly string[], worker: Worker): readonly string[] {
  const held = worker.partitions.flatMap(({ group, topic, partition, state, jobs }) => {
    if (jobs.length > 0) return jobs.map((job) => `${group} ${topic}/${partition}: ${job}`)
    return state.kind === 'paused'
      ? [`${group} ${topic}/${partition}: paused, ${state.reason}`]
      : []
  })
  const queued = worker.producer.queued
  return [...open, ...held, ...(queued > 0 ? [`${queued} messages are enqueued`] : [])]
}

function keyOfPartition({
  group,
  topic,
  partition,
}: {
  readonly group: string
  readonly topic: string
  readonly partition: number
}): string {
  return `${group} ${topic}/${partition}`
}

async function untilHeld(worker: Worker, wanted: readonly string[]): Promise<void> {
  const untilMs = performance.now() + 30_000
  for (;;) {
    const held = new Set(worker.partitions.map(keyOfPartition))
    const missing = wanted.filter((key) => !held.has(key))
    if (missing.length === 0) return
    if (performance.now() > untilMs)
      throw failure('MR_TEST_NOT_SETTLED', { open: missing.map((key) => `${key}: has no owner`) })
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}

async function readWhole(
  client: Client,
  name: string,
  declared: Topic | undefined,
): Promise<readonly TestMessage[]> {
  const found: TestMessage[] = []
  const [described] = await client.admin.describeTopics([name])
  if (described?.error !== undefined) return found
  await using reader = client.reader({ topics: [name], from: 'earliest', to: 'end' })
  for await (const message of reader) {
    const { partition, offset, key, value, headers, timestamp } = message
    found.push({
      topic: name,
      partition,
      offset,
      key: key?.toString() ?? null,
      value:
        declared === undefined ? value?.toString() : await declared.decodeValue(value, message),
      raw: value,
      headers: Object.fromEntries(headers.map(([own, text]) => [own, text?.toString() ?? ''])),
      timestamp,
    })
  }
  return found.toSorted(
    (left, right) => left.partition - right.partition || left.offset - right.offset,
  )
}

async function account(
  client: Client,
  checker: InvariantChecker,
  groupId: string,
  topics: ReadonlySet<string>,
  fromFirstSeen: boolean,
): Promise<void> {
  const committed = await client.admin.committedOffsets(groupId)
  for (const { topic, partition, offset } of committed) {
    if (offset <= 0 || !topics.has(topic)) continue
    const offsets: number[] = []
    const partitions = [{ topic, partition }]
    await using reader = client.reader({ partitions, from: 'earliest', to: offset })
    for await (const message of reader) offsets.push(message.offset)
    checker.accounted({ groupId, topic, partition }, offset, offsets, { fromFirstSeen })
  }
}

async function removeTraces({ admin }: Client, suffix: string): Promise<void> {
  try {
    const groups = (await admin.listGroups()).map(({ groupId }) => groupId)
    await admin.deleteGroups(groups.filter((groupId) => groupId.endsWith(suffix)))
    const topics = (await admin.describeTopics()).map(({ name }) => name)
    await admin.deleteTopics(topics.filter((name) => name.endsWith(suffix)))
  } catch (error) {
    // A cluster that is gone by now keeps nothing that could be removed.
    if (!isFailure(error)) throw error
  }
}
