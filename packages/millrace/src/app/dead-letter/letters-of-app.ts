import type { ConsumerDefinition } from '../consumer/define-consumer.ts'
import type { AppDefinition } from '../define-app.ts'
import { bytes } from '../topic/codec.ts'
import { defineTopic, type Topic } from '../topic/define-topic.ts'
import type { DeadLetterOptions } from './options.ts'
import { staticDeadLetterTopic } from './validate.ts'

/** Where the dead letters of a consumer go, topic by topic; a function in `deadLetter.topic` is not known before it is asked. */
export interface LettersOfConsumer {
  readonly name: string
  readonly letters: readonly { readonly topic: string; readonly source: string }[]
}

/** Of all consumers, also of those that this process does not run. */
export function lettersOfApp({
  consumers = [],
  groups,
  defaults,
}: AppDefinition): readonly LettersOfConsumer[] {
  return consumers.map((consumer) => ({
    name: consumer.name,
    letters: lettersOf(consumer, groups?.[consumer.group]?.deadLetter ?? defaults?.deadLetter),
  }))
}

function lettersOf(
  { settings, topics }: ConsumerDefinition,
  inherited: boolean | DeadLetterOptions | undefined,
): LettersOfConsumer['letters'] {
  const written = settings.deadLetter ?? inherited
  if (written === undefined || written === false) return []
  const options = written === true ? {} : written
  return topics.flatMap((source) => {
    const topic = staticDeadLetterTopic(options, source)
    return topic === undefined ? [] : [{ topic, source: source.name }]
  })
}

/**
 * A dead letter topic that declares no codec is read as bytes: what lies there may have died because it cannot be decoded.
 * Every other topic stays as it is.
 */
export function rawIfUndeclared(topic: Topic, letterTopics: ReadonlySet<string>): Topic {
  const { options, name } = topic
  if (!letterTopics.has(name) || options.value !== undefined || options.key !== undefined)
    return topic
  const {
    value: _value,
    key: _key,
    tombstones: _tombstones,
    discriminant: _discriminant,
    ...settings
  } = options
  return defineTopic(name, {
    ...settings,
    value: bytes(),
    key: bytes(),
    tombstones: true,
  })
}
