import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'

import { MapReply, nothing, nullArray, ReplyError, Simple, type Reply } from '../reply.ts'
import { escapeLine, quoteArgument, ReplyWriter } from './reply-writer.ts'

function written(reply: Reply, protocol: 2 | 3 = 2): string {
  const writer = new ReplyWriter()
  writer.write(reply, protocol)
  return Buffer.concat(writer.take()).toString('latin1')
}

/** Reads one reply by the protocol's rules alone; answers where it ends. */
function endOf(text: string, start: number): number {
  const lineEnd = text.indexOf('\r\n', start)
  assert.ok(lineEnd > start, 'a line ends')
  const line = text.slice(start + 1, lineEnd)
  assert.doesNotMatch(line, /[\r\n]/)
  let at = lineEnd + 2
  switch (text.charAt(start)) {
    case '+':
    case '-':
    case '_':
      return at
    case ':':
      assert.match(line, /^-?\d+$/)
      return at
    case '$': {
      const length = Number(line)
      if (length === -1) return at
      assert.equal(text.slice(at + length, at + length + 2), '\r\n')
      return at + length + 2
    }
    case '*':
    case '>':
    case '%': {
      const count = Number(line) * (text[start] === '%' ? 2 : 1)
      for (let left = count; left > 0; left--) at = endOf(text, at)
      return at
    }
    default:
      assert.fail(`no type: ${text[start]}`)
  }
}

const { reply } = fc.letrec<{ reply: Reply }>((tie) => ({
  reply: fc.oneof(
    { maxDepth: 4 },
    fc.maxSafeInteger(),
    fc.string({ unit: 'binary', maxLength: 30 }),
    fc.uint8Array({ maxLength: 20_000 }).map((bytes) => Buffer.from(bytes)),
    fc.constantFrom<Reply>(null, nullArray),
    fc.string({ unit: 'binary' }).map((text) => new Simple(text)),
    fc.string({ unit: 'binary' }).map((text) => new ReplyError(text)),
    fc.array(tie('reply'), { maxLength: 4 }),
    fc
      .array(fc.tuple(tie('reply'), tie('reply')), { maxLength: 3 })
      .map((entries) => new MapReply(entries)),
  ),
}))

describe('replies on the wire', () => {
  it('can be read one by one, whatever they contain', () => {
    fc.assert(
      fc.property(fc.array(reply, { maxLength: 5 }), fc.constantFrom(2, 3), (replies, protocol) => {
        const writer = new ReplyWriter()
        for (const one of replies) writer.write(one, protocol)
        const { length } = writer
        const text = Buffer.concat(writer.take()).toString('latin1')
        assert.equal(length, text.length)
        assert.equal(writer.length, 0)
        let at = 0
        for (let count = 0; count < replies.length; count++) at = endOf(text, at)
        assert.equal(at, text.length)
      }),
    )
  })

  it('have the forms of their protocol', () => {
    const map = new MapReply([['a', 1]])
    assert.equal(
      written([1, 'ä', Buffer.from('b'), null, nullArray, new Simple('OK')]),
      '*6\r\n:1\r\n$2\r\nÃ¤\r\n$1\r\nb\r\n$-1\r\n*-1\r\n+OK\r\n',
    )
    assert.equal(written([null, nullArray], 3), '*2\r\n_\r\n_\r\n')
    assert.equal(written(map), '*2\r\n$1\r\na\r\n:1\r\n')
    assert.equal(written(map, 3), '%1\r\n$1\r\na\r\n:1\r\n')
    assert.equal(written(nothing), '')
    assert.equal(written(-12), ':-12\r\n')
  })

  it('never break a line inside an error or a simple string', () => {
    assert.equal(
      written(new ReplyError('CONS a\r\n:1\u0000\u007f')),
      '-CONS a\\r\\n:1\\x00\\x7f\r\n',
    )
    assert.equal(written(new Simple('a\nb')), '+a\\nb\r\n')
  })

  it('push in RESP3, and send an array in RESP2', () => {
    const writer = new ReplyWriter()
    writer.push(['a'], 3)
    writer.push(['a'], 2)
    assert.equal(Buffer.concat(writer.take()).toString(), '>1\r\n$1\r\na\r\n*1\r\n$1\r\na\r\n')
  })

  it('are not changed by what is written after they were taken', () => {
    const writer = new ReplyWriter()
    writer.write('first', 2)
    const taken = writer.take()
    for (let count = 0; count < 5000; count++) writer.write('later', 2)
    assert.equal(Buffer.concat(taken).toString(), '$5\r\nfirst\r\n')
  })
})

describe('text that is repeated to a client', () => {
  it('is escaped as Redis does', () => {
    assert.equal(escapeLine('a\t"b"\u0007\u001b'), String.raw`a\t"b"\a\x1b`)
    assert.equal(
      quoteArgument(Buffer.from('a"\\\n\r\t\u0007\b\u0000é', 'latin1')),
      String.raw`"a\"\\\n\r\t\a\b\x00\xe9"`,
    )
    assert.equal(quoteArgument(null), '(nil)')
  })

  it('is cut where it is long', () => {
    assert.equal(quoteArgument(Buffer.alloc(2000, 'a')), `"${'a'.repeat(1024)}..."`)
  })
})
