import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { crc32c, crc32cByTable } from './crc32c.ts'

describe('CRC-32C', () => {
  it('gives the check value of the catalogue and the vectors of RFC 3720', () => {
    assert.equal(crc32c(Buffer.from('123456789')), 0xe3069283)
    assert.equal(crc32c(Buffer.alloc(32)), 0x8a9136aa)
    assert.equal(crc32c(Buffer.alloc(32, 0xff)), 0x62a8ab43)
    assert.equal(crc32c(Buffer.alloc(0)), 0)
  })

  it('is the same from the table and from the native module, at any alignment, whole or in parts', () => {
    const bytes = fc.uint8Array({ maxLength: 2000 })
    fc.assert(
      fc.property(bytes, fc.nat(7), fc.nat(2000), (raw, skip, cut) => {
        const slice = raw.subarray(Math.min(skip, raw.length))
        const whole = crc32cByTable(slice)
        assert.equal(crc32c(slice), whole)
        const at = Math.min(cut, slice.length)
        assert.equal(crc32c(slice.subarray(at), crc32c(slice.subarray(0, at))), whole)
        assert.equal(crc32cByTable(slice.subarray(at), crc32cByTable(slice.subarray(0, at))), whole)
      }),
    )
  })
})
