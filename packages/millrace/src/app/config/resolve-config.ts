import { resolveOptions, type OptionValues } from '../../config/index.ts'
import { failure } from '../../errors/index.ts'
import { nearest } from '../../kit/index.ts'
import {
  clusterFinder,
  letterClusterFaults,
  mainCluster,
  planClusters,
  topicClusterFaults,
  type ClusterPlan,
} from '../clusters/index.ts'
import type { ConsumerDefinition } from '../consumer/define-consumer.ts'
import { settingFaults, topicOptionFaults } from '../consumer/known-names.ts'
import { planConsumer } from '../consumer/plan-consumer.ts'
import type { ConsumerPlan } from '../consumer/plan.ts'
import { deadLetterCycleFaults, lettersOfApp, rawIfUndeclared } from '../dead-letter/index.ts'
import { assignPlans, mixedGroupFaults, type AssignedTopic } from '../assignment/index.ts'
import { defineApp, type AppDefinition } from '../define-app.ts'
import { middlewareFaults } from '../middleware/validate.ts'
import { isPattern, mapperFaults } from '../patterns/index.ts'
import { responderOf } from '../responder/responder.ts'
import { responderFaults } from '../responder/validate.ts'
import { topicsOfRecurring } from '../recurring/records.ts'
import { recurringFaults } from '../recurring/validate.ts'
import { scheduleFaults } from '../schedule/validate.ts'
import type { AnyTopic, Topic } from '../topic/define-topic.ts'
import { topicNameFaults } from '../topic/names.ts'
import { withTracing } from '../tracing/index.ts'
import { chosenConsumers, type Selection } from './choose-consumers.ts'
import type { MillraceConfig } from './define-config.ts'
import { appOptions } from './options.ts'

export interface ConfigSources extends Selection {
  readonly flags?: Readonly<Record<string, unknown>>
  readonly env?: Readonly<Record<string, string | undefined>>
  /** What brokers see as the client's id, where one process of several has a name of its own. Default `clientId`. */
  readonly memberName?: string
  /** Only the consumers of these topics, with these partitions, which no group spreads. */
  readonly assign?: readonly AssignedTopic[]
  /** All topics on the main cluster, as under `millrace dev`. */
  readonly isSingleCluster?: boolean
}

/** A configuration that has passed validation, everything resolved. */
export interface ResolvedConfig {
  readonly options: OptionValues<typeof appOptions>
  /** What brokers see as the client's id; groups are named by `options.clientId`. */
  readonly clientName: string
  /** Of the main cluster. */
  readonly brokers: readonly string[]
  /** The main one first. */
  readonly clusters: readonly ClusterPlan[]
  /** Of a declared topic, or of one by its declared name. */
  readonly clusterOf: (topic: AnyTopic | string) => string
  /** Of a topic by its name on the wire. */
  readonly clusterOfWire: (topic: string) => string
  readonly app: AppDefinition
  readonly plans: readonly ConsumerPlan[]
  /** All declared topics, those of consumers included. */
  readonly topics: readonly Topic[]
  readonly wireName: (name: string) => string
  /** The way back from a name on the wire; undefined for a topic of somebody else. */
  readonly declaredName: (wireName: string) => string | undefined
  readonly source: MillraceConfig
}

/** After which a client takes a request for lost. */

/** Sections of other parts of Millrace, which check them themselves. */
const foreignSections = ['drain', 'dev', 'gateway', 'kafka', 'dashboard']
const plainKeys = new Set(Object.keys(appOptions).map((key) => key.split('.')[0] ?? key))
const appKeys = [
  'kind',
  'topics',
  'consumers',
  'responders',
  'defaults',
  'groups',
  'middleware',
  'hooks',
  'runnables',
  'recurring',
  'schedules',
]
const codeKeys = ['app', 'tls', 'clusters', 'groupId', 'topicName', 'declaredName']

/**
 * Validates everything before anything is connected.
 * @throws MR_CONFIG_INVALID with every fault and its path
 */
export function resolveConfig(config: MillraceConfig, sources: ConfigSources = {}): ResolvedConfig {
  const faults: string[] = []
  const resolved = resolveOptions(appOptions, {
    file: optionsOf(config, faults),
    ...(sources.flags === undefined ? {} : { flags: sources.flags }),
    ...(sources.env === undefined ? {} : { env: sources.env }),
  })
  faults.push(...resolved.faults)
  const options = resolved.values
  const { clusters, faults: clusterFaults } = planClusters({
    clusters: config.clusters,
    brokers: options.brokers ?? [],
    brokersFrom: resolved.origins.brokers,
    tls: config.tls,
    env: sources.env ?? {},
    isSingle: sources.isSingleCluster ?? false,
  })
  faults.push(...clusterFaults, ...optionFaults(options))

  const app = withTracing(config.app ?? defineApp({}), config, options)
  faults.push(...appFaults(app))
  // Nothing more can be said about declarations that are none.
  if (appFaults(app).length > 0) throw failure('MR_CONFIG_INVALID', { faults })
  const wireName = config.topicName ?? ((name: string): string => name)
  const chosen = chosenConsumers(app.consumers ?? [], sources)
  const { topicName, declaredName } = config
  faults.push(...chosen.faults, ...mapperFaults(chosen.consumers, { topicName, declaredName }))
  const clientId = options.clientId ?? 'millrace'
  const declaredResponders = (app.responders ?? []).map(responderOf)
  const responders = new Map(declaredResponders.map((responder) => [responder.name, responder]))
  const letters = lettersOfApp(app)
  faults.push(...deadLetterCycleFaults(letters))
  const letterTopics = new Set(letters.flatMap((one) => one.letters.map(({ topic }) => topic)))
  const appSettings = { ...app.defaults, middleware: app.middleware ?? [] }
  faults.push(...settingFaults(app.defaults ?? {}, 'app.defaults'))
  if (app.defaults !== undefined && 'middleware' in app.defaults)
    faults.push('app.defaults.middleware: what is for all consumers is the middleware of the app')
  faults.push(...middlewareFaults(app.middleware ?? [], 'app'))
  for (const [group, settings] of Object.entries(app.groups ?? {})) {
    faults.push(...settingFaults(settings, `groups.${group}`))
    faults.push(...middlewareFaults(settings.middleware ?? [], `groups.${group}`))
  }
  const allPlans = chosen.consumers.map((definition) => {
    const topics = definition.topics.map((topic) => rawIfUndeclared(topic, letterTopics))
    const planned = planConsumer(
      { ...definition, topics },
      {
        app: appSettings,
        group: app.groups?.[definition.group] ?? {},
        groupId: (group) => config.groupId?.(clientId, group) ?? `${clientId}_${group}`,
        wireName,
        responders,
      },
    )
    faults.push(...planned.faults)
    return planned.plan
  })
  const assigned =
    sources.assign === undefined
      ? { plans: allPlans, faults: [] }
      : assignPlans(allPlans, sources.assign)
  const { plans } = assigned
  faults.push(...assigned.faults, ...mixedGroupFaults(plans))
  const recurring = recurringFaults(app.recurring)
  const schedules = scheduleFaults(app.schedules, app.consumers ?? [])
  faults.push(...recurring, ...schedules)
  const topics = [
    ...declaredTopics(app, faults).filter((topic) => !isPattern(topic)),
    ...(recurring.length === 0 ? topicsOfRecurring(app.recurring, clientId) : []),
    ...(schedules.length === 0 ? (app.schedules ?? []).map(({ topic }) => topic) : []),
  ]
  const clusterNames = clusters.map(({ name }) => name)
  faults.push(...topicClusterFaults(topics, clusterNames), ...letterFaults(chosen.consumers))
  faults.push(...topicNameFaults(topicNames(topics, plans), options.strictNames ?? true))
  faults.push(...groupFaults(app, plans, chosen.consumers))
  if (faults.length > 0) throw failure('MR_CONFIG_INVALID', { faults })
  const clusterOf = clusterFinder(topics)
  const clusterByWireName = new Map(topics.map((topic) => [wireName(topic.name), clusterOf(topic)]))
  return {
    options: withRoomForLanes(options, plans, resolved.origins['worker.concurrency'] === 'default'),
    clientName: sources.memberName ?? clientId,
    brokers: clusters[0]?.brokers ?? [],
    clusters,
    clusterOf,
    clusterOfWire: (topic) => clusterByWireName.get(topic) ?? mainCluster,
    app,
    plans,
    topics,
    wireName,
    declaredName: config.declaredName ?? ((name) => name),
    source: config,
  }
}

function optionsOf(config: MillraceConfig, faults: string[]): Record<string, unknown> {
  const plain: Record<string, unknown> = {}
  for (const [key, value] of Object.entries(config)) {
    if (plainKeys.has(key.split('.')[0] ?? key)) {
      plain[key] = key === 'producer' ? withoutFunctions(value as object) : value
      continue
    }
    if (codeKeys.includes(key) || foreignSections.includes(key)) continue
    faults.push(unknownKey(key, key, [...plainKeys, ...codeKeys, ...foreignSections]))
  }
  return plain
}

function unknownKey(path: string, key: string, known: readonly string[]): string {
  const near = nearest(key, known)
  return `${path}: there is no such option${near === undefined ? '' : `; did you mean ${near}?`}`
}

/** What was written for one of the `define...` functions, or in place of its result. */
function appFaults(app: AppDefinition): readonly string[] {
  const faults = Object.keys(app)
    .filter((key) => !appKeys.includes(key))
    .map((key) => unknownKey(`app.${key}`, key, appKeys))
  for (const [kind, list] of [
    ['topic', app.topics],
    ['consumer', app.consumers],
  ] as const)
    for (const [index, one] of (list ?? []).entries())
      if ((one as Partial<typeof one> | undefined)?.kind !== kind)
        faults.push(
          `app.${kind}s[${index}]: is not what ${kind === 'topic' ? 'defineTopic' : 'defineConsumer'} returns`,
        )
  return [...faults, ...responderFaults(app.responders ?? [])]
}

function withoutFunctions(section: object): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(section).filter(([, value]) => typeof value !== 'function'),
  )
}

function optionFaults(options: OptionValues<typeof appOptions>): string[] {
  const faults: string[] = []
  const { session, heartbeat } = options
  if (heartbeat * 3 > session)
    faults.push(`heartbeat: ${heartbeat} ms is more than a third of session, ${session} ms`)
  if (options['producer.deliveryThreshold'] === 0 && options['producer.deliveryInterval'] === 0)
    faults.push(
      'producer.deliveryInterval: with deliveryThreshold 0 as well, enqueued messages would never be delivered',
    )
  const concurrency = options['worker.concurrency']
  if (!(Number.isInteger(concurrency) && concurrency >= 1))
    faults.push(`worker.concurrency: ${concurrency} is not a number of 1 or more`)
  faults.push(...waitFaults(options))
  const crashLimit = options['swarm.crashLimit']
  if (!(Number.isInteger(crashLimit) && crashLimit >= 1))
    faults.push(`swarm.crashLimit: ${crashLimit} is not a number of 1 or more`)
  if (options['swarm.reportEvery'] * 2 > options['swarm.silentAfter'])
    faults.push(
      `swarm.silentAfter: ${options['swarm.silentAfter']} ms leaves no room for a late report; reports come every ${options['swarm.reportEvery']} ms`,
    )
  const port = options['health.port']
  if (port !== undefined && !(Number.isInteger(port) && port >= 0 && port <= 65_535))
    faults.push(`health.port: ${port} is not a port`)
  if (options['health.lagInterval'] < 100)
    faults.push(
      'health.lagInterval: the brokers are asked ten times a second at most; write 100ms or more',
    )
  return faults
}

/** A consumer with more lanes than the default would never use them; a number that somebody chose stays. */
function withRoomForLanes(
  options: OptionValues<typeof appOptions>,
  plans: readonly ConsumerPlan[],
  isDefault: boolean,
): OptionValues<typeof appOptions> {
  const lanes = Math.max(0, ...plans.map((plan) => plan.lanes.size))
  if (!isDefault || lanes <= options['worker.concurrency']) return options
  return { ...options, 'worker.concurrency': lanes }
}

/** By name; two different definitions of one topic are a fault. */
function declaredTopics(app: AppDefinition, faults: string[]): readonly Topic[] {
  const byName = new Map<string, AnyTopic>()
  const all: readonly AnyTopic[] = [
    ...(app.topics ?? []),
    ...(app.consumers ?? []).flatMap(({ topics }) => topics),
    ...(app.responders ?? []).flatMap((one) => Object.values(responderOf(one).topics)),
  ]
  for (const topic of all) {
    const known = byName.get(topic.name)
    if (known !== undefined && known !== topic)
      faults.push(`topics.${topic.name}: is declared twice; declare it once and import it`)
    byName.set(topic.name, topic)
  }
  for (const topic of byName.values())
    if (!isPattern(topic)) faults.push(...topicOptionFaults(topic))
  return [...byName.values()] as readonly Topic[]
}

/** Waits that contradict each other, or a bound that is not theirs to pass. */
function waitFaults(options: OptionValues<typeof appOptions>): string[] {
  const faults: string[] = []
  if (options['worker.shutdownTimeout'] === 0)
    faults.push('worker.shutdownTimeout: 0 leaves no time to finish anything; write 10s or more')
  const maxWaitMs = options['fetch.maxWait']
  const requestMs = options['connection.requestTimeout']
  if (maxWaitMs >= requestMs)
    faults.push(`fetch.maxWait: ${maxWaitMs} ms is longer than a request may take, ${requestMs} ms`)
  const deliveryMs = options['producer.deliveryTimeout']
  for (const name of ['producer.linger', 'producer.deliveryInterval'] as const)
    if (options[name] >= deliveryMs)
      faults.push(
        `${name}: ${options[name]} ms is longer than producer.deliveryTimeout, ${deliveryMs} ms: everything would be given up`,
      )
  return faults
}

function letterFaults(consumers: readonly ConsumerDefinition[]): string[] {
  return consumers.flatMap(({ name, topics, settings: { deadLetter } }) => {
    const declared = typeof deadLetter === 'object' ? deadLetter.topic : undefined
    if (typeof declared !== 'object') return []
    return letterClusterFaults(topics, declared, `consumers.${name}.deadLetter`)
  })
}

function topicNames(topics: readonly Topic[], plans: readonly ConsumerPlan[]): string[] {
  const beside = plans.flatMap(({ deadLetter, retryTopics }) =>
    [...(deadLetter?.declared ?? []), ...(retryTopics?.declared ?? [])].map(({ topic }) => topic),
  )
  return [...new Set([...topics.map(({ name }) => name), ...beside])]
}

/** Within a group a topic has one consumer, and what the group's session does must be said once. */
function groupFaults(
  app: AppDefinition,
  plans: readonly ConsumerPlan[],
  consumers: readonly ConsumerDefinition[],
): string[] {
  const faults: string[] = []
  for (const [group, members] of Map.groupBy(plans, (plan) => plan.group)) {
    const ownerByTopic = new Map<string, string>()
    for (const plan of members) {
      for (const { name } of plan.topics) {
        const other = ownerByTopic.get(name)
        if (other !== undefined)
          faults.push(
            `consumers.${plan.name}: ${name} is consumed by ${other} in the group ${group} already`,
          )
        ownerByTopic.set(name, plan.name)
      }
    }
    const [first, ...others] = members
    if (first === undefined) continue
    for (const key of [
      'start',
      'outOfRange',
      'isolation',
      'commitIntervalMs',
      'commitEvery',
    ] as const) {
      const differing = others.find((plan) => String(plan[key]) !== String(first[key]))
      if (differing !== undefined)
        faults.push(
          `consumers.${differing.name}.${key}: is ${String(differing[key])}, but ${String(first[key])} for ${first.name} of the same group`,
        )
    }
  }
  for (const group of Object.keys(app.groups ?? {})) {
    const known = (app.consumers ?? consumers).map((consumer) => consumer.group)
    if (known.includes(group)) continue
    const near = nearest(group, known)
    faults.push(
      `groups.${group}: no consumer has this group${near === undefined ? '' : `; did you mean ${near}?`}`,
    )
  }
  return faults
}
