/**
 * DeleteTopics (key 20): by name, from v6 on by name or id (KIP-516). One result per topic asked for.
 *
 * - Unknown 3, by id 100; both name and id 42. The name is free at once, under a new id.
 * - Groups forget their offsets in it, and fetches that wait for it are answered.
 * - Internal topics stay: 17.
 */
import { isFailure } from '../../errors/index.ts'
import { apis, errorCodes, type ResponseInput } from '../../protocol/index.ts'
import type { TopicRecord } from '../../storage/index.ts'
import { zeroUuid } from '../topics/topics.ts'
import { defineHandler, type Call } from './define-handler.ts'

type Row = NonNullable<ResponseInput<typeof apis.deleteTopics>['responses']>[number]

export const deleteTopicsHandler = defineHandler(
  apis.deleteTopics,
  { versions: [1, 6] },
  async (request, call) => {
    const asked =
      call.version >= 6
        ? request.topics
        : request.topicNames.map((name) => ({ name, topicId: zeroUuid }))
    const responses: Row[] = []
    for (const { name, topicId } of asked) responses.push(await remove(name, topicId, call))
    return { responses }
  },
)

async function remove(name: string | null, topicId: string, { broker }: Call): Promise<Row> {
  const isById = topicId !== zeroUuid
  if (isById === (name !== null)) {
    return {
      name,
      topicId,
      errorCode: errorCodes.INVALID_REQUEST,
      errorMessage: 'give either the name or the id',
    }
  }
  const topic = isById ? broker.topics.withId(topicId) : broker.topics.named(name ?? '')
  if (topic === undefined) return { name, topicId, ...unknown(isById) }
  const row = { name: topic.name, topicId: topic.id }
  if (topic.isInternal) {
    return {
      ...row,
      errorCode: errorCodes.INVALID_TOPIC_EXCEPTION,
      errorMessage: 'the broker keeps this topic for itself',
    }
  }
  return { ...row, ...(await carryOut(topic, broker.topics)) }
}

async function carryOut(
  topic: TopicRecord,
  topics: { delete(topic: TopicRecord): Promise<void> },
): Promise<Pick<Row, 'errorCode' | 'errorMessage'>> {
  try {
    await topics.delete(topic)
    return {}
  } catch (error) {
    if (isFailure(error, 'MR_STORAGE_TOPIC_UNKNOWN')) return unknown(false)
    if (!isFailure(error)) throw error
    return { errorCode: errorCodes.KAFKA_STORAGE_ERROR, errorMessage: error.message }
  }
}

function unknown(isById: boolean): Pick<Row, 'errorCode' | 'errorMessage'> {
  return {
    errorCode: isById ? errorCodes.UNKNOWN_TOPIC_ID : errorCodes.UNKNOWN_TOPIC_OR_PARTITION,
    errorMessage: 'there is no such topic',
  }
}
