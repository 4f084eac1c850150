import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { compressSync } from 'snappy'
import { isFailure } from '../../errors/index.ts'
import { compress, compressionNames, decompress } from './index.ts'

const mebibyte = 1024 * 1024
const refusals = ['MR_PROTOCOL_COMPRESSION_BROKEN', 'MR_PROTOCOL_INFLATED_TOO_LARGE'] as const

describe('compression', () => {
  for (const codec of compressionNames) {
    it(`${codec} gives back what went in`, () => {
      const chunk = fc.tuple(fc.uint8Array({ maxLength: 300 }), fc.integer({ min: 1, max: 600 }))
      fc.assert(
        fc.property(fc.array(chunk, { maxLength: 5 }), (chunks) => {
          const bytes = Buffer.concat(
            chunks.flatMap(([part, times]) => Array.from({ length: times }, () => part)),
          )
          const back = decompress(codec, compress(codec, bytes), bytes.length + 1)
          assert.ok(back.equals(bytes))
        }),
        { numRuns: 50 },
      )
    })

    if (codec === 'none') continue

    it(`${codec} refuses to unfold beyond the bound, and unfolds up to it`, () => {
      const bomb = compress(codec, Buffer.alloc(8 * mebibyte))
      assert.throws(() => decompress(codec, bomb, mebibyte), {
        code: 'MR_PROTOCOL_INFLATED_TOO_LARGE',
      })
      assert.equal(decompress(codec, bomb, 8 * mebibyte).length, 8 * mebibyte)
    })

    it(`${codec} answers damage with an error of its own and never with another`, () => {
      const good = compress(codec, Buffer.from('the same words, '.repeat(200)))
      fc.assert(
        fc.property(
          fc.array(fc.tuple(fc.nat(good.length - 1), fc.nat(255)), { minLength: 1, maxLength: 8 }),
          fc.nat(good.length),
          (changes, length) => {
            const bad = Buffer.from(good)
            for (const [at, byte] of changes) bad[at] = byte
            try {
              assert.ok(decompress(codec, bad.subarray(0, length), mebibyte).length <= mebibyte)
            } catch (error) {
              assert.ok(isFailure(error, ...refusals), String(error))
            }
          },
        ),
        { numRuns: 300 },
      )
    })
  }

  it('reads snappy without the stream framing, and streams behind one another', () => {
    const bytes = Buffer.from('a raw block '.repeat(50))
    assert.ok(decompress('snappy', compressSync(bytes), mebibyte).equals(bytes))
    const stream = compress('snappy', bytes)
    const twice = decompress('snappy', Buffer.concat([stream, stream]), mebibyte)
    assert.ok(twice.equals(Buffer.concat([bytes, bytes])))
  })

  it('does not believe six bytes of snappy that ask for 4 GiB', () => {
    const claim = Buffer.from([0xff, 0xff, 0xff, 0xff, 0x0f, 0x00])
    assert.throws(() => decompress('snappy', claim, Number.MAX_SAFE_INTEGER), {
      code: 'MR_PROTOCOL_COMPRESSION_BROKEN',
    })
  })

  it('judges LZ4 by what its blocks hold, not by their largest size', () => {
    const small = compress('lz4', Buffer.from('x'.repeat(1000)))
    assert.equal(decompress('lz4', small, 1000).length, 1000)
    assert.throws(() => decompress('lz4', small, 999), { code: 'MR_PROTOCOL_INFLATED_TOO_LARGE' })
  })

  it('refuses an LZ4 frame without its end mark', () => {
    const frame = compress('lz4', Buffer.from('cut short'))
    assert.throws(() => decompress('lz4', frame.subarray(0, -4), mebibyte), {
      code: 'MR_PROTOCOL_COMPRESSION_BROKEN',
    })
  })
})
