import {
  startWorker,
  type AppProducer,
  type Logger,
  type MillraceConfig,
  type Runnable,
  type Sent,
  type Sendable,
  type AnyTopic,
  type Topic,
  type Worker,
} from '../app/index.ts'
import type { Broker } from '../broker/index.ts'
import { openClient, type Client } from '../client/index.ts'
import { failure } from '../errors/index.ts'
import { parseDuration, type Duration } from '../kit/index.ts'
import { startTestBroker } from './test-broker.ts'

export interface TestAppOptions {
  /** Instead of an embedded broker in memory: one that stands already, `host:port`. */
  readonly brokers?: readonly string[]
  /** Default: none. */
  readonly log?: Logger
  /** Started and stopped with the worker. */
  readonly runnables?: readonly Runnable[]
  /** Partitions of topics that declare no number; default 1, so that order is total. */
  readonly partitions?: number
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
}

export interface TestApp extends AsyncDisposable {
  readonly worker: Worker
  readonly producer: AppProducer
  /** The embedded broker; undefined with `brokers`. */
  readonly broker: Broker | undefined
  readonly client: Client
  readonly send: <T extends AnyTopic | string>(topic: T, message: Sendable<T>) => Promise<Sent>
  /**
   * Waits until every message that lies in the topics of the groups is finished and committed, or its partition is
   * blocked. @throws MR_TEST_NOT_SETTLED with the state, after `timeout` (default `'10s'`)
   */
  readonly settled: (options?: { readonly timeout?: Duration }) => Promise<void>
  /** Everything a topic holds, partition by partition, in order. */
  readonly messages: (topic: AnyTopic | string) => Promise<readonly TestMessage[]>
  /** Ends the worker as kill -9 would, with no commit and no goodbye, and starts a new one. */
  readonly crash: () => Promise<void>
}

/**
 * The application on an embedded broker in memory: everything is real but the disk.
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
  const broker =
    options.brokers === undefined
      ? stack.use(
          await startTestBroker({ options: { defaultPartitions: options.partitions ?? 1 } }),
        )
      : undefined
  const brokers = options.brokers ?? [broker?.address ?? '']
  const start = (): Promise<Worker> =>
    startWorker(
      {
        ...config,
        brokers,
        fetch: { maxWait: '100ms', ...config.fetch },
        worker: { shutdownTimeout: '10s', ...config.worker },
      },
      {
        signals: false,
        createTopics: true,
        env: {},
        log: options.log ?? false,
        runnables: options.runnables ?? [],
      },
    )
  const client = stack.use(openClient({ brokers, clientId: 'millrace-test' }))
  let worker = await start()
  const owned = stack.move()
  const topics = new Map(
    (config.app?.consumers ?? []).flatMap((one) =>
      one.topics.map((topic) => [topic.name, topic] as const),
    ),
  )
  const groupsOf = new Map<string, Set<string>>()
  for (const { group, topics: consumed } of config.app?.consumers ?? []) {
    const groupId =
      config.groupId?.(config.clientId ?? 'millrace', group) ??
      `${config.clientId ?? 'millrace'}_${group}`
    const names = groupsOf.get(groupId) ?? new Set()
    for (const { name } of consumed) names.add(config.topicName?.(name) ?? name)
    groupsOf.set(groupId, names)
  }

  return {
    get worker() {
      return worker
    },
    get producer() {
      return worker.producer
    },
    broker,
    client,
    send: (topic, message) => worker.producer.send(topic, message),
    async settled({ timeout = '10s' } = {}) {
      const untilMs = Date.now() + (parseDuration(timeout) ?? 10_000)
      for (;;) {
        const open = await unfinished(client, worker, groupsOf)
        if (open.length === 0) return
        if (Date.now() > untilMs) throw failure('MR_TEST_NOT_SETTLED', { open })
        await new Promise((resolve) => setTimeout(resolve, 10))
      }
    },
    async messages(topic) {
      const name = typeof topic === 'string' ? topic : topic.name
      const declared = typeof topic === 'string' ? topics.get(topic) : (topic as Topic)
      return readTopic(client, config.topicName?.(name) ?? name, declared)
    },
    async crash() {
      await worker.kill()
      worker = await start()
    },
    async [Symbol.asyncDispose]() {
      await worker[Symbol.asyncDispose]()
      await owned.disposeAsync()
    },
  }
}

/** What still keeps the app busy, a line a partition. */
async function unfinished(
  client: Client,
  worker: Worker,
  groupsOf: ReadonlyMap<string, ReadonlySet<string>>,
): Promise<readonly string[]> {
  await worker.commit()
  const blocked = new Set(
    worker.partitions.flatMap(({ topic, partition, state }) =>
      state.kind === 'blocked' ? [`${topic}/${partition}`] : [],
    ),
  )
  const open: string[] = []
  for (const [groupId, names] of groupsOf) {
    const described = await client.admin.describeTopics([...names])
    const queries = described.flatMap(({ name, partitions }) =>
      partitions.map(({ partition }) => ({ topic: name, partition, at: 'latest' as const })),
    )
    const ends = await client.admin.listOffsets(queries)
    const committed = await client.admin.committedOffsets(groupId)
    for (const { topic, partition, offset } of ends) {
      if (offset <= 0 || blocked.has(`${topic}/${partition}`)) continue
      const own = committed.find((one) => one.topic === topic && one.partition === partition)
      if ((own?.offset ?? -1) < offset)
        open.push(`${groupId} ${topic}/${partition}: ${own?.offset ?? 'none'} of ${offset}`)
    }
  }
  return open
}

async function readTopic(
  client: Client,
  name: string,
  declared: Topic | undefined,
): Promise<readonly TestMessage[]> {
  const found: TestMessage[] = []
  const [described] = await client.admin.describeTopics([name])
  if (described?.error !== undefined) return found
  await using reader = client.reader({ topics: [name], from: 'earliest', to: 'end' })
  for await (const message of reader) {
    const { partition, offset, key, value, headers } = message
    found.push({
      topic: name,
      partition,
      offset,
      key: key?.toString() ?? null,
      value:
        declared === undefined ? value?.toString() : await declared.decodeValue(value, message),
      raw: value,
      headers: Object.fromEntries(headers.map(([own, text]) => [own, text?.toString() ?? ''])),
    })
  }
  return found.toSorted(
    (left, right) => left.partition - right.partition || left.offset - right.offset,
  )
}
