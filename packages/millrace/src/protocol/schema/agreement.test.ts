import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import * as fc from 'fast-check'

import { isFailure } from '../../errors/index.ts'
import { apis } from '../apis/apis.ts'
import { groupMetadataValue, offsetCommitValue } from '../embedded/coordinator-records.ts'
import { consumerAssignment, consumerSubscription } from '../embedded/consumer-protocol.ts'
import { anyMessage } from './any-message.contract.ts'
import { compiledCodec, interpretedCodec } from './body-codec.ts'
import { bool, i16, i32, i64, i8, list, records, str, struct, uuid, bytes } from './field.ts'
import { Message } from './message.ts'
import type { AnyApi } from './define-api.ts'

/** Everything that the schema language can say, more than any API of Kafka says at once. */
const everything = new Message({
  name: 'everything',
  versions: [0, 5],
  flexible: 3,
  shape: {
    key: i8.since(1).default(7),
    narrow: i16.until(2),
    wide: i64.default(2 ** 63),
    sure: struct({ id: uuid }),
    maybe: struct({ id: uuid, inner: struct({ flag: bool }).nullable(2) })
      .since(2)
      .nullable(2),
    words: list(str).nullable(1).default([]),
    numbers: list(i32),
    blobs: list(bytes),
    batches: list(
      struct({
        records: records.nullable(2).default(Buffer.alloc(0)),
        name: str.nullable().default(''),
      }),
    ),
    late: str.since(3).default('x').tagged(9),
    early: struct({ a: i32.default(-1), b: list({ c: i64 }) })
      .since(3)
      .tagged(2),
    none: struct({ a: i32 }).since(4).nullable(4).tagged(3),
    blob: bytes.since(3).nullable(4).tagged(130),
    flag: bool.since(3).default(true).tagged(4),
    rows: list({ at: i32, note: str.since(3).tagged(0) })
      .since(3)
      .tagged(1),
  },
})

const messages: readonly Message[] = [
  everything,
  ...Object.values<AnyApi>(apis).flatMap((api) => [api.request, api.response]),
  consumerSubscription.message,
  consumerAssignment.message,
  groupMetadataValue.message,
  offsetCommitValue.message,
]

describe('compiled and interpreted codec', () => {
  for (const message of messages) {
    it(`agree on ${message.name} at every version, and give back what was put in`, () => {
      const compiled = message.with(compiledCodec)
      const interpreted = message.with(interpretedCodec)
      const [min, max] = message.versions
      for (let version = min; version <= max; version++) {
        const property = fc.property(anyMessage(message.shape, version), (value) => {
          const written = compiled.encodeBody(version, value)
          assert.equal(
            interpreted.encodeBody(version, value).toString('hex'),
            written.toString('hex'),
          )
          const read = compiled.decodeBody(version, written)
          assert.deepEqual(interpreted.decodeBody(version, written), read)
          assert.deepEqual(Object.keys(read), Object.keys(message.shape))
          // What was read says everything that was written.
          assert.equal(compiled.encodeBody(version, read).toString('hex'), written.toString('hex'))
        })
        fc.assert(property, { numRuns: message === everything ? 100 : 12 })
      }
    })
  }

  it('refuse the same values with the same words', () => {
    const wrong: readonly (readonly [number, Readonly<Record<string, unknown>>])[] = [
      [1, { key: 200 }],
      [1, { key: null }],
      [0, { narrow: '1' }],
      [0, { narrow: 40_000 }],
      [0, { wide: 0.5 }],
      [0, { wide: Infinity }],
      [1, { sure: null }],
      [2, { maybe: 1 }],
      [2, { maybe: { id: 'short' } }],
      [2, { maybe: { id: '!!!!!!!!!!!!!!!!!!!!!!' } }],
      [2, { maybe: { inner: { flag: 'yes' } } }],
      [0, { words: null }],
      [4, { words: ['a', null] }],
      [4, { words: 'ab' }],
      [4, { numbers: [1, undefined] }],
      [4, { blobs: [null] }],
      [4, { blobs: ['text'] }],
      [1, { batches: [{}, { records: null }] }],
      [1, { batches: [{}, undefined] }],
      [5, { batches: [{ records: 'text' }] }],
      [3, { early: { a: 1, b: [{}, { c: '1' }] } }],
      [3, { late: 1 }],
      [3, { late: 'a'.repeat(40_000) }],
    ]
    for (const [version, value] of wrong) {
      const errors = [compiledCodec, interpretedCodec].map((makeCodec) => {
        try {
          everything.with(makeCodec).encodeBody(version, value)
        } catch (error) {
          return error
        }
        return assert.fail(`v${version} took ${JSON.stringify(value)}`)
      })
      assert.ok(isFailure(errors[0], 'MR_PROTOCOL_UNENCODABLE'), String(errors[0]))
      assert.deepEqual(String(errors[0]), String(errors[1]))
    }
  })

  it('make objects with the same keys in the same order, whatever the version', () => {
    const [older, newer] = [1, 5].map((version) => {
      const compiled = everything.with(compiledCodec)
      return compiled.decodeBody(version, compiled.encodeBody(version, {}))
    })
    assert.deepEqual(Object.keys(older ?? {}), Object.keys(newer ?? {}))
  })
})

describe('the schema language', () => {
  it('keeps tagged fields out of the bytes while they hold their default', () => {
    const bare = everything.encodeBody(3, {})
    const said = everything.encodeBody(3, {
      late: 'x',
      early: { a: -1, b: [] },
      flag: true,
      rows: [],
    })
    assert.equal(said.toString('hex'), bare.toString('hex'))
    assert.equal(bare.at(-1), 0)
  })

  it('writes tags in ascending order, long values included', () => {
    const note = 'n'.repeat(300)
    const value = everything.decodeBody(
      5,
      everything.encodeBody(5, { late: 'y'.repeat(20_000), rows: [{ at: 1, note }], flag: false }),
    )
    assert.equal(value.late.length, 20_000)
    assert.deepEqual(value.rows, [{ at: 1, note }])
    assert.equal(value.flag, false)
  })
})
