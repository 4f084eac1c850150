import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'

import { ReplyError } from '../reply.ts'
import { parseAck } from './ack.ts'

const most = 2n ** 63n - 1n

describe('an acknowledgement', () => {
  const taken: readonly (readonly [
    text: string,
    topic: string,
    partition: number,
    next: number | bigint,
  ])[] = [
    ['t:0:0', 't', 0, 1],
    ['t:3:41', 't', 3, 42],
    ['t:08:0', 't', 8, 1],
    ['t:+1:+1', 't', 1, 2],
    ['t:-1:-1', 't', -1, 0],
    ['t:2147483647:0', 't', 2_147_483_647, 1],
    ['t:0:010', 't', 0, 9],
    ['t:0:0x1f', 't', 0, 32],
    ['t:0:0XFF', 't', 0, 256],
    ['t:0:-0x11', 't', 0, -16],
    ['t:0:-010', 't', 0, -7],
    ['t:0:00', 't', 0, 1],
    ['t:0:-5', 't', 0, -4],
    ['t:0:9007199254740990', 't', 0, 9_007_199_254_740_991],
    ['t:0:9007199254740992', 't', 0, 9_007_199_254_740_993n],
    [`t:0:${most}`, 't', 0, -(2n ** 63n)],
    ['t:0:0777777777777777777777', 't', 0, -(2n ** 63n)],
    [':0:0', '', 0, 1],
  ]
  for (const [text, topic, partition, next] of taken)
    it(`of ${text} names the position behind it`, () =>
      assert.deepEqual(parseAck(text), { topic, partition, next }))

  const refused: readonly (readonly [text: string, error: string])[] = [
    ['', "CONS Cannot parse ack: ''"],
    ['t', "CONS Cannot parse ack: 't'"],
    ['t:0', "CONS Cannot parse ack: 't:0'"],
    ['t:0:0:', "CONS Cannot parse ack: 't:0:0:'"],
    ...['', 'x', '0x1', '1_0', '1.5', '1e3', ' 1', '+', '--1'].map((one): [string, string] => [
      `t:${one}:y`,
      `CONS strconv.ParseInt: parsing "${one}": invalid syntax`,
    ]),
    ...['', 'x', '08', '0b1', '0o7', '1_0', '0x', '1.5', '1e3', ' 1', '-', '0xg'].map(
      (one): [string, string] => [
        `t:0:${one}`,
        `CONS strconv.ParseInt: parsing "${one}": invalid syntax`,
      ],
    ),
    ['t:2147483648:0', 'CONS strconv.ParseInt: parsing "2147483648": value out of range'],
    ['t:-2147483649:0', 'CONS strconv.ParseInt: parsing "-2147483649": value out of range'],
    [
      't:0:9223372036854775808',
      'CONS strconv.ParseInt: parsing "9223372036854775808": value out of range',
    ],
    [
      't:0:-0x8000000000000001',
      'CONS strconv.ParseInt: parsing "-0x8000000000000001": value out of range',
    ],
  ]
  for (const [text, message] of refused)
    it(`of ${JSON.stringify(text)} is refused`, () =>
      assert.throws(() => parseAck(text), { name: 'ReplyError', message }))

  it('names any offset in any of its three spellings', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: -most, max: most - 1n }), (offset) => {
        const sign = offset < 0n ? '-' : ''
        const size = offset < 0n ? -offset : offset
        for (const text of [String(size), `0x${size.toString(16)}`, `0${size.toString(8)}`])
          assert.equal(BigInt(parseAck(`t:0:${sign}${text}`).next), offset + 1n)
      }),
    )
  })

  it('is taken or refused, whatever it is', () => {
    const piece = fc.oneof(fc.string(), fc.constantFrom(':', '0', '-', '0x', '9999999999', '+'))
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 8 }), (pieces) => {
        try {
          parseAck(pieces.join(''))
        } catch (error) {
          assert.ok(error instanceof ReplyError)
        }
      }),
    )
  })
})
