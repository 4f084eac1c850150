import assert from 'node:assert/strict'
import { describe, it } from 'node:test'

import fc from 'fast-check'

import { decodeHeaders, encodeHeaders } from './headers.ts'

describe('headers of a row', () => {
  it('come back with order, repeats, bytes and nulls', () => {
    const value = fc.oneof(
      fc.constant(null),
      fc.uint8Array().map((bytes) => Buffer.from(bytes)),
    )
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.string({ unit: 'binary' }), value)), (headers) => {
        assert.deepEqual(decodeHeaders(encodeHeaders(headers)), headers)
      }),
    )
  })
  it('take text as UTF-8', () => {
    assert.deepEqual(decodeHeaders(encodeHeaders([['ä', 'ö']])), [['ä', Buffer.from('ö')]])
  })
})
