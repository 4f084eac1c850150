import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import * as fc from 'fast-check'
import { isFailure } from '../../errors/index.ts'
import { FrameReader } from './frame-reader.ts'

function framed(...bodies: readonly Buffer[]): Buffer {
  return Buffer.concat(
    bodies.flatMap((body) => {
      const size = Buffer.alloc(4)
      size.writeInt32BE(body.length)
      return [size, body]
    }),
  )
}

function drain(reader: FrameReader): Buffer[] {
  const frames: Buffer[] = []
  for (let frame = reader.next(); frame !== undefined; frame = reader.next()) frames.push(frame)
  return frames
}

describe('frame reader', () => {
  it('gives the same frames however the bytes are cut', () => {
    fc.assert(
      fc.property(
        fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 8 }),
        fc.array(fc.integer({ min: 1, max: 50 }), { minLength: 1 }),
        fc.boolean(),
        (bodies, cuts, readsLate) => {
          const expected = bodies.map((body) => Buffer.from(body))
          const bytes = framed(...expected)
          const reader = new FrameReader(1000)
          const frames: Buffer[] = []
          let position = 0
          for (let turn = 0; position < bytes.length; turn++) {
            const cut = cuts[turn % cuts.length] ?? 1
            reader.push(bytes.subarray(position, position + cut))
            position += cut
            if (!readsLate) frames.push(...drain(reader))
          }
          frames.push(...drain(reader))
          assert.deepEqual(frames, expected)
          assert.equal(reader.buffered, 0)
        },
      ),
    )
  })

  it('does not copy a frame that lies whole in a chunk', () => {
    const bytes = framed(Buffer.from('hello'), Buffer.from('you'))
    const reader = new FrameReader(100)
    reader.push(bytes)
    assert.equal(reader.next()?.buffer, bytes.buffer)
    assert.equal(reader.next()?.toString(), 'you')
  })

  it('takes no memory for a size alone, and grows with what comes', () => {
    const limit = 100 * 1024 * 1024
    const reader = new FrameReader(limit)
    const size = Buffer.alloc(4)
    size.writeInt32BE(limit)
    const before = process.memoryUsage().arrayBuffers
    reader.push(size)
    reader.push(Buffer.alloc(10))
    assert.equal(reader.next(), undefined)
    assert.ok(process.memoryUsage().arrayBuffers - before < 8 * 1024 * 1024)

    const large = new FrameReader(limit)
    const body = Buffer.alloc(5 * 1024 * 1024, 'x')
    body.write('end', body.length - 3)
    const bytes = framed(body)
    for (let at = 0; at < bytes.length; at += 700_000) {
      assert.equal(large.next(), undefined)
      large.push(bytes.subarray(at, at + 700_000))
    }
    assert.ok(large.next()?.equals(body))
  })

  it('refuses a size that is negative or above the limit', () => {
    for (const size of [-1, 101, 0x47455420 /* "GET " */]) {
      const reader = new FrameReader(100)
      const bytes = Buffer.alloc(4)
      bytes.writeInt32BE(size)
      reader.push(bytes)
      assert.throws(
        () => reader.next(),
        (error) => isFailure(error, 'MR_BROKER_FRAME_SIZE'),
      )
    }
  })
})
