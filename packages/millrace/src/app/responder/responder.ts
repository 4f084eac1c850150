import type { StandardSchemaV1 } from '@standard-schema/spec'

import { failure } from '../../errors/index.ts'
import { events } from '../../telemetry/index.ts'
import type { Responses } from '../context/context.ts'
import { currentProducer } from '../produce/current-producer.ts'
import type { Send, Sendable } from '../produce/sendable.ts'
import { issueTexts, type AnyTopic, type InputOf, type Topic } from '../topic/define-topic.ts'

/** How one topic is responded to; a bare topic is `{ topic }`. */
export interface ResponderTopic<T extends AnyTopic = AnyTopic> {
  readonly topic: T
  /** Whether each call must respond to it. Default true. */
  readonly required?: boolean
  /** Background delivery instead of waiting for the acknowledgement. Default false. */
  readonly async?: boolean
  /** Instead of the topic's own encoding. */
  readonly serialize?: (value: unknown) => string | Buffer
  /** What each message must carry beside its value, such as a key. */
  readonly options?: StandardSchemaV1
}

export type ResponderTopics = Readonly<Record<string, AnyTopic | ResponderTopic>>

type TopicIn<R> = R extends AnyTopic ? R : R extends ResponderTopic<infer T> ? T : AnyTopic

/** Key, headers, partition and time of a response. */
export type ResponseOptions = Omit<Sendable<string>, 'value'>

/** Text passes unchanged; anything else is encoded by the topic. */
type ResponseValue<R> = InputOf<TopicIn<R>> | string

export interface ResponderCall {
  /** Default the process's current producer. */
  readonly send?: Send
  /** In whose name, for the log. */
  readonly consumer?: string
}

export interface AnyResponder {
  readonly name: string
  readonly topics: Readonly<Record<string, AnyTopic>>
  call(data: never, options?: ResponderCall): Promise<Responses>
}

interface Collected {
  readonly name: string
  readonly value: unknown
  readonly options: ResponseOptions
}

/**
 * Turns one event into messages. Everything is collected and checked before the first byte is sent: an undeclared
 * topic, a required one unused or refused options, and nothing is sent at all.
 *
 * @example
 * class UsersResponder extends ApplicationResponder<{ users: typeof users }> {
 *   static override readonly topics = { users }
 *   respond(event: UserEvent) { this.respondTo('users', event) }
 * }
 * await UsersResponder.call({ event_name: 'user_created' })
 */
export abstract class ApplicationResponder<T extends ResponderTopics = ResponderTopics> {
  static readonly topics: ResponderTopics = {}
  readonly #collected: Collected[] = []

  abstract respond(data: never): unknown

  respondTo<K extends keyof T & string>(
    name: K,
    value: ResponseValue<T[K]>,
    options: ResponseOptions = {},
  ): void {
    this.#collected.push({ name, value, options })
  }

  /**
   * Responds with a fresh instance.
   * @returns the messages by topic, as written
   * @throws MR_RESPONDER_TOPIC_UNDECLARED, MR_RESPONDER_TOPIC_UNUSED, MR_RESPONDER_OPTIONS_REFUSED, and what `send` throws
   */
  static async call<D>(
    this: ResponderClass<D>,
    data: D,
    options: ResponderCall = {},
  ): Promise<Responses> {
    const responder = new this()
    await responder.respond(data as never)
    return deliver(this.name, this.topics, responder.#collected, data, options)
  }
}

type ResponderClass<D> = (new () => ApplicationResponder & { respond(data: D): unknown }) & {
  readonly topics: ResponderTopics
  readonly name: string
}

/** A responder as a function: `to(name, value, options)` collects a message. */
export function defineResponder<const T extends ResponderTopics, D = unknown>(definition: {
  readonly name?: string
  readonly topics: T
  readonly respond: (
    data: D,
    to: <K extends keyof T & string>(
      name: K,
      value: ResponseValue<T[K]>,
      options?: ResponseOptions,
    ) => void,
  ) => unknown
}): {
  readonly name: string
  readonly topics: Readonly<Record<string, AnyTopic>>
  readonly call: (data: D, options?: ResponderCall) => Promise<Responses>
} {
  const { name = 'responder', topics, respond } = definition
  return {
    name,
    topics: Object.fromEntries(Object.entries(topics).map(([key, rule]) => [key, topicOf(rule)])),
    async call(data, options = {}) {
      const collected: Collected[] = []
      await respond(data, (to, value, more = {}) => {
        collected.push({ name: to, value, options: more })
      })
      return deliver(name, topics, collected, data, options)
    },
  }
}

function topicOf(rule: AnyTopic | ResponderTopic): AnyTopic {
  return 'kind' in rule ? rule : rule.topic
}

/** A responder in either form. */
export type ResponderSource =
  | AnyResponder
  | (ResponderClass<never> & { readonly call: typeof ApplicationResponder.call })

/** What a class responder offers to an app: its name, and its topics without their rules. */
export function responderOf(written: ResponderSource): AnyResponder {
  if (typeof written !== 'function') return written
  const { name } = written
  const topics = Object.entries(written.topics).map(([key, rule]) => [key, topicOf(rule)] as const)
  return {
    name,
    topics: Object.fromEntries(topics),
    call: (data, options) => written.call(data, options),
  }
}

interface Checked {
  readonly rule: ResponderTopic
  readonly topic: Topic
  readonly written: string | Buffer | null
  readonly options: ResponseOptions
}

async function deliver(
  responder: string,
  topics: ResponderTopics,
  collected: readonly Collected[],
  data: unknown,
  { send, consumer }: ResponderCall,
): Promise<Responses> {
  const checked: Checked[] = []
  for (const one of collected) checked.push(await check(responder, topics, one))
  for (const [name, rule] of Object.entries(topics)) {
    const isRequired = 'kind' in rule || rule.required !== false
    const isUsed = collected.some((one) => one.name === name)
    if (isRequired && !isUsed)
      throw failure('MR_RESPONDER_TOPIC_UNUSED', { responder, topic: name })
  }

  const producer = send === undefined ? currentProducer() : undefined
  const sendNow = send ?? producer?.send
  const sending: Promise<unknown>[] = []
  for (const { rule, topic, written, options } of checked) {
    const message = { ...options, value: written }
    if (rule.async === true && producer !== undefined) producer.enqueue(topic.name, message)
    else if (sendNow !== undefined) sending.push(sendNow(topic.name, message))
  }
  await Promise.all(sending)
  const byTopic = Object.groupBy(checked, ({ topic }) => topic.name)
  if (events.responded.isHeard) {
    const counts = Object.entries(byTopic).map(([name, list]) => [name, list?.length ?? 0] as const)
    events.responded.publish({ responder, consumer, topics: Object.fromEntries(counts), data })
  }
  return Object.fromEntries(
    Object.entries(byTopic).map(([name, list = []]) => [
      name,
      list.map(({ written }) => [textOf(written), { topic: name }] as const),
    ]),
  )
}

async function check(
  responder: string,
  topics: ResponderTopics,
  { name, value, options }: Collected,
): Promise<Checked> {
  const declared = Object.hasOwn(topics, name) ? topics[name] : undefined
  if (declared === undefined)
    throw failure('MR_RESPONDER_TOPIC_UNDECLARED', { responder, topic: name })
  const rule: ResponderTopic = 'kind' in declared ? { topic: declared } : declared
  const topic = rule.topic as Topic
  if (rule.options !== undefined) {
    const result = await rule.options['~standard'].validate(options)
    if (result.issues !== undefined) {
      const issues = issueTexts(result.issues)
      throw failure('MR_RESPONDER_OPTIONS_REFUSED', { responder, topic: name, issues })
    }
  }
  const written =
    rule.serialize === undefined
      ? typeof value === 'string'
        ? value
        : await topic.encodeValue(value)
      : rule.serialize(value)
  return { rule, topic, written, options }
}

function textOf(written: string | Buffer | null): string | null {
  return written === null || typeof written === 'string' ? written : written.toString()
}
