import assert from 'node:assert/strict'
import { openClient, type Client } from '../../packages/millrace/src/client/index.ts'
import {
  apis,
  type AnyApi,
  type RequestInput,
  type ResponseOf,
} from '../../packages/millrace/src/protocol/index.ts'
import { openEngine, openSecondEngine, type Engine } from '../harness/engine.ts'
import { createTopics } from '../harness/topics.ts'
import { unique } from '../harness/unique.ts'
import { until } from '../harness/until.ts'
import { differencesOf } from './differences.ts'
import { otherAnswers, otherValues } from './engine-differences.ts'
import { mask } from './mask.ts'

/** One of the two engines, and what the script remembers of it. */
export interface Side {
  readonly name: 'kafka' | 'embedded'
  readonly brokers: readonly string[]
  readonly client: Client
  readonly memory: Map<string, string>
}

export interface AskOptions<A extends AnyApi> {
  /** Default: every version that both engines offer. */
  readonly versions?: readonly number[]
  /** Takes out of an answer what may differ for a reason that `docs/reference/engines.md` states. */
  readonly relax?: (answer: ResponseOf<A>, version: number) => unknown
  /** Called with each answer, to remember what the next question needs. */
  readonly keep?: (answer: ResponseOf<A>, side: Side, version: number) => void
}

const meant = [...otherValues, ...otherAnswers].flatMap(({ seen }) => seen ?? [])

interface Counts {
  requests: number
  fields: number
  explained: number
}

export type Sides = readonly [kafka: Side, embedded: Side]

export interface BothEngines extends AsyncDisposable {
  readonly sides: Sides
  /** Asks both the same, version by version, and notes where the masked answers differ. */
  readonly ask: <A extends AnyApi>(
    what: string,
    api: A,
    body: (version: number, side: Side) => RequestInput<A>,
    options?: AskOptions<A>,
  ) => Promise<void>
  /** Fails with every difference since the last call. */
  readonly assertAlike: () => void
}

/** Apache Kafka, which stands already, and an embedded broker beside it; both with the topic of `topic`. */
export async function openBoth(topic: {
  readonly name: string
  readonly numPartitions: number
}): Promise<BothEngines> {
  const engines: readonly [Engine, Engine] = [await openEngine(), await openSecondEngine()]
  const sides: Sides = [sideOf(engines[0]), sideOf(engines[1])]
  for (const side of sides) await prepare(side, topic)
  let differences: string[] = []
  const counts: Counts = { requests: 0, fields: 0, explained: 0 }
  return {
    sides,
    async ask(what, api, body, options = {}) {
      differences.push(...(await compare(sides, what, api, body, options, counts)))
    },
    assertAlike() {
      const found = differences.filter((line) => !meant.some((pattern) => pattern.test(line)))
      counts.explained += differences.length - found.length
      differences = []
      if (found.length > 0) assert.fail(`the engines differ:\n${found.join('\n')}`)
    },
    async [Symbol.asyncDispose]() {
      const { requests, fields, explained } = counts
      if (requests > 0)
        console.log(
          `${requests} requests to both engines, ${fields} fields of their answers compared, ${explained} differences explained`,
        )
      for (const { client } of sides) await client.close()
      for (const engine of engines) await engine[Symbol.asyncDispose]()
    },
  }
}

async function compare<A extends AnyApi>(
  sides: Sides,
  what: string,
  api: A,
  body: (version: number, side: Side) => RequestInput<A>,
  options: AskOptions<A>,
  counts: Counts,
): Promise<readonly string[]> {
  const versions = options.versions ?? (await sharedVersions(sides, api))
  assert.ok(versions.length > 0, `${api.name}: no version is shared`)
  const versionsByDifference = new Map<string, number[]>()
  for (const version of versions) {
    const [kafka, embedded] = await Promise.all(
      sides.map(async (side) => {
        const connection = await side.client.connections.connect('any', 'data')
        const answer = await connection.request(api, body(version, side), {
          minVersion: version,
          maxVersion: version,
        })
        options.keep?.(answer, side, version)
        return mask(options.relax === undefined ? answer : options.relax(answer, version))
      }),
    )
    counts.requests++
    counts.fields += fieldsIn(kafka)
    for (const difference of differencesOf(kafka, embedded)) {
      const known = versionsByDifference.get(difference)
      if (known) known.push(version)
      else versionsByDifference.set(difference, [version])
    }
  }
  return Array.from(
    versionsByDifference,
    ([difference, list]) => `  ${api.name} v${list.join(',')}, ${what}: ${difference}`,
  )
}

/** How many values an answer holds. */
function fieldsIn(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 1
  return Object.values(value).reduce<number>((sum, one) => sum + fieldsIn(one), 0)
}

function sideOf({ name, brokers }: Engine): Side {
  return { name, brokers, client: openClient({ brokers }), memory: new Map() }
}

async function prepare(
  { client, memory }: Side,
  topic: { readonly name: string; readonly numPartitions: number },
): Promise<void> {
  await createTopics(client, { [topic.name]: { partitions: topic.numPartitions } })
  const connection = await client.connections.connect('any', 'data')
  const { topics } = await connection.request(apis.metadata, { topics: [{ name: topic.name }] })
  memory.set(topic.name, topics[0]?.topicId ?? '')
}

/** A fresh Kafka first makes `__consumer_offsets`, and answers 15 or 16 until it has. */
export async function coordinatorsReady(sides: Sides): Promise<void> {
  const groupId = unique('ready')
  for (const { name, client } of sides) {
    await until(`the coordinator of ${name} is there`, async () => {
      const connection = await client.connections.connect('any', 'data')
      await connection.request(apis.findCoordinator, { key: groupId, coordinatorKeys: [groupId] })
      const answer = await connection.request(apis.heartbeat, {
        groupId,
        generationId: 1,
        memberId: 'x',
      })
      return answer.errorCode === 25
    })
  }
}

/** The versions of an API that both engines offer and we can speak. */
export async function sharedVersions(
  sides: Sides,
  api: AnyApi,
  from = 0,
): Promise<readonly number[]> {
  const [least, greatest] = [Math.max(from, api.versions[0]), api.versions[1]]
  const versions = Array.from({ length: greatest - least + 1 }, (_, index) => least + index)
  const connections = await Promise.all(
    sides.map(({ client }) => client.connections.connect('any', 'data')),
  )
  return versions.filter((version) =>
    connections.every(
      (connection) =>
        connection.versionOf(api, { minVersion: version, maxVersion: version }) === version,
    ),
  )
}

/** Rows of a list by a name, for answers whose order is nobody's promise. */
export function sorted<T>(rows: readonly T[], nameOf: (row: T) => string): readonly T[] {
  return rows.toSorted((left, right) => (nameOf(left) < nameOf(right) ? -1 : 1))
}
