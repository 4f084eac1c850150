import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'

import { parse } from './proxy-header.ts'

const signature = '0d0a0d0a000d0a515549540a'

/** Version 2, TCP over IPv4 unless said otherwise. */
function second(body: Buffer, { command = 0x21, family = 0x11 } = {}): Buffer {
  const head = Buffer.from([command, family, body.length >> 8, body.length & 255])
  return Buffer.concat([Buffer.from(signature, 'hex'), head, body])
}

const ipv4 = Buffer.from([192, 0, 2, 1, 192, 0, 2, 2, 0x10, 0x00, 0x18, 0xec])
const ipv6 = Buffer.concat([
  Buffer.from('20010db8000000000000000000000001', 'hex'),
  Buffer.alloc(16),
  Buffer.from([0x10, 0x00, 0x18, 0xec]),
])

const headers: readonly (readonly [header: Buffer, address: string | undefined])[] = [
  [Buffer.from('PROXY TCP4 192.0.2.1 192.0.2.2 4096 6380\r\n'), '192.0.2.1:4096'],
  [Buffer.from('PROXY TCP6 2001:db8::1 2001:db8::2 4096 6380\r\n'), '[2001:db8::1]:4096'],
  [Buffer.from('PROXY UNKNOWN\r\n'), undefined],
  [second(ipv4), '192.0.2.1:4096'],
  [second(Buffer.concat([ipv4, Buffer.alloc(300)])), '192.0.2.1:4096'],
  [second(ipv6, { family: 0x21 }), '[2001:db8:0:0:0:0:0:1]:4096'],
  [second(ipv4, { command: 0x20 }), undefined],
  [second(Buffer.alloc(0), { family: 0 }), undefined],
]

describe('the header of a balancer', () => {
  it('gives the address of the client, and where its bytes begin', () => {
    for (const [header, address] of headers) {
      const bytes = Buffer.concat([header, Buffer.from('PING\r\n')])
      assert.deepEqual(parse(bytes), { address, length: header.length })
    }
  })

  it('is waited for until it is whole', () => {
    for (const [header] of headers)
      for (let end = 0; end < header.length; end++)
        assert.equal(parse(header.subarray(0, end)), 'more', header.toString('latin1', 0, end))
  })

  it('is told from anything else', () => {
    for (const text of [
      'PING\r\n',
      '*1\r\n',
      'PROXY TCP4 nonsense 192.0.2.2 1 2\r\n',
      'PROXY TCP4 2001:db8::1 2001:db8::2 1 2\r\n',
      'PROXY TCP4 192.0.2.1 192.0.2.2 1x 2\r\n',
      'PROXY UDP4 192.0.2.1 192.0.2.2 1 2\r\n',
      `PROXY ${'x'.repeat(200)}`,
      `PROXY UNKNOWN ${'x'.repeat(200)}\r\n`,
    ])
      assert.equal(parse(Buffer.from(text)), 'none', text)
    assert.equal(parse(second(ipv4, { command: 0x11 })), 'none')
    assert.equal(parse(second(Buffer.alloc(4))), 'none')
  })

  it('is judged without an exception, whatever comes', () => {
    const start = fc.constantFrom('', 'PROXY ', 'PROXY TCP4 ', Buffer.from(signature, 'hex'))
    fc.assert(
      fc.property(start, fc.uint8Array({ maxLength: 300 }), (head, rest) => {
        const bytes = Buffer.concat([Buffer.from(head), rest])
        const found = parse(bytes)
        if (typeof found === 'object') assert.ok(found.length <= bytes.length)
      }),
    )
  })
})
