import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { bulk, encode, startTestGateway, type TestGateway } from '../../harness/gateway.ts'
import { until } from '../../harness/until.ts'
import { named, nothingCame } from './consumers.ts'

const pong = '+PONG\r\n'

/** Sends bytes, then a PING, and gives all that comes once our side has ended. */
async function answers(gateway: TestGateway, text: string): Promise<string> {
  const connection = await gateway.dial()
  connection.write(text)
  connection.end()
  return connection.rest()
}

describe('the transport of the gateway', () => {
  let gateway: TestGateway
  before(async () => {
    gateway = await startTestGateway()
    await gateway.createTopic('quiet')
  })
  after(() => gateway[Symbol.asyncDispose]())

  describe('takes commands as', () => {
    const rows: readonly (readonly [what: string, bytes: string, replies: string])[] = [
      ['arrays of bulks', '*1\r\n$4\r\nPING\r\n', pong],
      ['lines that end in CR LF', 'PING\r\n', pong],
      ['lines that end in LF', 'PING\n', pong],
      ['several lines in one packet', 'PING\r\nECHO a\nPING\r\n', `${pong}${bulk('a')}${pong}`],
      ['lines and arrays in turn', 'PING\r\n*1\r\n$4\r\nPING\r\nPING\n', pong.repeat(3)],
      [
        'lines that are split on single spaces',
        'RPUSHX  topics:t v\r\n',
        '-PROD RPUSHX accepts 2 arguments, got 3\r\n',
      ],
      [
        'lines whose last space begins one more argument',
        'RPUSHX topics:t v \r\n',
        '-PROD RPUSHX accepts 2 arguments, got 3\r\n',
      ],
      ['lines whose quotes mean nothing', 'ECHO "a"\r\n', bulk('"a"')],
      ['a line of 1,024 bytes', `ECHO ${'x'.repeat(1019)}\r\n`, bulk('x'.repeat(1019))],
      ['a line of 1,024 bytes and LF', `ECHO ${'x'.repeat(1019)}\n`, bulk('x'.repeat(1019))],
      ['bulks with line ends in them', '*2\r\n$4\r\nECHO\r\n$4\r\na\r\nb\r\n', bulk('a\r\nb')],
      ['an empty bulk', '*2\r\n$4\r\nECHO\r\n$0\r\n\r\n', bulk('')],
      ['small letters', '*1\r\n$4\r\nping\r\n', pong],
      ['letters of both cases', 'pInG\r\n', pong],
      ['subcommands in any case', 'cLiEnT sEtNaMe case:a\r\n', bulk('OK')],
      [
        'the empty array, which has no name',
        '*0\r\nPING\r\n',
        `-Command not supported: \r\n${pong}`,
      ],
      [
        'a null name, which is empty',
        '*1\r\n$-1\r\nPING\r\n',
        `-Command not supported: \r\n${pong}`,
      ],
    ]
    for (const [what, bytes, replies] of rows)
      it(what, async () => assert.equal(await answers(gateway, bytes), replies))

    it('65,536 arguments', async () => {
      const bytes = `*65536\r\n$4\r\nPING\r\n${'$1\r\nx\r\n'.repeat(65_535)}`
      assert.equal(await answers(gateway, bytes), pong)
    })

    it('one bulk of 32,768,000 bytes', async () => {
      const connection = await gateway.dial()
      const value = Buffer.alloc(32_768_000, 'x')
      assert.equal(
        await connection.command('RPUSHX', 'topics:t', value),
        '-PROD Broker: Message size too large\r\n',
      )
      assert.equal(await connection.command('PING'), pong)
    })
  })

  describe('answers exactly this, after the replies before it, and closes at', () => {
    const rows: readonly (readonly [what: string, bytes: string, error: string])[] = [
      ['a negative number of arguments', '*-1\r\n', 'Expect Number'],
      ['a number of arguments in letters', '*x\r\n', 'Expect Number'],
      ['a number of arguments without digits', '*\r\n', 'Expect Number'],
      ['a fraction of arguments', '*1.5\r\n', 'Expect Number'],
      ['a number beyond all bounds', '*99999999999\r\n', 'TooManyArg'],
      ['65,537 arguments', '*65537\r\n', 'TooManyArg'],
      ['a length in letters', '*1\r\n$x\r\n', 'Expect Number'],
      ['a length without digits', '*1\r\n$\r\n', 'Expect Number'],
      ['a length of -2', '*1\r\n$-2\r\n', 'Invalid bulk size'],
      ['a length of 32,768,001', '*1\r\n$32768001\r\n', 'Invalid bulk size'],
      ['a length beyond all bounds', '*1\r\n$99999999999\r\n', 'Invalid bulk size'],
      ['an integer as an argument', '*1\r\n:1\r\n', 'Expect TypeChar'],
      ['a simple string as an argument', '*2\r\n$4\r\nECHO\r\n+x\r\n', 'Expect TypeChar'],
      ['an array as an argument', '*1\r\n*1\r\n', 'Expect TypeChar'],
      ['a bulk that is longer than it says', '*1\r\n$4\r\nPINGS\r\n', 'Expect Newline'],
      ['a bulk that ends in LF alone', '*1\r\n$4\r\nPING\n\n', 'Expect Newline'],
      ['a line of 1,025 bytes', `${'x'.repeat(1025)}\r\n`, 'LineTooLong'],
      ['a line that does not end', 'x'.repeat(1100), 'LineTooLong'],
    ]
    for (const [what, bytes, error] of rows)
      it(what, async () => {
        const connection = await gateway.dial()
        // What follows it is not read.
        connection.write(`PING\r\n${bytes}`)
        assert.equal(await connection.rest(), `${pong}-${error}\r\n`)
        connection.end()
        const next = await gateway.dial()
        assert.equal(await next.command('PING'), pong)
      })

    it('two values of the largest size in one command', async () => {
      const connection = await gateway.dial()
      const value = Buffer.alloc(32_768_000, 'x')
      connection.write('*3\r\n$4\r\nECHO\r\n$32768000\r\n')
      connection.write(value)
      connection.write('\r\n$32768000\r\n')
      assert.equal(await connection.rest(), '-TooManyArg\r\n')
    })
  })

  describe('keeps order', () => {
    it('of 5,000 commands in one packet', async () => {
      const words = Array.from({ length: 5000 }, (_, at) => String(at))
      const bytes = Buffer.concat(words.map((word) => encode(['ECHO', word])))
      assert.equal(await answers(gateway, bytes.toString()), words.map(bulk).join(''))
    })

    it('of commands that are cut at every byte', async () => {
      const connection = await gateway.dial()
      connection.socket.setNoDelay(true)
      const bytes = Buffer.concat([
        encode(['ECHO', 'a\r\n']),
        Buffer.from('PING\r\nECHO b\n'),
        encode(['CLIENT', 'GETNAME', 'c']),
      ])
      for (const byte of bytes) connection.write(Buffer.from([byte]))
      connection.end()
      const { localAddress, localPort } = connection.socket
      assert.equal(
        await connection.rest(),
        `${bulk('a\r\n')}${pong}${bulk('b')}${bulk(`${localAddress}:${localPort}`)}`,
      )
    })

    it('of commands behind one that blocks', async () => {
      const connection = await named(gateway, 'order:behind')
      connection.write(
        Buffer.concat([
          encode(['BLPOP', 'topics:quiet', '0.01']),
          encode(['PING']),
          encode(['ECHO', 'last']),
        ]),
      )
      assert.equal(await connection.reply(), nothingCame)
      assert.equal(await connection.reply(), pong)
      assert.equal(await connection.reply(), bulk('last'))
    })

    it('of errors among replies', async () => {
      assert.equal(
        await answers(gateway, 'PING\r\nDEL x\r\nPING\r\nRPUSH x y\r\nPING\r\n'),
        `${pong}-ERR Expected key to be 'stats', got X\r\n${pong}` +
          `-CONS You can only RPUSH to the 'acks' key\r\n${pong}`,
      )
    })
  })

  it('sends what is ready before a command blocks', async () => {
    const connection = await named(gateway, 'flush:first')
    connection.write(
      Buffer.concat([
        encode(['ECHO', 'ready']),
        encode(['HGETALL', 'x']),
        encode(['BLPOP', 'topics:quiet', '0']),
      ]),
    )
    assert.equal(await connection.reply(), bulk('ready'))
    assert.equal(await connection.reply(), "-ERR Expected key to be 'stats', got X\r\n")
    connection.end()
    assert.equal(await connection.rest(), nothingCame)
  })

  it('sees a peer that leaves behind half a mebibyte of commands while one blocks', async () => {
    const connection = await named(gateway, 'gone:a')
    connection.write(encode(['BLPOP', 'topics:quiet', '0']))
    await until('it blocks', () => gateway.gateway.figures()['blocked_pops'] === 1)
    connection.write('PING\r\n'.repeat(80_000))
    connection.close()
    await until('the call has ended', () => gateway.gateway.figures()['blocked_pops'] === 0)
    await named(gateway, 'gone:a')
  })
})
