import { bytes } from '../topic/codec.ts'
import { defineTopic, type AnyTopic, type Topic } from '../topic/define-topic.ts'

/**
 * The dead letter topic of a topic, for a consumer that looks at letters: key and value are bytes, null where the message had
 * none, since what lies there may have died because it cannot be decoded.
 *
 * @param name - where `deadLetter.topic` says another one than `<topic>-dlt`
 * @example
 * defineConsumer({
 *   topic: deadLetterTopic(users),
 *   each: (letter) => console.log(letter.header('millrace-error-message'), letter.value?.toString()),
 * })
 */
export function deadLetterTopic(
  source: AnyTopic,
  name = `${source.name}-dlt`,
): Topic<string, Buffer | null, Buffer | null, Buffer> {
  return defineTopic(name, { value: bytes(), key: bytes(), tombstones: true })
}
