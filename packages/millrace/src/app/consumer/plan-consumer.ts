import { parseDuration, Slots, type Duration } from '../../kit/index.ts'
import { assignmentFaults, planAssignment } from '../assignment/index.ts'
import { deadLetterFaults, planDeadLetters, type DeadLetterOptions } from '../dead-letter/index.ts'
import { deadLetterDefaults } from '../dead-letter/options.ts'
import { planLanes } from '../lanes/index.ts'
import { idempotent, inboxFaults } from '../inbox/index.ts'
import {
  composeConsume,
  composeReceive,
  sendingThrough,
  type Middleware,
} from '../middleware/middleware.ts'
import { middlewareFaults } from '../middleware/validate.ts'
import { pacingFaults, planPacing } from '../pacing/index.ts'
import { patternFaults } from '../patterns/index.ts'
import type { AnyResponder } from '../responder/responder.ts'
import { planRetryTopics, retryTopicFaults, retryTopicsOf } from '../retry-topics/index.ts'
import { backoffRules } from '../retry/options.ts'
import { criticalInThreads, threadCount, threadedHandlers, threadFaults } from '../threads/index.ts'
import type { ConsumerDefinition, ConsumerSettings } from './define-consumer.ts'
import { makeHandler } from './handler.ts'
import { consumerNameFaults } from './known-names.ts'
import type { ConsumerPlan } from './plan.ts'

/** What stands around a consumer: settings of its group and app, and the names on the wire. */
export interface PlanSurroundings {
  readonly app: ConsumerSettings
  readonly group: ConsumerSettings
  readonly groupId: (group: string) => string
  readonly wireName: (topic: string) => string
  /** By the name of their class. */
  readonly responders: ReadonlyMap<string, AnyResponder>
}

export interface Planned {
  readonly plan: ConsumerPlan
  readonly faults: readonly string[]
}

/** Every setting resolved: consumer before group before app before default. Faults carry their paths. */
export function planConsumer(definition: ConsumerDefinition, around: PlanSurroundings): Planned {
  const path = `consumers.${definition.name === '' ? '?' : definition.name}`
  const settings: ConsumerSettings = {
    ...defined(around.app),
    ...defined(around.group),
    ...defined(definition.settings),
  }
  const faults: string[] = [
    ...formFaults(definition, path),
    ...consumerNameFaults(definition, path),
  ]
  const duration = (name: string, written: Duration | undefined, otherwise: Duration): number => {
    const ms = parseDuration(written ?? otherwise)
    if (ms === undefined)
      faults.push(`${path}.${name}: ${written} is not a duration; write 500ms, 30s, 5m`)
    return ms ?? 0
  }
  const optional = (name: string, written: Duration | false | undefined): number | undefined =>
    written === undefined || written === false ? undefined : duration(name, written, 0)
  const count = (name: string, written: number | undefined, otherwise: number): number => {
    const number = written ?? otherwise
    if (!(Number.isInteger(number) && number >= 1))
      faults.push(`${path}.${name}: ${number} is not a number of 1 or more`)
    return number
  }

  const { rules: lanes, faults: laneFaults } = planLanes(settings, path)
  faults.push(...laneFaults)
  const deadLetterOptions = optionsOf(settings.deadLetter)
  if (deadLetterOptions !== undefined)
    faults.push(...deadLetterFaults(deadLetterOptions, definition.topics, `${path}.deadLetter`))
  const backoff = backoffRules(settings.backoff)
  if (typeof backoff === 'string') faults.push(`${path}.backoff: ${backoff}`)
  const retryTopicsOptions = retryTopicsOf(settings.retryTopics)
  if (retryTopicsOptions !== undefined)
    faults.push(
      ...retryTopicFaults(retryTopicsOptions, definition.topics, {
        group: definition.group,
        mode: definition.mode,
        hasOrderBy: settings.orderBy !== undefined,
        path: `${path}.retryTopics`,
      }),
    )
  const retries =
    settings.retries ??
    (retryTopicsOptions !== undefined
      ? 0
      : deadLetterOptions === undefined
        ? Infinity
        : (deadLetterOptions.retries ?? deadLetterDefaults.retries))
  const hasDeadLetter = deadLetterOptions !== undefined
  faults.push(...pacingFaults(settings, { hasDeadLetter, path }))
  faults.push(...retryFaults(retries, settings, deadLetterOptions, path))
  faults.push(...startFaults(settings.start, path))
  if (parseDuration(settings.commit?.interval ?? 1) === 0 && (settings.commit?.every ?? 0) === 0)
    faults.push(`${path}.commit: neither interval nor every ever commits; give one of them`)
  faults.push(...assignmentFaults(settings, path), ...patternFaults(definition, settings, path))

  faults.push(...middlewareFaults(definition.settings.middleware ?? [], path))
  const middleware: readonly Middleware[] = [
    ...(around.app.middleware ?? []),
    ...(around.group.middleware ?? []),
    ...(definition.settings.middleware ?? []),
  ]
  const title = definition.use?.name || definition.name
  const { inbox, thread, name: consumer, group } = definition
  const { offsets } = settings
  faults.push(...inboxFaults(inbox, { offsets, isThreaded: thread !== undefined }, path))
  const groupId = around.groupId(group)
  const retryTopics =
    retryTopicsOptions &&
    planRetryTopics(retryTopicsOptions, definition.topics, {
      group,
      groupId,
      wireName: around.wireName,
    })
  const plan: ConsumerPlan = {
    name: definition.name,
    title,
    group: definition.group,
    groupId,
    topics: [...definition.topics, ...(retryTopics?.topics ?? [])],
    mode: definition.mode,
    makeHandler:
      thread === undefined
        ? () => makeHandler(definition, { isConcurrent: lanes.size > 1 })
        : threadedHandlers(title, thread, () => makeHandler(definition, { isConcurrent: false }), [
            ...(settings.nonRetryable ?? []),
            ...(settings.critical ?? []),
          ]),
    wrap: (handler) =>
      composeConsume(
        middleware,
        inbox === undefined ? handler : idempotent(inbox, { group, groupId, consumer }, handler),
      ),
    receive: composeReceive(middleware),
    sendVia: sendingThrough([
      ...(definition.settings.middleware ?? []),
      ...(around.group.middleware ?? []),
    ]),
    // A call in a thread does not hold the worker's own; the pool never has more than it can take.
    slots: thread === undefined ? undefined : new Slots(threadCount(thread)),
    maxMessages: count('maxMessages', settings.maxMessages, 100),
    maxWaitMs: duration('maxWait', settings.maxWait, '1s'),
    fillsBySize: settings.fill === 'size',
    timeoutMs: optional('timeout', settings.timeout),
    slowAfterMs: optional(
      'slowAfter',
      settings.slowAfter ?? (settings.longRunning === true ? false : '5m'),
    ),
    isLongRunning: settings.longRunning === true,
    lanes,
    idleAfterMs: duration('idleAfter', settings.idleAfter, '30s'),
    tickIntervalMs: duration('tickInterval', settings.tickInterval, '5s'),
    offsets: settings.offsets ?? 'automatic',
    commitIntervalMs: duration('commit.interval', settings.commit?.interval, '5s'),
    commitEvery: settings.commit?.every ?? 0,
    retry: {
      retries,
      backoff: typeof backoff === 'string' ? { firstMs: 1000, maxMs: 1000 } : backoff,
      exhausted: settings.exhausted ?? 'block',
      hasDeadLetter: deadLetterOptions !== undefined,
      nonRetryable: settings.nonRetryable ?? [],
      critical: [...(settings.critical ?? []), ...(thread === undefined ? [] : criticalInThreads)],
      deadLetterTakes: deadLetterOptions?.when,
    },
    onError: settings.onError,
    deadLetter:
      deadLetterOptions && planDeadLetters(deadLetterOptions, definition.topics, around.wireName),
    makePacing: planPacing(settings, {
      consumer,
      group,
      groupId,
      isRetryTopic: (topic) => retryTopics?.isRetryTopic(topic) ?? false,
      around: (pacing, place) => retryTopics?.keyOrder?.pacing(pacing, place) ?? pacing,
    }),
    detour: retryTopics?.detour,
    retryTopics,
    assignment: planAssignment(settings, {
      topics: [...definition.topics, ...(retryTopics?.topics ?? [])],
      group,
      groupId: around.groupId,
    }),
    responder:
      definition.responder ?? around.responders.get(title.replace(/Consumer$/, 'Responder')),
    start: settings.start ?? 'earliest',
    outOfRange: settings.outOfRange ?? 'earliest',
    isolation: settings.isolation ?? 'read_committed',
  }
  return { plan, faults }
}

function formFaults(definition: ConsumerDefinition, path: string): string[] {
  const { each, batch, on, use, thread } = definition
  const faults: string[] = []
  const forms = [each, batch, on, use, thread].filter((form) => form !== undefined)
  if (forms.length !== 1)
    faults.push(
      `${path}: give exactly one of each, on, batch, use and handler; there are ${forms.length}`,
    )
  if (thread !== undefined) faults.push(...threadFaults(thread, thread.runIn, path))
  if (definition.topics.length === 0) faults.push(`${path}.topic: there is none`)
  if (!/^[A-Za-z0-9._-]+$/.test(definition.name))
    faults.push(`${path}.name: '${definition.name}' has other characters than A-Z a-z 0-9 . _ -`)
  if (!/^[A-Za-z0-9._-]+$/.test(definition.group))
    faults.push(`${path}.group: '${definition.group}' has other characters than A-Z a-z 0-9 . _ -`)
  return faults
}

function retryFaults(
  retries: number,
  settings: ConsumerSettings,
  deadLetter: DeadLetterOptions | undefined,
  path: string,
): string[] {
  const faults: string[] = []
  if (!(retries === Infinity || (Number.isInteger(retries) && retries >= 0)))
    faults.push(`${path}.retries: ${retries} is neither a number of retries nor Infinity`)
  if (retries !== Infinity && deadLetter === undefined && settings.exhausted === undefined)
    faults.push(
      `${path}.retries: after ${retries} retries the message has nowhere to go; add deadLetter: true or exhausted: 'block', 'skip' or 'stop'`,
    )
  if (retries === Infinity && settings.exhausted !== undefined)
    faults.push(`${path}.exhausted: retries are never exhausted; give retries a number`)
  if (deadLetter !== undefined && settings.exhausted !== undefined)
    faults.push(`${path}.exhausted: contradicts deadLetter, which takes the message then`)
  return faults
}

function startFaults(start: ConsumerSettings['start'], path: string): string[] {
  if (start === undefined || start === 'earliest' || start === 'latest' || start === 'fail')
    return []
  if (start instanceof Date)
    return Number.isNaN(start.getTime()) ? [`${path}.start: that date is invalid`] : []
  const isAge = start.startsWith('-') && parseDuration(start.slice(1)) !== undefined
  return isAge
    ? []
    : [`${path}.start: ${start} is none of earliest, latest, fail, a Date, an age such as -2h`]
}

function optionsOf(
  written: boolean | DeadLetterOptions | undefined,
): DeadLetterOptions | undefined {
  if (written === undefined || written === false) return undefined
  return written === true ? {} : written
}

/** Without undefined members, which would hide the layer below. */
function defined(settings: ConsumerSettings): ConsumerSettings {
  return Object.fromEntries(Object.entries(settings).filter(([, value]) => value !== undefined))
}
