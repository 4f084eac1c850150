/**
 * CreatePartitions (key 37): raises the number of partitions; `count` is the new total. Fewer or as many as
 * there are is 37, an unknown topic 3, assignments to other brokers 39, a topic named twice 42.
 */
import { isFailure } from '../../errors/index.ts'
import { apis, errorCodes, type RequestOf } from '../../protocol/index.ts'
import { mostPartitions } from '../topics/topics.ts'
import { defineHandler, type Call } from './define-handler.ts'

type Asked = RequestOf<typeof apis.createPartitions>['topics'][number]
interface Row {
  readonly name: string
  readonly errorCode: number
  readonly errorMessage: string | null
}

export const createPartitionsHandler = defineHandler(
  apis.createPartitions,
  { versions: [0, 3] },
  async (request, call) => {
    const counts = new Map<string, number>()
    for (const { name } of request.topics) counts.set(name, (counts.get(name) ?? 0) + 1)
    const results: Row[] = []
    for (const asked of request.topics) {
      const isRepeated = (counts.get(asked.name) ?? 0) > 1
      results.push(
        isRepeated
          ? refused(asked.name, errorCodes.INVALID_REQUEST, 'the topic is named twice')
          : await grow(asked, request.validateOnly, call),
      )
    }
    return { results }
  },
)

async function grow(asked: Asked, validateOnly: boolean, { broker }: Call): Promise<Row> {
  const { name, count, assignments } = asked
  const topic = broker.topics.named(name)
  if (topic === undefined)
    return refused(name, errorCodes.UNKNOWN_TOPIC_OR_PARTITION, `there is no topic ${name}`)
  if (count <= topic.partitions || count > mostPartitions) {
    return refused(
      name,
      errorCodes.INVALID_PARTITIONS,
      `${name} has ${topic.partitions} partitions; the new total is above that, at most ${mostPartitions}`,
    )
  }
  const { nodeId } = broker.store
  const isOurs =
    assignments === null ||
    assignments.length === 0 ||
    (assignments.length === count - topic.partitions &&
      assignments.every(({ brokerIds }) => brokerIds.length === 1 && brokerIds[0] === nodeId))
  if (!isOurs) {
    return refused(
      name,
      errorCodes.INVALID_REPLICA_ASSIGNMENT,
      `every new partition is on broker ${nodeId} alone`,
    )
  }
  try {
    if (!validateOnly) await broker.topics.addPartitions(topic, count)
    return { name, errorCode: errorCodes.NONE, errorMessage: null }
  } catch (error) {
    if (!isFailure(error)) throw error
    return refused(name, errorCodes.KAFKA_STORAGE_ERROR, error.message)
  }
}

function refused(name: string, errorCode: number, errorMessage: string): Row {
  return { name, errorCode, errorMessage }
}
