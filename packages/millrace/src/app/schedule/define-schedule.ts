import { failure } from '../../errors/index.ts'
import { uuidV7 } from '../../kit/index.ts'
import { partitionOfKey } from '../../protocol/index.ts'
import type { AppProducer, OwnProducer } from '../produce/app-producer.ts'
import { currentProducer } from '../produce/current-producer.ts'
import { encodeMessage, type Sendable } from '../produce/sendable.ts'
import { bytes, text } from '../topic/codec.ts'
import { defineTopic, type AnyTopic, type Topic } from '../topic/define-topic.ts'
import { writeCancel, writeEnvelope } from './envelope.ts'

export interface ScheduleOptions {
  /** Of its topic, when it is created; an id's messages stay in one. Never change it while messages wait. Default 6. */
  readonly partitions?: number
}

export interface SendAtOptions {
  /** What replaces and cancels it. Default one that nobody else has. */
  readonly id?: string
  /** Default: that of this process. */
  readonly producer?: AppProducer
}

/** Messages that are sent later. Its functions may be taken apart. */
export interface Schedule {
  readonly kind: 'schedule'
  readonly name: string
  readonly partitions: number
  /** Where they wait: compacted, so that it holds little more than what waits. */
  readonly topic: Topic
  /**
   * Validates and encodes now, sends at `at`: never earlier, within 100 ms of it while the app's workers keep up, at once
   * when it has passed. Resolves when the broker keeps it; from then on it comes at least once, its `millrace-id` always
   * the same. A message with the same id takes the place of one that still waits.
   *
   * @throws MR_SCHEDULE_DATE_INVALID, and what `send` throws
   */
  readonly sendAt: <T extends AnyTopic | string>(
    topic: T,
    message: Sendable<T>,
    at: Date,
    options?: SendAtOptions,
  ) => Promise<{ readonly id: string }>
  /** Ends what waits under an id. What is being sent at this moment may still come; an unknown id is none. */
  readonly cancel: (id: string, options?: Pick<SendAtOptions, 'producer'>) => Promise<void>
}

/**
 * Declares a schedule: a topic in which messages wait, and what sends them when they are due in the workers of the app.
 *
 * @example
 * const reminders = defineTopic<{ text: string }>('reminders')
 * const later = defineSchedule('later')
 * const app = defineApp({ schedules: [later], topics: [reminders] })
 * await later.sendAt(reminders, { key: 'u1', value: { text: 'Hi' } }, new Date('2026-12-24T18:00Z'), { id: 'u1/xmas' })
 * await later.cancel('u1/xmas')
 */
export function defineSchedule(name: string, options: ScheduleOptions = {}): Schedule {
  const { partitions = 6 } = options
  const topic = defineTopic(name, {
    key: text(),
    value: bytes(),
    tombstones: true,
    compaction: true,
    partitions,
  }) as unknown as Topic

  const put = async (
    id: string,
    { value, headers }: ReturnType<typeof writeEnvelope>,
    producer: AppProducer,
  ): Promise<void> => {
    // All of an id lies in one partition, whatever its records' keys; its owner must see them in order.
    const partition = partitionOfKey(Buffer.from(id), partitions)
    // As it is, and acknowledged by all, whatever the app has set: the promise is that it comes.
    const { sendRaw, wireName } = producer as OwnProducer
    const key = `${id}/${uuidV7()}`
    await sendRaw({ topic: wireName(name), key, value, headers, partition })
  }
  return {
    kind: 'schedule',
    name,
    partitions,
    topic,
    async sendAt(target, message, at, { id = uuidV7(), producer = currentProducer() } = {}) {
      const dueMs = at.getTime()
      if (!Number.isSafeInteger(dueMs))
        throw failure('MR_SCHEDULE_DATE_INVALID', { schedule: name })
      const { wireName } = producer as OwnProducer
      const encoded = await encodeMessage(target, message, wireName, uuidV7)
      await put(id, writeEnvelope({ id, dueMs, message: encoded }), producer)
      return { id }
    },
    cancel: (id, { producer = currentProducer() } = {}) => put(id, writeCancel(id), producer),
  }
}
