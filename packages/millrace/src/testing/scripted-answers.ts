import {
  readBatchHeader,
  type apis,
  type RequestOf,
  type ResponseInput,
} from '../protocol/index.ts'
import type { ApiName, ScriptedCall, ScriptedTopic } from './scripted-broker.ts'

/** What default answers are made of. */
export interface ScriptedWorld {
  readonly topics: ReadonlyMap<string, ScriptedTopic>
  readonly addresses: readonly string[]
  readonly versions: Partial<Record<ApiName, readonly [number, number]>>
  /** Log end offsets by `topic/partition`, moved by what is produced. */
  readonly ends: Map<string, number>
  readonly closed: AbortSignal
}

type DefaultAnswers = {
  readonly [N in ApiName]?: (
    request: RequestOf<(typeof apis)[N]>,
    call: ScriptedCall,
    world: ScriptedWorld,
  ) => ResponseInput<(typeof apis)[N]> | Promise<ResponseInput<(typeof apis)[N]>>
}

/** The uuid that a topic gets when the test gives none: the same for a name in every run. */
export function scriptedTopicId(name: string): string {
  return Buffer.from(name.padEnd(16, '~').slice(0, 16)).toString('base64url')
}

const noId = 'AAAAAAAAAAAAAAAAAAAAAA'
const unknownTopic = 3

/** A sensible answer of a healthy cluster that holds nothing, from the bodies of the requests alone. */
export const defaultAnswers: DefaultAnswers = {
  metadata(request, _call, world) {
    const asked =
      request.topics?.map(({ name, topicId }) => name ?? topicNamed(world, topicId)) ??
      Array.from(world.topics.keys())
    return {
      brokers: world.addresses.map((address, nodeId) => ({ nodeId, ...hostAndPort(address) })),
      clusterId: 'scripted',
      controllerId: 0,
      topics: asked.map((name) => {
        const topic = world.topics.get(name)
        if (!topic) return { errorCode: unknownTopic, name, topicId: noId, partitions: [] }
        return {
          name,
          topicId: topic.id ?? scriptedTopicId(name),
          partitions: Array.from({ length: topic.partitions }, (_, partitionIndex) => ({
            partitionIndex,
            leaderId: topic.leader?.(partitionIndex) ?? 0,
            leaderEpoch: topic.leaderEpoch ?? 0,
            replicaNodes: [0],
            isrNodes: [0],
          })),
        }
      }),
    }
  },
  findCoordinator(request, _call, world) {
    const self = { nodeId: 0, ...hostAndPort(world.addresses[0] ?? '') }
    return { ...self, coordinators: request.coordinatorKeys.map((key) => ({ key, ...self })) }
  },
  joinGroup(request, call) {
    const memberId = request.memberId || `${call.clientId ?? 'client'}-${call.connection}`
    const first = request.protocols[0]
    return {
      generationId: call.count,
      protocolType: request.protocolType,
      protocolName: first?.name ?? '',
      leader: memberId,
      memberId,
      members: [
        {
          memberId,
          groupInstanceId: request.groupInstanceId,
          metadata: first?.metadata ?? Buffer.alloc(0),
        },
      ],
    }
  },
  syncGroup: (request) => ({
    protocolType: request.protocolType,
    protocolName: request.protocolName,
    assignment: request.assignments[0]?.assignment ?? Buffer.alloc(0),
  }),
  leaveGroup: (request) => ({
    members: request.members.map(({ memberId, groupInstanceId }) => ({
      memberId,
      groupInstanceId,
    })),
  }),
  offsetCommit: (request) => ({
    topics: request.topics.map((topic) => ({
      name: topic.name,
      partitions: topic.partitions.map(({ partitionIndex }) => ({ partitionIndex })),
    })),
  }),
  offsetFetch(request) {
    return {
      topics: nothingCommitted(request.topics),
      groups: request.groups.map(({ groupId, topics }) => ({
        groupId,
        topics: nothingCommitted(topics),
      })),
    }
  },
  listOffsets: (request, _call, world) => ({
    topics: request.topics.map(({ name, partitions }) => ({
      name,
      partitions: partitions.map(({ partitionIndex, timestamp }) => ({
        partitionIndex,
        timestamp: -1,
        offset: timestamp === -1 ? (world.ends.get(`${name}/${partitionIndex}`) ?? 0) : 0,
      })),
    })),
  }),
  async fetch(request, _call, world) {
    await waited(request.maxWaitMs, world.closed)
    return {
      responses: request.topics.map(({ topic, topicId, partitions }) => ({
        topic,
        topicId,
        partitions: partitions.map(({ partition, fetchOffset }) => ({
          partitionIndex: partition,
          highWatermark: fetchOffset,
          lastStableOffset: fetchOffset,
          logStartOffset: 0,
          records: Buffer.alloc(0),
        })),
      })),
    }
  },
  produce: (request, _call, world) => ({
    responses: request.topicData.map(({ name, topicId, partitionData }) => ({
      name,
      topicId,
      partitionResponses: partitionData.map(({ index, records }) => {
        const at = `${name || topicNamed(world, topicId)}/${index}`
        const baseOffset = world.ends.get(at) ?? 0
        world.ends.set(at, baseOffset + (records ? readBatchHeader(records).recordsCount : 0))
        return { index, baseOffset, logAppendTimeMs: -1, logStartOffset: 0 }
      }),
    })),
  }),
  initProducerId: (_request, call) => ({ producerId: 1000 + call.count, producerEpoch: 0 }),
}

function nothingCommitted(topics: RequestOf<typeof apis.offsetFetch>['topics']) {
  return (topics ?? []).map(({ name, partitionIndexes }) => ({
    name,
    partitions: partitionIndexes.map((partitionIndex) => ({
      partitionIndex,
      committedOffset: -1,
      metadata: '',
    })),
  }))
}

function topicNamed(world: ScriptedWorld, id: string): string {
  for (const [name, topic] of world.topics)
    if ((topic.id ?? scriptedTopicId(name)) === id) return name
  return ''
}

function hostAndPort(address: string): { readonly host: string; readonly port: number } {
  const colon = address.lastIndexOf(':')
  return { host: address.slice(0, colon), port: Number(address.slice(colon + 1)) }
}

function waited(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms)
    signal.addEventListener('abort', () => {
      clearTimeout(timer)
      resolve()
    })
  })
}
