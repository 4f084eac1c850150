import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'

import { CommandParser, ProtocolError } from './command-parser.ts'

type Seen = readonly [name: string, spelled: string | null, ...args: (string | null)[]]

/** What is cut from the pieces, and the error that ends it. */
function read(pieces: readonly Buffer[]): readonly (Seen | string)[] {
  const parser = new CommandParser()
  const seen: (Seen | string)[] = []
  try {
    for (const piece of pieces) {
      parser.push(piece)
      for (let command = parser.next(); command !== undefined; command = parser.next()) {
        const { name, spelled, args } = command
        const texts = args.map((one) => one?.toString('latin1') ?? null)
        seen.push([name, spelled?.toString('latin1') ?? null, ...texts])
      }
    }
  } catch (error) {
    assert.ok(error instanceof ProtocolError)
    seen.push(error.message)
  }
  return seen
}

const readText = (text: string): readonly (Seen | string)[] => read([Buffer.from(text, 'latin1')])

function bytesOf(...args: (Buffer | null)[]): Buffer {
  const parts = args.flatMap((one) =>
    one === null ? [Buffer.from('$-1\r\n')] : [`$${one.length}\r\n`, one, '\r\n'],
  )
  return Buffer.concat([`*${args.length}\r\n`, ...parts].map((one) => Buffer.from(one)))
}

describe('commands in a byte stream', () => {
  it('keep their arguments, whatever these contain', () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.array(fc.option(fc.uint8Array({ maxLength: 40 })), { minLength: 1, maxLength: 6 }),
        ),
        (commands) => {
          const sent = commands.map((args) => args.map((one) => one && Buffer.from(one)))
          const seen = read([Buffer.concat(sent.map((args) => bytesOf(...args)))])
          assert.deepEqual(
            seen.map((one) => one.slice(1)),
            sent.map((args) => args.map((one) => one?.toString('latin1') ?? null)),
          )
        },
      ),
    )
  })

  it('are the same wherever the bytes are cut', () => {
    const words = [
      ['*', '$', '\r\n', '\n', '\r', '-', '0', '1', '2', '3', '65537', '99999999999', ' '],
      ['PING', 'x', '*1\r\n$4\r\nPING\r\n', '*2\r\n$4\r\nECHO\r\n$1\r\na\r\n', '$-1\r\n'],
      ['*0\r\n', '*3\r\n', '$2\r\n', '\u0000', '*-1\r\n', 'y'.repeat(1000), '9'.repeat(60)],
    ].flat()
    const word = fc.constantFrom(...words)
    fc.assert(
      fc.property(
        fc.array(word, { maxLength: 30 }),
        fc.array(fc.nat(3000), { maxLength: 20 }),
        (chosen, cuts) => {
          const bytes = Buffer.from(chosen.join(''), 'latin1')
          const places = [0, ...cuts.filter((at) => at < bytes.length), bytes.length]
          places.sort((left, right) => left - right)
          const pieces = places
            .slice(1)
            .map((end, at) => Buffer.from(bytes.subarray(places[at], end)))
          assert.deepEqual(read(pieces), read([bytes]))
          assert.deepEqual(read(Array.from(bytes, (byte) => Buffer.from([byte]))), read([bytes]))
        },
      ),
      { numRuns: 500 },
    )
  })

  it('may be lines, split on single spaces', () => {
    assert.deepEqual(readText('ping\r\nEcho a  b\nset x \r\n'), [
      ['PING', 'ping'],
      ['ECHO', 'Echo', 'a', '', 'b'],
      ['SET', 'set', 'x', ''],
    ])
  })

  it('may have no name at all', () => {
    assert.deepEqual(readText('*0\r\n*1\r\n$-1\r\n'), [
      ['', null],
      ['', null],
    ])
  })

  const refused: readonly (readonly [what: string, bytes: string, error: string])[] = [
    ['a negative count', '*-1\r\n', 'Expect Number'],
    ['a count that is no number', '*x\r\n', 'Expect Number'],
    ['a count without digits', '*\r\n', 'Expect Number'],
    ['a count beyond all bounds', '*99999999999\r\n', 'TooManyArg'],
    ['a count without an end', `*${'9'.repeat(80)}`, 'LineTooLong'],
    ['a length that is no number', '*1\r\n$x\r\n', 'Expect Number'],
    ['a length below -1', '*1\r\n$-2\r\n', 'Invalid bulk size'],
    ['a length over 32,768,000', '*1\r\n$32768001\r\n', 'Invalid bulk size'],
    ['an element that is no bulk', '*1\r\n:1\r\n', 'Expect TypeChar'],
    ['bytes behind a bulk', '*1\r\n$1\r\nab\r\n', 'Expect Newline'],
    ['a line of more than 1,024 bytes', `${'a'.repeat(1025)}\r\n`, 'LineTooLong'],
    ['a line without an end', 'a'.repeat(1100), 'LineTooLong'],
  ]
  for (const [what, bytes, error] of refused)
    it(`end at ${what}`, () => assert.deepEqual(readText(bytes), [error]))

  it('take a line of 1,024 bytes', () => {
    const line = `ECHO ${'a'.repeat(1019)}`
    assert.equal(readText(`${line}\r\n`).length, 1)
    assert.equal(readText(`${line}\n`).length, 1)
  })

  it('take 65,536 arguments and no more', () => {
    const args = '$1\r\nx\r\n'.repeat(65_536)
    assert.equal(readText(`*65536\r\n${args}`)[0]?.length, 65_537)
    assert.deepEqual(readText('*65537\r\n'), ['TooManyArg'])
  })

  it('take one value of the largest size beside its key, and not two', () => {
    const most = 32_768_000
    const value = Buffer.alloc(most, 'v')
    const parser = new CommandParser()
    parser.push(bytesOf(Buffer.from('RPUSHX'), Buffer.from('topics:t'), value))
    assert.equal(parser.next()?.args[1]?.length, most)
    parser.push(Buffer.from(`*3\r\n$1\r\na\r\n$${most}\r\n`))
    parser.push(value)
    parser.push(Buffer.from(`\r\n$${most}\r\n`))
    assert.throws(() => parser.next(), { message: 'TooManyArg' })
  })

  it('do not copy an argument that lies whole in what was read', () => {
    const chunk = bytesOf(Buffer.from('ECHO'), Buffer.from('abc'))
    const parser = new CommandParser()
    parser.push(chunk)
    assert.equal(parser.next()?.args[0]?.buffer, chunk.buffer)
  })

  it('are not written over by what comes after them', () => {
    const one = bytesOf(Buffer.from('ECHO'), Buffer.from('first'))
    const parser = new CommandParser()
    parser.push(one.subarray(0, 9))
    parser.push(Buffer.concat([one.subarray(9), one.subarray(0, 9)]))
    const first = parser.next()
    for (let turn = 0; turn < 100; turn++) {
      parser.push(Buffer.concat([one.subarray(9), one.subarray(0, 9)]))
      assert.equal(parser.next()?.args[0]?.toString(), 'first')
    }
    assert.equal(first?.args[0]?.toString(), 'first')
  })
})
