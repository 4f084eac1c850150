import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import {
  apiByKey,
  apis,
  decodeResponse,
  encodeRequest,
  type AnyApi,
} from '../../../packages/millrace/src/protocol/index.ts'
import { startTestBroker } from '../../../packages/millrace/src/testing/index.ts'
import { batchOf } from './batches.ts'
import { connectRaw } from './raw-client.ts'

const member = { groupId: 'g', memberId: 'nobody', generationId: 1 }
const topic = { name: 'orders', partitions: [{ partitionIndex: 0, timestamp: -1 }] }

/** A request with something in it for each API; versions leave out what they lack. */
const requests: Readonly<Record<string, object>> = {
  Produce: {
    transactionalId: null,
    acks: -1,
    topicData: [{ name: 'orders', partitionData: [{ index: 0, records: batchOf(['a']) }] }],
  },
  Fetch: {
    maxWaitMs: 0,
    topics: [
      { topic: 'orders', partitions: [{ partition: 0, fetchOffset: 0, partitionMaxBytes: 1000 }] },
    ],
  },
  ListOffsets: { replicaId: -1, topics: [topic] },
  Metadata: { topics: [{ name: 'orders' }] },
  OffsetCommit: {
    groupId: 'tool',
    topics: [{ name: 'orders', partitions: [{ partitionIndex: 0, committedOffset: 1 }] }],
  },
  OffsetFetch: {
    groupId: 'tool',
    topics: [{ name: 'orders', partitionIndexes: [0] }],
    groups: [{ groupId: 'tool', topics: [{ name: 'orders', partitionIndexes: [0] }] }],
  },
  FindCoordinator: { key: 'g', coordinatorKeys: ['g', 'h'] },
  JoinGroup: {
    groupId: 'g',
    sessionTimeoutMs: 10_000,
    memberId: 'nobody',
    protocolType: 'consumer',
    protocols: [{ name: 'range', metadata: Buffer.from('x') }],
  },
  Heartbeat: member,
  LeaveGroup: { groupId: 'g', memberId: 'nobody', members: [{ memberId: 'nobody' }] },
  SyncGroup: member,
  DescribeGroups: { groups: ['tool', 'none'] },
  ApiVersions: { clientSoftwareName: 'raw', clientSoftwareVersion: '1.0' },
  CreateTopics: { topics: [{ name: 'made', numPartitions: 1, replicationFactor: 1 }] },
  DeleteTopics: { topicNames: ['none'], topics: [{ name: 'none' }] },
  InitProducerId: { transactionalId: null },
  OffsetForLeaderEpoch: {
    topics: [{ topic: 'orders', partitions: [{ partition: 0, leaderEpoch: 0 }] }],
  },
  DescribeConfigs: {
    resources: [{ resourceType: 2, resourceName: 'orders', configurationKeys: null }],
    includeSynonyms: true,
    includeDocumentation: true,
  },
  CreatePartitions: { topics: [{ name: 'orders', count: 1, assignments: null }] },
  DeleteRecords: {
    topics: [{ name: 'orders', partitions: [{ partitionIndex: 0, offset: 0 }] }],
  },
  AlterConfigs: { resources: [{ resourceType: 2, resourceName: 'orders' }] },
  DescribeLogDirs: { topics: null },
  IncrementalAlterConfigs: {
    resources: [
      {
        resourceType: 2,
        resourceName: 'orders',
        configs: [{ name: 'retention.ms', value: '1000' }],
      },
    ],
  },
  OffsetDelete: {
    groupId: 'tool',
    topics: [{ name: 'orders', partitions: [{ partitionIndex: 0 }] }],
  },
  DeleteGroups: { groupsNames: ['none'] },
}

describe('the broker', () => {
  it('answers every version that it announces, to the byte', async () => {
    await using broker = await startTestBroker({ topics: { orders: 2 } })
    await using client = await connectRaw(broker.port)
    const { apiKeys } = await client.ask(apis.apiVersions, 0, {})
    assert.ok(apiKeys.length >= 27)
    let asked = 0
    for (const { apiKey, maxVersion } of apiKeys) {
      const api = apiByKey.get(apiKey) as AnyApi
      for (let version = api.versions[0]; version <= maxVersion; version++) {
        const correlationId = 1000 + ++asked
        const body = requests[api.name] ?? {}
        client.write(encodeRequest(api, version, { correlationId, clientId: 'raw' }, body))
        const frame = await client.frame()
        assert.equal(frame.readInt32BE(0), correlationId)
        const answer = decodeResponse(api, version, frame)
        const again = api.response.encodeBody(version, answer)
        const isTagged =
          api.key !== apis.apiVersions.key && api.response.isFlexible(version) ? 1 : 0
        assert.equal(
          again.length + 4 + isTagged,
          frame.length,
          `${api.name} ${version} has nothing behind its answer`,
        )
      }
    }
    assert.ok(asked > 120, `${asked} versions`)
  })

  it('answers a version of ApiVersions from the future in the layout of v0', async () => {
    await using broker = await startTestBroker()
    await using client = await connectRaw(broker.port)
    const frame = Buffer.alloc(4 + 8 + 5, 0xff)
    frame.writeInt32BE(frame.length - 4, 0)
    frame.writeInt16BE(18, 4)
    frame.writeInt16BE(99, 6)
    frame.writeInt32BE(7, 8)
    client.write(frame)
    const answer = decodeResponse(apis.apiVersions, 99, await client.frame())
    assert.equal(answer.errorCode, 35)
    assert.ok(answer.apiKeys.some(({ apiKey }) => apiKey === 18))
    const next = await client.ask(apis.apiVersions, 4, {
      clientSoftwareName: 'raw',
      clientSoftwareVersion: '1',
    })
    assert.equal(next.errorCode, 0, 'the connection lives on')
    const odd = await client.ask(apis.apiVersions, 3, {
      clientSoftwareName: '-',
      clientSoftwareVersion: '1',
    })
    assert.equal(odd.errorCode, 42)
  })

  it('announces Produce from 0, and refuses what it does not serve by closing', async () => {
    await using broker = await startTestBroker()
    await using client = await connectRaw(broker.port)
    const { apiKeys } = await client.ask(apis.apiVersions, 0, {})
    assert.equal(apiKeys.find(({ apiKey }) => apiKey === 0)?.minVersion, 0)
    for (const [key, version] of [
      [0, 2],
      [0, 14],
      [4, 0],
      [999, 0],
      [3, -1],
    ] as const) {
      await using refused = await connectRaw(broker.port)
      const frame = Buffer.alloc(14)
      frame.writeInt32BE(10, 0)
      frame.writeInt16BE(key, 4)
      frame.writeInt16BE(version, 6)
      frame.writeInt16BE(-1, 12)
      refused.write(frame)
      await refused.closed
    }
    assert.equal((await client.ask(apis.apiVersions, 0, {})).errorCode, 0)
  })
})
