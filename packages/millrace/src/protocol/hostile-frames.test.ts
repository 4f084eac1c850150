import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import * as fc from 'fast-check'

import { CodecError, isFailure } from '../errors/index.ts'
import { apis } from './apis/apis.ts'
import { groupMetadataValue, offsetCommitValue } from './embedded/coordinator-records.ts'
import { consumerAssignment, consumerSubscription } from './embedded/consumer-protocol.ts'
import { decodeResponse, encodeRequest, readCorrelationId, readRequestHeader } from './messages.ts'
import { anyMessage } from './schema/any-message.contract.ts'
import { compiledCodec, interpretedCodec } from './schema/body-codec.ts'
import type { AnyApi } from './schema/define-api.ts'
import type { Message } from './schema/message.ts'

type Mutation = (bytes: Buffer) => Buffer

/** Damage as bad peers and bad networks do it; `at` runs over the bytes that are there. */
const mutation: fc.Arbitrary<Mutation> = fc
  .record({
    at: fc.nat(),
    kind: fc.constantFrom('cut', 'flip', 'set', 'length32', 'varint', 'drop', 'repeat'),
    byte: fc.integer({ min: 0, max: 255 }),
    length: fc.constantFrom(0x7fffffff, 0x7ffffffe, -1, -2, -0x80000000, 0x10000, 0x01000000),
    varint: fc.constantFrom('ffffffff0f', 'ffffffff7f', 'ffffffffffff', '808080808000', '80808008'),
  })
  .map(({ at, kind, byte, length, varint }): Mutation => (bytes) => {
    if (bytes.length === 0) return bytes
    const place = at % bytes.length
    const changed = Buffer.from(bytes)
    switch (kind) {
      case 'cut':
        return changed.subarray(0, place)
      case 'flip':
        changed[place] = (changed[place] ?? 0) ^ (1 << (byte % 8))
        return changed
      case 'set':
        changed[place] = byte
        return changed
      case 'length32':
        if (place + 4 <= changed.length) changed.writeInt32BE(length, place)
        return changed
      case 'varint':
        Buffer.from(varint, 'hex').copy(changed, place)
        return changed
      case 'drop':
        return Buffer.concat([changed.subarray(0, place), changed.subarray(place + 1)])
      case 'repeat':
        return Buffer.concat([changed.subarray(0, place), changed])
    }
  })

const damage = fc.array(mutation, { minLength: 1, maxLength: 3 })

function damaged(bytes: Buffer, mutations: readonly Mutation[]): Buffer {
  let result = bytes
  for (const mutate of mutations) result = mutate(result)
  return result
}

/** The value, or the text of the only error that may come. */
function outcomeOf<T>(decode: () => T): T | string {
  try {
    return decode()
  } catch (error) {
    assert.ok(
      error instanceof CodecError && isFailure(error, 'MR_PROTOCOL_MALFORMED'),
      String(error),
    )
    return error.message
  }
}

/** Elements of all lists, and bytes of all strings and buffers: what decoding has allocated. */
function weightOf(value: unknown): number {
  if (typeof value === 'string' || value instanceof Uint8Array) return value.length
  if (Array.isArray(value)) {
    return value.reduce((sum: number, one) => sum + 1 + weightOf(one), 0)
  }
  if (typeof value !== 'object' || value === null) return 0
  return Object.values(value).reduce((sum: number, one) => sum + weightOf(one), 0)
}

const messages: readonly Message[] = [
  ...Object.values<AnyApi>(apis).flatMap((api) => [api.request, api.response]),
  consumerSubscription.message,
  consumerAssignment.message,
  groupMetadataValue.message,
  offsetCommitValue.message,
]

describe('a damaged body', () => {
  for (const message of messages) {
    it(`of ${message.name} gives a value no larger than itself or MR_PROTOCOL_MALFORMED`, () => {
      const compiled = message.with(compiledCodec)
      const interpreted = message.with(interpretedCodec)
      // What a uuid takes in text beyond its bytes, and what absent fields hold.
      const defaults = weightOf(compiled.decodeBody(...emptyBody(message)))
      for (let version = message.versions[0]; version <= message.versions[1]; version++) {
        const property = fc.property(
          anyMessage(message.shape, version),
          damage,
          (value, mutations) => {
            const bytes = damaged(compiled.encodeBody(version, value), mutations)
            const outcome = outcomeOf(() => compiled.decodeBody(version, bytes))
            assert.deepEqual(
              outcomeOf(() => interpreted.decodeBody(version, bytes)),
              outcome,
            )
            if (typeof outcome === 'string') return
            assert.ok(weightOf(outcome) <= defaults + (bytes.length + 1) * 22)
          },
        )
        fc.assert(property, { numRuns: 25 })
      }
    })
  }
})

function emptyBody(message: Message): [version: number, body: Buffer] {
  const version = message.versions[1]
  return [version, message.encodeBody(version, {})]
}

describe('a damaged frame', () => {
  it('has a readable header or is MR_PROTOCOL_MALFORMED', () => {
    const anyApi = fc.constantFrom(...Object.values<AnyApi>(apis))
    const property = fc.property(anyApi, fc.nat(), damage, (api, nth, mutations) => {
      const version = api.versions[0] + (nth % (api.versions[1] - api.versions[0] + 1))
      const header = { correlationId: nth, clientId: 'client' }
      const frame = Buffer.concat(encodeRequest(api, version, header, {})).subarray(4)
      const bytes = damaged(frame, mutations)
      const outcome = outcomeOf(() => readRequestHeader(bytes))
      if (typeof outcome !== 'string') assert.ok(outcome.bodyOffset <= bytes.length)
    })
    fc.assert(property, { numRuns: 500 })
  })

  it('of noise is a response or MR_PROTOCOL_MALFORMED', () => {
    const anyApi = fc.constantFrom(...Object.values<AnyApi>(apis))
    const property = fc.property(anyApi, fc.nat(), fc.uint8Array(), (api, nth, noise) => {
      const version = api.versions[0] + (nth % (api.versions[1] - api.versions[0] + 1))
      const frame = Buffer.from(noise)
      outcomeOf(() => decodeResponse(api, version, frame))
      outcomeOf(() => readCorrelationId(frame))
    })
    fc.assert(property, { numRuns: 1000 })
  })
})

describe('a malformed message', () => {
  it('is reported with offset, field path and the bytes around it', () => {
    const topics = [{ name: 'a' }, { name: 'orders', partitions: [{ partitionIndex: 1 }] }]
    const body = apis.listOffsets.request.encodeBody(1, { topics })
    const cut = body.subarray(0, body.length - 3)
    assert.throws(() => apis.listOffsets.request.decodeBody(1, cut), {
      code: 'MR_PROTOCOL_MALFORMED',
      message:
        'malformed ListOffsets request v1: topics[1].partitions: a list of 1, at least 12 bytes each, ' +
        '9 left at byte 23 of 36 (00066f7264657273|00000001000000010000000000)',
    })
  })

  it('is a list whose count exceeds what its bytes can hold, before anything is allocated', () => {
    const body = Buffer.from('7fffffff', 'hex')
    assert.throws(
      () => apis.heartbeat.request.decodeBody(0, Buffer.from('7fff61', 'hex')),
      /groupId: 32767 bytes wanted, 1 left at byte 2 of 3/,
    )
    assert.throws(
      () => apis.describeGroups.request.decodeBody(0, body),
      /groups: a list of 2147483647, at least 2 bytes each, 0 left/,
    )
  })

  it('is a length below -1, and null where there must be a value', () => {
    const negative = Buffer.from('fffe', 'hex')
    assert.throws(() => apis.heartbeat.request.decodeBody(0, negative), /groupId: a length of -2/)
    const absent = Buffer.from('ffff', 'hex')
    assert.throws(() => apis.heartbeat.request.decodeBody(0, absent), /groupId: null where/)
    const compact = Buffer.from('00', 'hex')
    assert.throws(() => apis.heartbeat.request.decodeBody(4, compact), /groupId: null where/)
  })

  it('is a tagged field that is not as long as its size says', () => {
    const { response } = apis.apiVersions
    const body = response.encodeBody(3, { finalizedFeaturesEpoch: 5 })
    const at = body.indexOf(Buffer.from('0108', 'hex'))
    body[at + 1] = 7
    assert.throws(() => response.decodeBody(3, body), /finalizedFeaturesEpoch: a tagged field ends/)
  })
})
