import { nearest } from '../../kit/index.ts'
import type { AnyTopic, TopicOptions } from '../topic/define-topic.ts'
import type { ConsumerDefinition, ConsumerSettings } from './define-consumer.ts'
import type { Hooks } from './hooks.ts'

/** By type one for each setting: the compiler asks for those that are missing here. */
const settings: Readonly<Record<keyof ConsumerSettings, true>> = {
  retries: true,
  backoff: true,
  exhausted: true,
  nonRetryable: true,
  onError: true,
  critical: true,
  filter: true,
  filterRaw: true,
  throttle: true,
  delay: true,
  expireAfter: true,
  expired: true,
  concurrency: true,
  orderBy: true,
  window: true,
  assign: true,
  positions: true,
  maxMessages: true,
  maxWait: true,
  fill: true,
  timeout: true,
  slowAfter: true,
  longRunning: true,
  offsets: true,
  commit: true,
  start: true,
  outOfRange: true,
  isolation: true,
  deadLetter: true,
  retryTopics: true,
  middleware: true,
  idleAfter: true,
  tickInterval: true,
}
const hooks: Readonly<Record<keyof Hooks, true>> = {
  assigned: true,
  beforePoll: true,
  afterPoll: true,
  afterFetch: true,
  ended: true,
  idle: true,
  tick: true,
  revoked: true,
  shutdown: true,
  beforeStop: true,
}
const topicOptions: Readonly<Record<keyof TopicOptions, true>> = {
  value: true,
  key: true,
  tombstones: true,
  discriminant: true,
  cluster: true,
  partitions: true,
  replicas: true,
  retention: true,
  compaction: true,
  config: true,
  decode: true,
}

/**
 * A setting that nobody knows would be silently off. The compiler finds it in a literal, not in one that was spread, and
 * not in JavaScript.
 */
export function settingFaults(written: ConsumerSettings, path: string): string[] {
  return unknownNames(written, settings, (key) => `${path}.${key}: there is no such setting`)
}

export function consumerNameFaults(definition: ConsumerDefinition, path: string): string[] {
  return [
    ...settingFaults(definition.settings, path),
    ...unknownNames(
      definition.hooks,
      hooks,
      (key) => `${path}.hooks.${key}: there is no such hook`,
    ),
  ]
}

export function topicOptionFaults({ name, options }: AnyTopic): string[] {
  return unknownNames(
    options,
    topicOptions,
    (key) => `topics.${name}.${key}: there is no such option`,
  )
}

function unknownNames(
  written: object,
  known: Readonly<Record<string, true>>,
  say: (key: string) => string,
): string[] {
  return Object.keys(written)
    .filter((key) => !Object.hasOwn(known, key))
    .map((key) => {
      const near = nearest(key, Object.keys(known))
      return `${say(key)}${near === undefined ? '' : `; did you mean ${near}?`}`
    })
}
