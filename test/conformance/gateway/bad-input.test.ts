import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { bulk, encode, startTestGateway, type TestGateway } from '../../harness/gateway.ts'
import { until } from '../../harness/until.ts'
import { named, nothingCame } from './consumers.ts'

const pong = '+PONG\r\n'

describe('what no client should send', () => {
  let gateway: TestGateway
  before(async () => {
    gateway = await startTestGateway({ commandWithin: '1s', outputBytes: '1MiB' })
    await gateway.createTopic('quiet')
  })
  after(() => gateway[Symbol.asyncDispose]())

  const figure = (name: string): number => Number(gateway.gateway.figures()[name])

  describe('closes at once, without a word, and is counted:', () => {
    const rows: readonly (readonly [what: string, bytes: string])[] = [
      ['a TLS hello', '\u0016\u0003\u0001\u0002\u0000\u0001'],
      ['POST', 'POST / HTTP/1.1\r\nContent-Length: 6\r\n\r\nPING\r\n'],
      ['post in small letters', 'post / HTTP/1.1\r\n\r\nPING\r\n'],
      ['a Host header', 'Host: localhost\r\nPING\r\n'],
    ]
    for (const [what, bytes] of rows)
      it(what, async () => {
        const counted = figure('connections_disconnected')
        const connection = await gateway.dial()
        connection.write(bytes)
        assert.equal(await connection.rest(), '')
        assert.equal(figure('connections_disconnected'), counted + 1)
      })
  })

  describe('never becomes a second reply:', () => {
    const bad = 'a\r\n:1\u0000"'
    const shown = String.raw`a\r\n:1\x00"`
    const rows: readonly (readonly [words: readonly string[], reply: string])[] = [
      [['KEYS', bad], `-ERR Expected argument to be 'topics:', got ${shown}`],
      [['HGETALL', bad], `-ERR Expected key to be 'stats', got ${shown.replace('a', 'A')}`],
      [['DEL', bad], `-ERR Expected key to be 'stats', got ${shown.replace('a', 'A')}`],
      [['RPUSH', 'acks', 'a\r\n+b'], String.raw`-CONS Cannot parse ack: 'a\r\n+b'`],
      [
        ['RPUSH', 'acks', 'a:0:\r\n'],
        String.raw`-CONS strconv.ParseInt: parsing "\r\n": invalid syntax`,
      ],
      [['BLPOP', 'a\r\n+b', '1'], '-CONS Cannot parse topics from `a\\r\\n+b`'],
      [['RPUSHX', 'topics:a\r\nb', 'v'], '-PROD Local: Invalid argument or configuration'],
      [['RPUSHX', 'topics:a\u0000', 'v'], '-PROD Local: Invalid argument or configuration'],
      [
        ['x\r\n+y', 'z\r\n'],
        String.raw`-ERR unknown command 'x\r\n+y', with args beginning with: 'z\r\n' `,
      ],
    ]
    for (const [words, reply] of rows)
      it(JSON.stringify(words), async () => {
        const connection = await gateway.dial()
        connection.write(Buffer.concat([encode(words), encode(['PING'])]))
        connection.end()
        assert.equal(await connection.rest(), `${reply}\r\n${pong}`)
      })
  })

  it('line ends in a name are escaped where the name is told', async () => {
    const first = await gateway.dial()
    assert.equal(await first.command('CLIENT', 'SETNAME', 'g:\r\n+x'), bulk('OK'))
    assert.equal(await first.command('CLIENT', 'GETNAME'), bulk('g:\r\n+x'))
    const second = await gateway.dial()
    second.write(encode(['CLIENT', 'SETNAME', 'g:\r\n+x']))
    assert.equal(await second.rest(), '-CONS id g:\\r\\n+x is already taken\r\n')
    assert.equal(
      await first.command('CLIENT', 'SETNAME', 'g:b'),
      '-CONS Client ID is already set to g:\\r\\n+x\r\n',
    )
    assert.equal(
      await first.command('RPUSH', 'acks', 'a:0:0'),
      '-CONS No consumer registered for Client g:\\r\\n+x\r\n',
    )
  })

  describe('a topic that cannot be one is refused at once:', () => {
    for (const topic of ['', '.', '..', 'x'.repeat(250), 'a b', 'a/b', 'ä', 'a,b', '*'])
      it(JSON.stringify(topic.slice(0, 20)), async () => {
        const connection = await gateway.dial()
        assert.equal(
          await connection.command('RPUSHX', `topics:${topic}`, 'v'),
          '-PROD Local: Invalid argument or configuration\r\n',
        )
        assert.equal(await connection.command('DUMP', '0'), ':0\r\n')
      })

    it('in BLPOP it only times out', async () => {
      for (const [at, topic] of ['', '.', '..', 'x'.repeat(250), 'a b', 'ä'].entries()) {
        const connection = await named(gateway, `illegal${at}:a`)
        assert.equal(await connection.command('BLPOP', `topics:${topic}`, '0.01'), nothingCame)
      }
    })
  })

  describe('JSON that configures nothing is an error and no more:', () => {
    const failed = (id: string): string =>
      `-CONS Failed to register Consumer '${id}|quiet' for Client '${id}'\r\n`
    const parseError = /^-CONS Error parsing configuration from '[^\r\n]*'; [^\r\n]*\r\n$/
    const rows: readonly (readonly [what: string, json: string, isParsed: boolean])[] = [
      ['array', '[]', true],
      ['null', 'null', true],
      ['nested', `${'{"a":'.repeat(40)}1${'}'.repeat(40)}`, false],
      ['open', '{"a":', false],
      ['words', 'nonsense', false],
      ['object', '{"session.timeout.ms":{}}', true],
      ['proto', '{"__proto__":{"polluted":1}}', true],
      ['constructor', '{"constructor":"x"}', true],
      ['large', `{"a":"${'x'.repeat(1_000_000)}"}`, true],
    ]
    for (const [what, json, isParsed] of rows)
      it(what, async () => {
        const id = `json:${what}`
        const connection = await named(gateway, id)
        const reply = await connection.command('BLPOP', `topics:quiet:${json}`, '1')
        if (isParsed) assert.equal(reply, failed(id))
        else assert.match(reply, parseError)
        assert.equal(await connection.command('PING'), pong)
        assert.equal(Object.hasOwn(Object.prototype, 'polluted'), false)
      })
  })

  describe('timeouts', () => {
    const rows: readonly (readonly [text: string, reply: string])[] = [
      ['-1', '-CONS timeout is negative\r\n'],
      ['-0.5', '-CONS timeout is negative\r\n'],
      ['1e400', '-CONS timeout is out of range\r\n'],
      ['nan', '-CONS timeout is out of range\r\n'],
      ['NaN', '-CONS timeout is out of range\r\n'],
      ['inf', '-CONS timeout is out of range\r\n'],
      ['2147483649', '-CONS timeout is out of range\r\n'],
      ['0.001', nothingCame],
    ]
    for (const [text, reply] of rows)
      it(text, async () => {
        const connection = await named(gateway, `timeout${text}:a`)
        assert.equal(await connection.command('BLPOP', 'topics:quiet', text), reply)
      })

    it('0 waits until our side ends', async () => {
      const connection = await named(gateway, 'timeout:0')
      connection.write(encode(['BLPOP', 'topics:quiet', '0']))
      await until('it blocks', () => figure('blocked_pops') === 1)
      connection.end()
      assert.equal(await connection.rest(), nothingCame)
    })
  })

  it('a half-closed socket is answered, then closed', async () => {
    const connection = await gateway.dial()
    connection.write('PING\r\n'.repeat(100))
    connection.end()
    assert.equal(await connection.rest(), pong.repeat(100))
  })

  it('commands behind QUIT are ignored, errors of protocol too', async () => {
    const connection = await gateway.dial()
    connection.write('PING\r\nQUIT\r\nPING\r\n*x\r\n')
    assert.equal(await connection.rest(), `${pong}${bulk('OK')}`)
  })

  it('half a command is waited for no longer than its deadline', async () => {
    const connection = await gateway.dial()
    connection.write('PING\r\n*2\r\n$4\r\nECHO\r\n$32000000\r\nabc')
    assert.equal(await connection.reply(), pong)
    const counted = figure('connections_disconnected')
    assert.equal(await connection.rest(), '')
    assert.equal(figure('connections_disconnected'), counted + 1)
  })

  it('replies that nobody reads end their connection, counted, and no other', async () => {
    const counted = figure('connections_disconnected')
    const deaf = await gateway.dial()
    deaf.socket.pause()
    const chunk = encode(['ECHO', 'x'.repeat(1_000_000)])
    for (let count = 0; count < 20; count++) deaf.write(chunk)
    await until('it is disconnected', () => figure('connections_disconnected') === counted + 1)
    deaf.close()
    const other = await gateway.dial()
    assert.equal(await other.command('PING'), pong)
  })

  it('MONITOR, then a name, then the end harm nobody', async () => {
    for (let turn = 0; turn < 70; turn++) {
      const one = await gateway.dial()
      assert.equal(await one.command('MONITOR'), '+OK\r\n')
      one.write(encode(['CLIENT', 'SETNAME', 'watch:a']))
      const heard = [await one.reply(), await one.reply()]
      assert.ok(heard.includes(bulk('OK')), heard.join(''))
      one.close()
    }
    const other = await gateway.dial()
    assert.equal(await other.command('PING'), pong)
    await until('no monitor is left', () => figure('monitors') === 0)
  })
})
