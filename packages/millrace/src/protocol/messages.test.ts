import assert from 'node:assert/strict'
import { describe, it } from 'node:test'

import {
  apis,
  decodeRequest,
  decodeResponse,
  encodeRequest,
  encodeResponse,
  readCorrelationId,
  readRequestHeader,
} from './index.ts'
import type { RequestInput, RequestOf, ResponseInput } from './index.ts'

/** A frame as it arrives: the slices in one piece, the size taken off and checked. */
function frameOf(slices: readonly Buffer[]): Buffer {
  const whole = Buffer.concat(slices)
  assert.equal(whole.readInt32BE(0), whole.length - 4)
  return whole.subarray(4)
}

describe('requests', () => {
  it('carries a request to the other side with header v1 and v2', () => {
    for (const version of [7, 13]) {
      const body: RequestInput<typeof apis.produce> = {
        acks: -1,
        timeoutMs: 30_000,
        topicData: [
          { name: 'orders', partitionData: [{ index: 3, records: Buffer.from('batch') }] },
        ],
      }
      const header = { correlationId: 7, clientId: 'web' }
      const frame = frameOf(encodeRequest(apis.produce, version, header, body))
      const read = readRequestHeader(frame)
      assert.equal(read.apiKey, 0)
      assert.equal(read.apiVersion, version)
      assert.equal(read.correlationId, 7)
      assert.equal(read.clientId, 'web')
      const request: RequestOf<typeof apis.produce> = decodeRequest(
        apis.produce,
        version,
        frame,
        read.bodyOffset,
      )
      assert.equal(request.transactionalId, null)
      assert.equal(request.acks, -1)
      assert.equal(request.topicData[0]?.partitionData[0]?.records?.toString(), 'batch')
      assert.equal(request.topicData[0].name, version < 13 ? 'orders' : '')
    }
  })

  it('reads the header of a key and of a version that it does not know', () => {
    const header = { correlationId: 9, clientId: 'old' }
    const frame = frameOf(encodeRequest(apis.apiVersions, 2, header, {}))
    frame.writeInt16BE(99, 2)
    assert.deepEqual(readRequestHeader(frame), {
      apiKey: 18,
      apiVersion: 99,
      correlationId: 9,
      clientId: 'old',
      bodyOffset: -1,
    })
    frame.writeInt16BE(4711, 0)
    assert.equal(readRequestHeader(frame).bodyOffset, -1)
    // The client id of a version to come may be cut or in a form that nobody knows yet.
    assert.equal(readRequestHeader(frame.subarray(0, 9)).clientId, null)
  })

  it('gives every field at every version', () => {
    const header = { correlationId: 1, clientId: null }
    for (const version of [4, 12, 18]) {
      const frame = frameOf(encodeRequest(apis.fetch, version, header, { topics: [{}] }))
      const request = decodeRequest(apis.fetch, version, frame, readRequestHeader(frame).bodyOffset)
      assert.deepEqual(Object.keys(request), Object.keys(apis.fetch.request.shape))
      assert.equal(request.maxBytes, 0x7fffffff)
      assert.equal(request.sessionEpoch, -1)
      assert.deepEqual(request.replicaState, { replicaId: -1, replicaEpoch: -1 })
      assert.equal(request.topics[0]?.topicId, 'AAAAAAAAAAAAAAAAAAAAAA')
    }
  })
})

describe('responses', () => {
  it('lays record slices into the answer without copying them', () => {
    const slices = [Buffer.from('first'), Buffer.from('second')]
    const body: ResponseInput<typeof apis.fetch> = {
      responses: [
        {
          topic: 'orders',
          partitions: [
            { partitionIndex: 0, records: slices },
            { partitionIndex: 1, records: null },
            { partitionIndex: 2, records: Buffer.alloc(0) },
          ],
        },
      ],
    }
    for (const version of [4, 12]) {
      const parts = encodeResponse(apis.fetch, version, 5, body)
      assert.equal(parts[1], slices[0])
      assert.equal(parts[2], slices[1])
      const frame = frameOf(parts)
      assert.equal(readCorrelationId(frame), 5)
      const response = decodeResponse(apis.fetch, version, frame)
      const records = response.responses[0]?.partitions.map((one) => one.records?.toString())
      assert.deepEqual(records, ['firstsecond', undefined, ''])
    }
  })

  it('answers ApiVersions with response header v0 at every version', () => {
    for (const version of [0, 1, 2, 3, 4]) {
      const frame = frameOf(encodeResponse(apis.apiVersions, version, 1, { errorCode: 42 }))
      assert.equal(frame.readInt16BE(4), 42)
      assert.equal(decodeResponse(apis.apiVersions, version, frame).errorCode, 42)
    }
  })

  it('reads an ApiVersions answer with error 35 in the layout of v0', () => {
    const apiKeys = [{ apiKey: 18, minVersion: 0, maxVersion: 3 }]
    const frame = frameOf(encodeResponse(apis.apiVersions, 0, 1, { errorCode: 35, apiKeys }))
    assert.deepEqual(decodeResponse(apis.apiVersions, 4, frame).apiKeys, apiKeys)
  })
})

describe('values that a field cannot hold', () => {
  const header = { correlationId: 1, clientId: null }

  it('are refused with the path of the field', () => {
    const partitions = [{ partition: 1.5 }]
    assert.throws(
      () => encodeRequest(apis.fetch, 4, header, { topics: [{}, { topic: 'orders', partitions }] }),
      {
        code: 'MR_PROTOCOL_UNENCODABLE',
        message:
          'cannot encode Fetch request v4: topics[1].partitions[0].partition: 1.5 is no int32',
      },
    )
    assert.throws(() => encodeRequest(apis.heartbeat, 0, header, { groupId: 'a'.repeat(40_000) }), {
      message: /groupId: a string of 40000 bytes/,
    })
    assert.throws(
      () => encodeRequest(apis.metadata, 9, header, { topics: [{ name: null }] }),
      /topics\[0\]\.name: null is no string/,
    )
  })

  it('are versions that the API does not have', () => {
    assert.throws(() => encodeRequest(apis.produce, 2, header, {}), {
      code: 'MR_PROTOCOL_VERSION_UNSUPPORTED',
      message: 'there is no version 2 of Produce request here, only 3 to 13',
    })
  })
})
