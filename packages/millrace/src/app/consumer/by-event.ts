import { failure } from '../../errors/index.ts'
import type { Context } from '../context/context.ts'
import type { Message } from '../message/message.ts'
import type { AnyTopic, Topic, ValueOf } from '../topic/define-topic.ts'
import { usualDiscriminant, type UsualDiscriminant } from '../topic/discriminant.ts'

type Member<T extends AnyTopic> = NonNullable<ValueOf<T>>

type DiscriminantOf<T extends AnyTopic> = T extends {
  readonly discriminant: infer D extends string
}
  ? string extends D
    ? UsualDiscriminant<Member<T>>
    : D
  : UsualDiscriminant<Member<T>>

/** `string` for a member that does not say exactly what it is, and then for the whole union. */
type EventIn<M, D extends PropertyKey> = M extends { readonly [P in D]: infer E extends string }
  ? E
  : string

/**
 * The event types of a topic: the values of its discriminant; `string` when they are not all known, none when its values
 * do not say what they are.
 */
export type EventOf<T extends AnyTopic> = T extends AnyTopic
  ? unknown extends ValueOf<T>
    ? string
    : [DiscriminantOf<T>] extends [never]
      ? never
      : EventIn<Member<T>, DiscriminantOf<T>>
  : never

/** Topics whose values have no event type. */
type Nameless<T extends AnyTopic> = T extends AnyTopic
  ? [EventOf<T>] extends [never]
    ? T
    : never
  : never

type MemberOf<T extends AnyTopic, Event> = [DiscriminantOf<T>] extends [never]
  ? never
  : Extract<Member<T>, { readonly [P in DiscriminantOf<T>]: Event }>

/** A message whose value is known to be one member of its topic's union. */
export interface MemberMessage<T extends AnyTopic, Value> extends Omit<Message<T>, 'value'> {
  readonly value: Value
}

/** Of the topics that have such an event. */
type MessageOfEvent<T extends AnyTopic, Event> = T extends AnyTopic
  ? [MemberOf<T, Event>] extends [never]
    ? never
    : MemberMessage<T, MemberOf<T, Event>>
  : never

type WithTombstone<T extends AnyTopic> = T extends AnyTopic
  ? unknown extends ValueOf<T>
    ? never
    : null extends ValueOf<T>
      ? T
      : never
  : never

type EventHandler<T extends AnyTopic, Event, C> = (
  message: MessageOfEvent<T, Event>,
  context: C,
) => unknown

type TombstoneHandler<T extends AnyTopic, C> = (
  message: MemberMessage<WithTombstone<T>, null>,
  context: C,
) => unknown

type Handlers<T extends AnyTopic, C> = {
  readonly [E in Exclude<EventOf<T>, 'otherwise' | 'tombstone'>]: EventHandler<T, E, C>
} & ([WithTombstone<T>] extends [never] ? unknown : { readonly tombstone: TombstoneHandler<T, C> })

type AnyMessage<T extends AnyTopic> = T extends AnyTopic ? Message<T> : never
type Otherwise<T extends AnyTopic, C> = (message: AnyMessage<T>, context: C) => unknown

/**
 * A handler for each event type of the topic, and one for `tombstone` where the topic has them: all of them, or some and
 * `otherwise`, which gets what has no handler of its own.
 */
export type OnEvents<T extends AnyTopic, C = Context> =
  string extends EventOf<T>
    ? { readonly otherwise: Otherwise<T, C> } & Readonly<Record<string, Otherwise<T, C>>>
    : [Nameless<T>] extends [never]
      ? (Handlers<T, C> & { readonly otherwise?: never }) | SomeEvents<T, C>
      : SomeEvents<T, C>

type SomeEvents<T extends AnyTopic, C> = Partial<Handlers<T, C>> & {
  readonly otherwise: Otherwise<T, C>
}

export type AnyOn = Readonly<Record<string, unknown>>

type Call = (message: Message, context: Context) => unknown

/** One function over all event types. @throws MR_APP_EVENT_UNKNOWN, which no retry makes better */
export function byEvent(topics: readonly Topic[], on: AnyOn): Call {
  const handlers = new Map(Object.entries(on)) as Map<string, Call>
  const { otherwise, tombstone } = on as Readonly<Record<string, Call | undefined>>
  const discriminantByTopic = new Map(topics.map(({ name, discriminant }) => [name, discriminant]))
  return (message, context) => {
    const { value } = message
    if (value === null) {
      const call = tombstone ?? otherwise
      if (call === undefined) throw unknownEvent(message, 'is a tombstone')
      return call(message, context)
    }
    const name = discriminantByTopic.get(message.topic) ?? usualDiscriminant(value)
    const event = name === undefined ? undefined : (value as Record<string, unknown>)[name]
    const isReserved = event === 'otherwise' || event === 'tombstone'
    const own = typeof event === 'string' && !isReserved ? handlers.get(event) : undefined
    const call = own ?? otherwise
    if (call === undefined)
      throw unknownEvent(
        message,
        typeof event === 'string'
          ? `has the ${name} ${shortened(event)}`
          : `has no event type${name === undefined ? '' : ` in ${name}`}`,
      )
    return call(message, context)
  }
}

/** The name of an event type is no body, but whoever sends it may put one there. */
function shortened(event: string): string {
  return event.length <= 60 ? event : `${event.slice(0, 60)}...`
}

function unknownEvent({ topic, partition, offset }: Message, what: string): Error {
  return failure('MR_APP_EVENT_UNKNOWN', { topic, partition, offset, what })
}
