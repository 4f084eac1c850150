import assert from 'node:assert/strict'
import { describe, it } from 'node:test'

import * as fc from 'fast-check'

import { linesOf } from './read-input.ts'

async function* chunksOf(bytes: Buffer, size: number): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
}

describe('lines of the input', () => {
  it('keep every byte but the newline, wherever the chunks are cut', async () => {
    const line = fc
      .uint8Array({ maxLength: 8 })
      .map((array) => Buffer.from(array.filter((byte) => byte !== 0x0a)))
    await fc.assert(
      fc.asyncProperty(fc.array(line), fc.integer({ min: 1, max: 9 }), async (lines, size) => {
        const newline = Buffer.from('\n')
        const input = Buffer.concat(lines.flatMap((one) => [one, newline]))
        const read = await Array.fromAsync(linesOf(chunksOf(input, size)))
        assert.deepEqual(read, lines)
      }),
    )
  })

  it('count a last one without a newline', async () => {
    const read = await Array.fromAsync(linesOf(chunksOf(Buffer.from('a\nb'), 2)))
    assert.deepEqual(read.map(String), ['a', 'b'])
  })
})
