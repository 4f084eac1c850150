import type { StandardSchemaV1 } from '@standard-schema/spec'

import { refusalOf } from '../../client/index.ts'
import { failure } from '../../errors/index.ts'
import { events } from '../../telemetry/index.ts'
import type { Responses } from '../context/context.ts'
import { currentMessageLimit, currentProducer } from '../produce/current-producer.ts'
import { encodeMessage, refuseWithoutKey, type Send, type Sendable } from '../produce/sendable.ts'
import { issueTexts, type AnyTopic, type InputOf, type Topic } from '../topic/define-topic.ts'

/** How one topic is responded to; a bare topic is `{ topic }`. */
export interface ResponderTopic<T extends AnyTopic = AnyTopic> {
  readonly topic: T
  /** Whether each call must respond to it. Default true. */
  readonly required?: boolean
  /**
   * The call does not wait for the acknowledgement. Outside of consumers that is background delivery; in a handler the
   * message still belongs to the job, which ends when it is acknowledged. Default false.
   */
  readonly async?: boolean
  /** Instead of the topic's own encoding; null is a tombstone. */
  readonly serialize?: (value: unknown) => Serialized | Promise<Serialized>
  /** What each message must carry beside its value, such as a key. */
  readonly options?: StandardSchemaV1
}

type Serialized = string | Buffer | null

export type ResponderTopics = Readonly<Record<string, AnyTopic | ResponderTopic>>

type TopicIn<R> = R extends AnyTopic ? R : R extends ResponderTopic<infer T> ? T : AnyTopic

/** Key, headers, partition and time of a response; the key is the topic's. */
export type ResponseOptions<T extends AnyTopic | string = string> = Omit<Sendable<T>, 'value'>

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
  /** The names in `topics` that a call may leave unused. */
  readonly optional?: readonly string[]
  call(data: never, options?: ResponderCall): Promise<Responses>
}

interface Collected {
  readonly name: string
  readonly value: unknown
  readonly options: ResponseOptions<AnyTopic | string>
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
    options: ResponseOptions<TopicIn<T[K]>> = {},
  ): void {
    this.#collected.push({ name, value, options })
  }

  /**
   * Responds with a fresh instance.
   * @returns the messages by topic, as written
   * @throws MR_RESPONDER_TOPIC_UNDECLARED, MR_RESPONDER_TOPIC_UNUSED, MR_RESPONDER_OPTIONS_REFUSED, and what `send` throws; an
   * AggregateError when several messages were not delivered
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
      options?: ResponseOptions<TopicIn<T[K]>>,
    ) => void,
  ) => unknown
}): {
  readonly name: string
  readonly topics: Readonly<Record<string, AnyTopic>>
  readonly optional: readonly string[]
  readonly call: (data: D, options?: ResponderCall) => Promise<Responses>
} {
  const { name = 'responder', topics, respond } = definition
  return {
    name,
    topics: Object.fromEntries(Object.entries(topics).map(([key, rule]) => [key, topicOf(rule)])),
    optional: optionalOf(topics),
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

function optionalOf(topics: ResponderTopics): readonly string[] {
  return Object.keys(topics).filter((name) => !isRequired(topics[name]))
}

function isRequired(rule: AnyTopic | ResponderTopic | undefined): boolean {
  return rule === undefined || 'kind' in rule || rule.required !== false
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
    optional: optionalOf(written.topics),
    call: (data, options) => written.call(data, options),
  }
}

interface Checked {
  readonly rule: ResponderTopic
  readonly topic: Topic
  readonly written: Serialized
  /** By the topic's name, encoded: what was checked is what is sent. */
  readonly message: Sendable<string>
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
    const isUsed = collected.some((one) => one.name === name)
    if (isRequired(rule) && !isUsed)
      throw failure('MR_RESPONDER_TOPIC_UNUSED', { responder, topic: name })
  }

  const producer = send === undefined ? currentProducer() : undefined
  const sendNow = send ?? producer?.send
  const sending: Promise<unknown>[] = []
  for (const { rule, topic, message } of checked) {
    if (rule.async === true && producer !== undefined) {
      producer.enqueue(topic.name, message)
      continue
    }
    const sent = sendNow?.(topic.name, message) ?? Promise.resolve()
    // Whoever gave `send` has the failure already: the job that it belongs to fails.
    if (rule.async === true) sent.catch(() => {})
    else sending.push(sent)
  }
  await allSent(sending)
  const byTopic = Object.groupBy(checked, ({ topic }) => topic.name)
  if (events.responderResponded.isHeard) {
    const counts = Object.entries(byTopic).map(([name, list]) => [name, list?.length ?? 0] as const)
    events.responderResponded.publish({
      responder,
      consumer,
      topics: Object.fromEntries(counts),
      data,
    })
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
  const written = await write(rule, topic, value)
  const key = topic.encodeKey(options.key)
  refuseWithoutKey(topic, key, written)
  const message: Sendable<string> = { ...options, key, value: written }
  const encoded = await encodeMessage(topic.name, message, (wire) => wire)
  const refusal = refusalOf(encoded, currentMessageLimit())
  if (refusal !== undefined) throw refusal
  return { rule, topic, written, message }
}

async function write(rule: ResponderTopic, topic: Topic, value: unknown): Promise<Serialized> {
  if (rule.serialize === undefined)
    return typeof value === 'string' ? value : topic.encodeValue(value)
  const part = 'value'
  let written: unknown
  try {
    written = await rule.serialize(value)
  } catch (cause) {
    const reason = `serialize threw: ${cause instanceof Error ? cause.message : String(cause)}`
    throw failure('MR_APP_UNENCODABLE', { topic: topic.name, part, reason }, { cause })
  }
  if (written === null || typeof written === 'string' || Buffer.isBuffer(written)) return written
  const reason = `serialize gave ${typeof written}, neither text nor bytes`
  throw failure('MR_APP_UNENCODABLE', { topic: topic.name, part, reason })
}

/** Every message has its verdict before the call ends. @throws the one error, or an AggregateError of several */
async function allSent(sending: readonly Promise<unknown>[]): Promise<void> {
  const verdicts = await Promise.allSettled(sending)
  const errors = verdicts.flatMap((one) => (one.status === 'rejected' ? [one.reason as Error] : []))
  const [first] = errors
  if (first === undefined) return
  if (errors.length === 1) throw first
  throw new AggregateError(errors, `${errors.length} responses were not delivered`)
}

function textOf(written: string | Buffer | null): string | null {
  return written === null || typeof written === 'string' ? written : written.toString()
}
