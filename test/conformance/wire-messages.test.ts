import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { describe, it } from 'node:test'

import {
  apiByKey,
  apis,
  consumerAssignment,
  consumerSubscription,
  cooperativeStickyUserData,
  decodeResponse,
  encodeRequest,
  encodeResponse,
  groupMetadataKey,
  groupMetadataValue,
  offsetCommitKey,
  offsetCommitValue,
  readCorrelationId,
  readRequestHeader,
  stickyUserData,
  type AnyApi,
  type Field,
  type Shape,
  type Struct,
} from '../../packages/millrace/src/protocol/index.ts'
import {
  compiledCodec,
  interpretedCodec,
} from '../../packages/millrace/src/protocol/schema/body-codec.ts'
import { defaultOf } from '../../packages/millrace/src/protocol/schema/facts.ts'
import { goldenJson, goldenRows } from './golden-rows.ts'

type Json = Readonly<Record<string, unknown>>

interface MessageRow {
  readonly api: string
  readonly key: number
  readonly version: number
  readonly direction: 'request' | 'response'
  readonly flexible: boolean
  readonly kind: 'defaults' | 'full' | 'mixed' | 'sparse' | 'unknown-tags'
  readonly hex: string
  readonly json: Json
}

interface StructRow {
  readonly name: string
  readonly kind: string
  readonly version: number
  readonly hex: string
  readonly json: Json
}

interface Headers {
  readonly apis: readonly {
    readonly api: string
    readonly key: number
    readonly firstFlexible: number | null
    readonly requestHeaderVersion: Readonly<Record<string, number>>
    readonly responseHeaderVersion: Readonly<Record<string, number>>
    /** The range of Kafka 4.1.2. */
    readonly kafka41: readonly [min: number, max: number]
  }[]
  readonly requestHeaders: readonly {
    readonly headerVersion: number
    readonly kind: string
    readonly hex: string
    readonly json: {
      readonly requestApiKey: number
      readonly requestApiVersion: number
      readonly correlationId: number
      readonly clientId: string | null
    }
  }[]
  readonly responseHeaders: readonly {
    readonly headerVersion: number
    readonly hex: string
    readonly json: { readonly correlationId: number }
  }[]
}

/** The row's JSON as our decoder shows it: all fields, bytes as Buffers. */
function fullShape(shape: Shape, json: Json): Json {
  const unknown = Object.keys(json).filter((name) => !(name in shape))
  assert.deepEqual(unknown, [], 'fields that the schema does not have')
  const values: Record<string, unknown> = {}
  for (const [name, field] of Object.entries(shape)) {
    values[name] = name in json ? fullValue(field, json[name]) : defaultOf(field)
  }
  return values
}

function fullValue(field: Field<unknown>, value: unknown): unknown {
  if (value === null) return null
  const { kind, element, shape } = field.spec
  if (kind === 'bytes' || kind === 'records') return Buffer.from(value as string, 'base64')
  if (element) return (value as readonly unknown[]).map((one) => fullValue(element, one))
  if (shape) return fullShape(shape, value as Json)
  return value
}

const rowsByApi = Map.groupBy(goldenRows('messages') as readonly MessageRow[], (row) => row.api)
const makers = { compiled: compiledCodec, interpreted: interpretedCodec }

for (const [how, makeCodec] of Object.entries(makers)) {
  describe(`${how} messages, as Apache Kafka wrote them`, () => {
    for (const [name, rows] of rowsByApi) {
      it(`${name}: same values, same bytes`, () => {
        const api = apiByKey.get(rows[0]!.key)!
        const messages = {
          request: api.request.with(makeCodec),
          response: api.response.with(makeCodec),
        }
        for (const { version, direction, kind, hex, json } of rows) {
          const where = `v${version} ${direction} ${kind}`
          const message = messages[direction]
          const value = fullShape(message.shape, json)
          assert.deepEqual(message.decodeBody(version, Buffer.from(hex, 'hex')), value, where)
          // Tags that nobody knows are read past, and not written again.
          const written = message.encodeBody(version, value).toString('hex')
          if (kind === 'unknown-tags') assert.ok(written.length < hex.length, where)
          else assert.equal(written, hex, where)
          if (kind === 'defaults') {
            assert.equal(message.encodeBody(version, {}).toString('hex'), hex, `${where}, left out`)
          }
        }
      })
    }
  })
}

describe('golden rows', () => {
  it('cover every API at every version in both directions', () => {
    const seen = new Set(
      Array.from(rowsByApi.values())
        .flat()
        .map((row) => `${row.key} ${row.version} ${row.direction}`),
    )
    const missing: string[] = []
    for (const api of Object.values<AnyApi>(apis)) {
      for (let version = api.versions[0]; version <= api.versions[1]; version++) {
        for (const direction of ['request', 'response']) {
          if (!seen.has(`${api.key} ${version} ${direction}`)) {
            missing.push(`${api.name} v${version} ${direction}`)
          }
        }
      }
    }
    // v0 is gone from Kafka 4; monitoring tools still send it.
    assert.deepEqual(missing, ['ListOffsets v0 request', 'ListOffsets v0 response'])
  })
})

describe('ListOffsets v0', () => {
  it('asks for old segment starts and is answered with their offsets', () => {
    const { request, response } = apis.listOffsets
    const question = request.encodeBody(0, {
      replicaId: -1,
      topics: [{ name: 'a', partitions: [{ partitionIndex: 2, timestamp: -1, maxNumOffsets: 9 }] }],
    })
    const asked = 'ffffffff 00000001 000161 00000001 00000002 ffffffffffffffff 00000009'
    assert.equal(question.toString('hex'), asked.replaceAll(' ', ''))
    const answered =
      '00000001 000161 00000001 00000002 0000 00000002 0000000000000007 0000000000000000'.replaceAll(
        ' ',
        '',
      )
    const answer = response.decodeBody(0, Buffer.from(answered, 'hex'))
    assert.deepEqual(answer.topics[0]?.partitions[0]?.oldStyleOffsets, [7, 0])
    assert.equal(response.encodeBody(0, answer).toString('hex'), answered)
  })
})

describe('headers, as Apache Kafka wrote them', () => {
  const headers = goldenJson('headers') as Headers

  it('have the version that each API and version asks for', () => {
    for (const row of headers.apis) {
      const api = apiByKey.get(row.key)!
      assert.equal(api.name, row.api)
      assert.equal(api.flexible, row.firstFlexible, row.api)
      assert.equal(api.versions[1], row.kafka41[1], row.api)
      const min = api === apis.listOffsets ? 0 : row.kafka41[0]
      assert.equal(api.versions[0], api === apis.produce ? 3 : min, row.api)
      for (let version = row.kafka41[0]; version <= api.versions[1]; version++) {
        if (!api.request.hasVersion(version)) continue
        const header = { correlationId: 1, clientId: null }
        const request = Buffer.concat(encodeRequest(api, version, header, {}))
        const { bodyOffset } = readRequestHeader(request.subarray(4))
        assert.equal(bodyOffset, row.requestHeaderVersion[version] === 2 ? 11 : 10, row.api)
        const response = Buffer.concat(encodeResponse(api, version, 1, {}))
        const bodySize = api.response.encodeBody(version, {}).length
        assert.equal(response.length - bodySize - 8, row.responseHeaderVersion[version], row.api)
      }
    }
  })

  it('read as what they say', () => {
    for (const { headerVersion, hex, json } of headers.requestHeaders) {
      const header = readRequestHeader(Buffer.from(hex, 'hex'))
      assert.equal(header.apiKey, json.requestApiKey)
      assert.equal(header.apiVersion, json.requestApiVersion)
      assert.equal(header.correlationId, json.correlationId)
      assert.equal(header.clientId, json.clientId)
      const api = apiByKey.get(header.apiKey)
      if (api?.request.hasVersion(header.apiVersion)) {
        assert.equal(api.request.isFlexible(header.apiVersion), headerVersion === 2)
        assert.equal(header.bodyOffset, hex.length / 2)
      }
    }
    for (const { hex, json } of headers.responseHeaders) {
      assert.equal(readCorrelationId(Buffer.from(hex, 'hex')), json.correlationId)
    }
  })

  it('are read past unknown tags, to the body', () => {
    for (const { headerVersion, hex, json } of headers.responseHeaders) {
      const api = headerVersion === 1 ? apis.heartbeat : apis.apiVersions
      const body = api.response.encodeBody(4, { errorCode: 27 })
      const answer = decodeResponse(api, 4, Buffer.concat([Buffer.from(hex, 'hex'), body]))
      assert.equal(answer.errorCode, 27, String(json.correlationId))
    }
    for (const { headerVersion, hex, json } of headers.requestHeaders) {
      const frame = Buffer.from(hex, 'hex')
      const version = headerVersion === 1 ? 3 : 4
      frame.writeInt16BE(apis.heartbeat.key, 0)
      frame.writeInt16BE(version, 2)
      const header = readRequestHeader(frame)
      assert.equal(header.bodyOffset, frame.length, String(json.correlationId))
    }
  })
})

describe('structs inside fields and records, as Apache Kafka wrote them', () => {
  const structs: Readonly<Record<string, Struct<Shape>>> = {
    ConsumerProtocolSubscription: consumerSubscription,
    ConsumerProtocolAssignment: consumerAssignment,
    CooperativeStickyAssignorUserData: cooperativeStickyUserData,
    StickyAssignorUserData: stickyUserData,
    LegacyOffsetCommitKey: offsetCommitKey,
    LegacyOffsetCommitValue: offsetCommitValue,
    OffsetCommitKey: offsetCommitKey,
    OffsetCommitValue: offsetCommitValue,
    GroupMetadataKey: groupMetadataKey,
    GroupMetadataValue: groupMetadataValue,
  }
  const rowsByName = Map.groupBy(goldenRows('embedded') as readonly StructRow[], (row) => row.name)

  for (const [name, rows] of rowsByName) {
    it(`${name}: same values, same bytes`, () => {
      const struct = structs[name]!
      for (const { kind, version, hex, json } of rows) {
        const where = `v${version} ${kind}`
        const value = fullShape(struct.message.shape, json)
        assert.deepEqual(struct.decode(Buffer.from(hex, 'hex')), value, where)
        const isNewer = kind === 'future-version'
        if (!isNewer) assert.equal(struct.encode(version, value).toString('hex'), hex, where)
        const newest = isNewer ? 3 : version
        for (const makeCodec of Object.values(makers)) {
          const message = struct.message.with(makeCodec)
          const body = message.encodeBody(newest, value)
          assert.deepEqual(message.decodeBody(newest, body), value, where)
          if (!isNewer) assert.ok(hex.endsWith(body.toString('hex')), where)
        }
      }
    })
  }
})

describe('the codec', () => {
  it('works where code may not be generated', () => {
    const script = `
      import { apis, encodeRequest, decodeRequest, readRequestHeader } from '${new URL('../../packages/millrace/src/protocol/index.ts', import.meta.url).href}'
      const header = { correlationId: 1, clientId: 'a' }
      const frame = Buffer.concat(encodeRequest(apis.heartbeat, 4, header, { groupId: 'g' })).subarray(4)
      const { bodyOffset } = readRequestHeader(frame)
      console.log(decodeRequest(apis.heartbeat, 4, frame, bodyOffset).groupId)
    `
    const flags = ['--disallow-code-generation-from-strings', '--input-type=module', '-e', script]
    const { stdout, stderr } = spawnSync(process.execPath, flags, {
      encoding: 'utf8',
      timeout: 30_000,
    })
    assert.equal(stdout, 'g\n', stderr)
  })
})
