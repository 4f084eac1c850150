import assert from 'node:assert/strict'
import { describe, it } from 'node:test'

import * as fc from 'fast-check'

import { FrameParser } from './frame.ts'

interface Piece {
  readonly kind: 'frame' | 'unreadable'
  readonly text: string
}

function cut(chunks: readonly Buffer[], longest = 1 << 20): readonly Piece[] {
  const pieces: Piece[] = []
  const parser = new FrameParser(
    {
      frame: (content) => pieces.push({ kind: 'frame', text: content.toString('latin1') }),
      unreadable: (bytes) => pieces.push({ kind: 'unreadable', text: bytes.toString('latin1') }),
    },
    longest,
  )
  for (const chunk of chunks) parser.push(chunk)
  parser.end()
  return pieces
}

const content = (msg: string, procid = 'router'): string =>
  `<158>1 2016-05-04T08:33:23.222253+00:00 host heroku ${procid} - ${msg}`
const framed = (
  text: string,
  length: string | number = Buffer.byteLength(text, 'latin1'),
): string => `${length} ${text}`

const one = content('one\n')
const two = content('two\n')
const three = content('three\n')
const frame = (text: string): Piece => ({ kind: 'frame', text })
const unreadable = (text: string): Piece => ({ kind: 'unreadable', text })

const bodies: readonly (readonly [promise: string, body: string, expected: readonly Piece[]])[] = [
  ['reads frames back to back', framed(one) + framed(two), [frame(one), frame(two)]],
  [
    'reads a frame without line end glued to the next',
    framed(content('Error L10 (output buffer overflow): 3 messages dropped since T.', 'logplex')) +
      framed(two),
    [
      frame(content('Error L10 (output buffer overflow): 3 messages dropped since T.', 'logplex')),
      frame(two),
    ],
  ],
  [
    'accepts a last frame that lost its line end',
    framed(one) + framed(two).slice(0, -1),
    [frame(one), frame(two.slice(0, -1))],
  ],
  [
    'reads frames joined by line ends',
    `\r\n ${framed(one)}\n${framed(two)}\r\n`,
    [frame(one), frame(two)],
  ],
  [
    'trusts LEN over line ends and starts inside',
    framed(content(`a\n9 <1>1 b\n`)) + framed(two),
    [frame(content('a\n9 <1>1 b\n')), frame(two)],
  ],
  [
    'reads an empty MSG',
    framed(content('').trimEnd()) + framed(two),
    [frame(content('').trimEnd()), frame(two)],
  ],
  ['reads leading zeros', `000${framed(one)}${framed(two)}`, [frame(one), frame(two)]],
  [
    'finds the next frame after a LEN that is too short',
    framed(one, one.length - 3) + framed(two),
    [frame(one.slice(0, -3)), unreadable('ne\n'), frame(two)],
  ],
  [
    'loses nothing to a LEN that is too long by one',
    framed(one, one.length + 1) + framed(two) + framed(three),
    [frame(one), frame(two), frame(three)],
  ],
  [
    'gives a digit back that a frame without line end has taken',
    framed(one).slice(0, -1) + framed(two).slice(0, -1) + framed(three).slice(0, -1),
    [frame(one.slice(0, -1)), frame(two.slice(0, -1)), frame(three.slice(0, -1))],
  ],
  [
    'keeps a digit that is the frame’s own',
    framed(content('n=1')) + framed(content('n=12')) + framed(two),
    [frame(content('n=1')), frame(content('n=12')), frame(two)],
  ],
  ['sets a huge LEN aside', framed(one, 99_999_999) + framed(two), [frame(one), frame(two)]],
  [
    'sets a LEN of more digits than a number has aside',
    framed(one, '9'.repeat(20)) + framed(two),
    [frame(one), frame(two)],
  ],
  [
    'sets a negative LEN aside',
    framed(one, '-7') + framed(two),
    [unreadable('-'), frame(one), frame(two)],
  ],
  [
    'sets a LEN past the end aside',
    framed(one) + framed(two, two.length + 9),
    [frame(one), frame(two)],
  ],
  [
    'keeps what lies between frames',
    `${framed(one)}rubbish${framed(two)}`,
    [frame(one), unreadable('rubbish'), frame(two)],
  ],
  [
    'keeps what lies before and behind',
    `GET / ${framed(one)}trailing`,
    [unreadable('GET / '), frame(one), unreadable('trailing')],
  ],
  ['keeps a body that holds no frame', 'hello world', [unreadable('hello world')]],
  [
    'reads a line of 64 KiB',
    framed(content('x'.repeat(65_536))) + framed(two),
    [frame(content('x'.repeat(65_536))), frame(two)],
  ],
]

describe('frames', () => {
  for (const [promise, body, expected] of bodies) {
    it(promise, () => assert.deepEqual(cut([Buffer.from(body, 'latin1')]), expected))
  }

  it('gives the same frames wherever a body is cut', () => {
    for (const [promise, body, expected] of bodies) {
      const bytes = Buffer.from(body, 'latin1')
      const step = bytes.length > 10_000 ? 997 : 1
      for (let at = 0; at <= bytes.length; at += step) {
        assert.deepEqual(
          cut([bytes.subarray(0, at), bytes.subarray(at)]),
          expected,
          `${promise} @${at}`,
        )
      }
      if (step === 1) {
        assert.deepEqual(cut(Array.from(bytes, (byte) => Buffer.from([byte]))), expected, promise)
      }
    }
  })

  it('keeps every byte of any body, in order, and does not depend on cuts', () => {
    const part = fc.oneof(
      fc.constantFrom(
        framed(one),
        framed(two),
        framed(one, 40),
        framed(two, 900),
        '\n',
        '12 <',
        '<158>1 ',
      ),
      fc.string({ maxLength: 20 }),
    )
    fc.assert(
      fc.property(
        fc.array(part, { maxLength: 8 }),
        fc.array(fc.nat(400), { maxLength: 5 }),
        (parts, cuts) => {
          const body = Buffer.from(parts.join(''), 'latin1')
          const whole = cut([body])
          const chunks: Buffer[] = []
          let from = 0
          for (const at of cuts.toSorted((left, right) => left - right)) {
            chunks.push(body.subarray(from, Math.max(from, at)))
            from = Math.max(from, at)
          }
          chunks.push(body.subarray(from))
          assert.deepEqual(cut(chunks), whole)
          let at = 0
          const text = body.toString('latin1')
          for (const piece of whole) {
            const found = text.indexOf(piece.text, at)
            assert.ok(found >= 0, 'pieces are stretches of the body, in order')
            assert.match(
              text.slice(at, found),
              /^[\r\n \d]*$/,
              'only lengths and white space lie between',
            )
            at = found + piece.text.length
          }
          assert.match(text.slice(at), /^[\r\n ]*$/)
        },
      ),
      { numRuns: 1500 },
    )
  })
})
