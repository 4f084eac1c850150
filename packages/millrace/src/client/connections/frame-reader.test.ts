import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import * as fc from 'fast-check'
import { FrameReader } from './frame-reader.ts'

const frameOf = (body: Uint8Array): Buffer => {
  const frame = Buffer.alloc(4 + body.length)
  frame.writeInt32BE(body.length)
  frame.set(body, 4)
  return frame
}

describe('frames of a connection', () => {
  it('come out whole and in order however the bytes were cut', () => {
    const bodies = fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 12 })
    fc.assert(
      fc.property(bodies, fc.array(fc.nat(50)), (sent, cuts) => {
        const bytes = Buffer.concat(sent.map(frameOf))
        const reader = new FrameReader(1024)
        const got: Buffer[] = []
        let position = 0
        for (const cut of [...cuts, bytes.length]) {
          const chunk = bytes.subarray(position, position + cut)
          position += chunk.length
          assert.equal(
            reader.read(chunk, (frame) => got.push(Buffer.from(frame))),
            undefined,
          )
        }
        assert.deepEqual(
          got.map(String),
          sent.map((body) => Buffer.from(body).toString()),
        )
      }),
    )
  })

  it('name a TLS alert, a web server and noise, in one piece or byte by byte', () => {
    const strangers: readonly (readonly [Buffer, RegExp])[] = [
      [Buffer.from([0x15, 0x03, 0x01, 0x00, 0x02, 0x02, 0x46]), /TLS alert/],
      [Buffer.from([0x16, 0x03, 0x03, 0x00, 0x7a, 0x02]), /TLS handshake/],
      [Buffer.from('HTTP/1.1 400 Bad Request\r\n\r\n'), /HTTP/],
      [Buffer.from([0xff, 0xff, 0xff, 0xff, 1, 2, 3, 4]), /frame of -1 bytes/],
    ]
    for (const [bytes, expected] of strangers) {
      const atOnce = new FrameReader(128 * 1024 * 1024).read(bytes, () => assert.fail())
      assert.match(atOnce?.peer ?? '', expected)
      const reader = new FrameReader(128 * 1024 * 1024)
      const seen = [...bytes].map((byte) => reader.read(Buffer.from([byte]), () => assert.fail()))
      assert.match(seen.find((one) => one)?.peer ?? '', expected)
    }
  })
})
