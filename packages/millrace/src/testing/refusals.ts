import type { apis, RequestOf, ResponseInput } from '../protocol/index.ts'
import type { ApiName } from './scripted-broker.ts'

/**
 * Answers with an error code for requests that change something and must not: the code stands at every place that a
 * client looks at. Requests that change nothing are handled, and their answers stamped.
 */
type Refusals = {
  readonly [N in ApiName]?: (
    request: RequestOf<(typeof apis)[N]>,
    errorCode: number,
  ) => ResponseInput<(typeof apis)[N]>
}

export const refusals: Refusals = {
  produce: ({ topicData }, errorCode) => ({
    responses: topicData.map(({ name, topicId, partitionData }) => ({
      name,
      topicId,
      partitionResponses: partitionData.map(({ index }) => ({ index, errorCode, baseOffset: -1 })),
    })),
  }),
  offsetCommit: ({ topics }, errorCode) => ({
    topics: topics.map(({ name, partitions }) => ({
      name,
      partitions: partitions.map(({ partitionIndex }) => ({ partitionIndex, errorCode })),
    })),
  }),
  joinGroup: ({ memberId }, errorCode) => ({ errorCode, generationId: -1, memberId }),
  syncGroup: (_request, errorCode) => ({ errorCode, assignment: Buffer.alloc(0) }),
  heartbeat: (_request, errorCode) => ({ errorCode }),
  leaveGroup: (_request, errorCode) => ({ errorCode }),
  initProducerId: (_request, errorCode) => ({ errorCode }),
  createTopics: ({ topics }, errorCode) => ({
    topics: topics.map(({ name }) => ({ name, errorCode, errorMessage: null })),
  }),
  deleteTopics: ({ topics, topicNames }, errorCode) => ({
    responses: [
      ...topics.map(({ name, topicId }) => ({ name, topicId, errorCode })),
      ...topicNames.map((name) => ({ name, errorCode })),
    ],
  }),
  createPartitions: ({ topics }, errorCode) => ({
    results: topics.map(({ name }) => ({ name, errorCode })),
  }),
  deleteGroups: ({ groupsNames }, errorCode) => ({
    results: groupsNames.map((groupId) => ({ groupId, errorCode })),
  }),
  deleteRecords: ({ topics }, errorCode) => ({
    topics: topics.map(({ name, partitions }) => ({
      name,
      partitions: partitions.map(({ partitionIndex }) => ({
        partitionIndex,
        lowWatermark: -1,
        errorCode,
      })),
    })),
  }),
  offsetDelete: (_request, errorCode) => ({ errorCode }),
}

/** APIs that change nothing, so that their handlers may run for an answer to be stamped. */
export const readingApis: ReadonlySet<ApiName> = new Set<ApiName>([
  'apiVersions',
  'metadata',
  'fetch',
  'listOffsets',
  'offsetFetch',
  'findCoordinator',
  'describeGroups',
  'listGroups',
  'describeConfigs',
  'describeCluster',
  'describeLogDirs',
  'offsetForLeaderEpoch',
  'describeTopicPartitions',
])

const sessionCodes: ReadonlySet<number> = new Set([70, 71, 76])

/** An answer with the code at every place that has one. */
export function stamped(api: ApiName, answer: object, errorCode: number): object {
  // Clients take a code on top of these two for something else: a lost session, a wrong cluster.
  if (api === 'fetch') {
    const { responses = [] } = answer as { readonly responses?: readonly object[] }
    const isOnTop = sessionCodes.has(errorCode) || responses.length === 0
    return isOnTop
      ? { ...answer, errorCode, responses: [] }
      : { ...answer, responses: stamp(responses, errorCode) }
  }
  if (api === 'metadata') {
    const { topics = [] } = answer as { readonly topics?: readonly object[] }
    return { ...answer, topics: topics.map((topic) => ({ ...topic, errorCode, partitions: [] })) }
  }
  return stamp(answer, errorCode) as object
}

function stamp(value: unknown, errorCode: number): unknown {
  if (Array.isArray(value)) return value.map((one) => stamp(one, errorCode))
  if (typeof value !== 'object' || value === null || Buffer.isBuffer(value)) return value
  const entries = Object.entries(value).map(([name, own]): [string, unknown] => {
    if (name === 'errorCode') return [name, errorCode]
    return [name, name === 'records' ? Buffer.alloc(0) : stamp(own, errorCode)]
  })
  return Object.fromEntries(entries)
}

/** A Fetch answer whose first batch has one bit wrong under its checksum. */
export function corrupted(answer: object): object {
  let isDone = false
  const { responses = [] } = answer as ResponseInput<typeof apis.fetch>
  return {
    ...answer,
    responses: responses.map((topic) => ({
      ...topic,
      partitions: (topic.partitions ?? []).map((partition) => {
        const { records } = partition
        if (isDone || !records || records.length === 0) return partition
        isDone = true
        // What is answered may be the log's own memory.
        const copy = Buffer.from(records as Buffer)
        copy[firstBitAt] = (copy[firstBitAt] ?? 0) ^ 1
        return { ...partition, records: copy }
      }),
    })),
  }
}

/** In the first timestamp of a batch: covered by the checksum, and read by nobody before that was checked. */
const firstBitAt = 34
