import { inspect } from 'node:util'
import {
  openClient,
  type Client,
  type ClientOptions,
  type SendResult,
} from '../../packages/millrace/src/client/index.ts'
import type { Clock } from '../../packages/millrace/src/kit/index.ts'
import { openEngine, engineName, type Engine, type EngineName } from './engine.ts'
import { readLog, type PartitionContent } from './read-log.ts'
import { createTopics, deleteTopics, type ScenarioTopic } from './topics.ts'
import { unique } from './unique.ts'
import { until } from './until.ts'

export interface ScenarioOptions {
  /** By the names that the scenario uses; the broker sees unique ones (`topic(name)`). */
  readonly topics?: Readonly<Record<string, ScenarioTopic>>
  /** The embedded broker keeps its data on disk, so that `engine.restart()` works. */
  readonly isDurable?: boolean
  /** The embedded broker's clock. */
  readonly clock?: Clock
  readonly client?: Omit<ClientOptions, 'brokers'>
  /** Why an engine cannot run this; the reason is printed and the file passes. */
  readonly skipOn?: Partial<Readonly<Record<EngineName, string>>>
  /** Of the whole scenario, in milliseconds; default 60 s. */
  readonly deadline?: number
}

/** A message by the scenario's names. */
export interface ScenarioMessage {
  readonly partition?: number
  readonly key?: Buffer | string | null
  readonly value: Buffer | string | null
  readonly headers?: readonly (readonly [string, Buffer | string | null])[]
  readonly timestamp?: number
}

/** Every member is safe to take apart. */
export interface Scenario {
  readonly engine: Engine
  /** Bootstrap addresses, for whatever else connects. */
  readonly brokers: readonly string[]
  /** One client, closed at the end. */
  readonly client: Client
  /** Another client of the same cluster, closed at the end. */
  readonly openClient: (options?: Omit<ClientOptions, 'brokers'>) => Client
  /** The broker's name of a topic. */
  readonly topic: (name: string) => string
  /** A group id nobody has used. */
  readonly group: (name: string) => string
  /** Sends in order through one producer, all at once; resolves when all are acknowledged. */
  readonly send: (
    topic: string,
    messages: readonly ScenarioMessage[],
  ) => Promise<readonly SendResult[]>
  /** What the broker holds in a partition, read without the client's own reader. */
  readonly log: (topic: string, partition?: number) => Promise<PartitionContent>
  readonly until: typeof until
  /** State to print when the scenario fails. */
  readonly watch: (what: string, state: () => unknown) => void
}

const defaultDeadlineMs = 60_000
const leakGraceMs = 5_000

/**
 * Runs one scenario as the whole process: a file is a process is a promise, and the exit code is the verdict.
 * Names are unique for each run, everything is closed at the end, and a scenario that fails prints the state it
 * was asked to watch.
 */
export async function scenario(
  options: ScenarioOptions,
  run: (scenario: Scenario) => Promise<void>,
): Promise<void> {
  const reason = options.skipOn?.[engineName]
  if (reason !== undefined) {
    console.log(`skipped on ${engineName}: ${reason}`)
    return
  }
  const watched = new Map<string, () => unknown>()
  try {
    await withDeadline(options.deadline ?? defaultDeadlineMs, runOn(options, watched, run))
  } catch (error) {
    console.error(error)
    for (const [what, state] of watched) console.error(`${what}:`, inspect(state(), { depth: 6 }))
    process.exitCode = 1
  }
  reportLeaks()
}

async function runOn(
  options: ScenarioOptions,
  watched: Map<string, () => unknown>,
  run: (scenario: Scenario) => Promise<void>,
): Promise<void> {
  await using engine = await openEngine(options)
  await using clients = new AsyncDisposableStack()
  const open = (clientOptions: Omit<ClientOptions, 'brokers'> = {}): Client =>
    clients.use(openClient({ brokers: engine.brokers, ...clientOptions }))
  const client = open(options.client)

  const topics = Object.fromEntries(
    Object.entries(options.topics ?? {}).map(([name, topic]) => [unique(name), topic]),
  )
  await createTopics(client, topics)
  if (engine.name === 'kafka') {
    clients.defer(async () => {
      await using last = openClient({ brokers: engine.brokers })
      await deleteTopics(last, Object.keys(topics))
    })
  }

  const producer = client.producer()
  await run({
    engine,
    brokers: engine.brokers,
    client,
    openClient: open,
    topic: unique,
    group: unique,
    send: (name, messages) =>
      Promise.all(messages.map((message) => producer.send({ topic: unique(name), ...message }))),
    log: (name, partition = 0) => readLog(client, unique(name), partition),
    until,
    watch: (what, state) => void watched.set(what, state),
  })
}

async function withDeadline(deadlineMs: number, work: Promise<void>): Promise<void> {
  const { promise, reject } = Promise.withResolvers<never>()
  const timer = setTimeout(() => {
    reject(new Error(`the scenario did not end within ${deadlineMs} ms`))
  }, deadlineMs)
  try {
    await Promise.race([work, promise])
  } finally {
    clearTimeout(timer)
  }
}

/** A scenario that has closed everything ends by itself; one that has not says what holds it, and fails. */
function reportLeaks(): void {
  setTimeout(() => {
    console.error('still open after the end:', process.getActiveResourcesInfo())
    process.exit(1)
  }, leakGraceMs).unref()
}
