import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { bulk, dial, encode, startTestGateway } from '../../harness/gateway.ts'
import { until } from '../../harness/until.ts'

describe('a connection to the gateway', { concurrency: 4 }, () => {
  it('is answered in order, however its commands are cut', async () => {
    await using gateway = await startTestGateway()
    const client = await gateway.dial()
    const bytes = Buffer.concat([
      encode(['ping']),
      Buffer.from('PING\r\necho hello\r\n'),
      encode(['ECHO', 'a\r\nb']),
    ])
    for (const byte of bytes) client.write(Buffer.from([byte]))
    const replies = [
      await client.reply(),
      await client.reply(),
      await client.reply(),
      await client.reply(),
    ]
    assert.deepEqual(replies, ['+PONG\r\n', '+PONG\r\n', bulk('hello'), bulk('a\r\nb')])
  })

  it('hears what is ready before a command blocks', async () => {
    await using gateway = await startTestGateway()
    await gateway.createTopic('quiet')
    const client = await gateway.dial()
    client.write(
      Buffer.concat([
        encode(['CLIENT', 'SETNAME', 'g:a']),
        encode(['PING']),
        encode(['BLPOP', 'topics:quiet', '0']),
        encode(['PING']),
      ]),
    )
    assert.equal(await client.reply(), bulk('OK'))
    assert.equal(await client.reply(), '+PONG\r\n')
    await until('it blocks', () => gateway.gateway.figures()['blocked_calls'] === 1)
    client.end()
    assert.equal(await client.rest(), '*-1\r\n+PONG\r\n')
  })

  it('gets the reply of a durable RPUSHX before those of later commands', async () => {
    await using gateway = await startTestGateway()
    await gateway.createTopic('t')
    const client = await gateway.dial()
    client.write(
      Buffer.concat([
        encode(['CLIENT', 'DURABLE', 'ON']),
        encode(['RPUSHX', 'topics:t', 'a']),
        encode(['PING']),
        encode(['RPUSHX', 'topics:missing topic', 'b']),
        encode(['RPUSHX', 'topics:t', 'c']),
        encode(['ECHO', 'end']),
      ]),
    )
    const replies: string[] = []
    for (let count = 0; count < 6; count++) replies.push(await client.reply())
    assert.deepEqual(replies, [
      '+OK\r\n',
      ':1\r\n',
      '+PONG\r\n',
      '-PROD Local: Invalid argument or configuration\r\n',
      ':1\r\n',
      bulk('end'),
    ])
  })

  it('closes after QUIT, and ignores what follows', async () => {
    await using gateway = await startTestGateway()
    const client = await gateway.dial()
    client.write(Buffer.concat([encode(['QUIT']), encode(['PING']), Buffer.from('*x\r\n')]))
    assert.equal(await client.rest(), bulk('OK'))
    await until('it is gone', () => gateway.gateway.connections === 0)
  })

  const wrong: readonly (readonly [bytes: string, reply: string])[] = [
    ['*-1\r\n', '-Expect Number\r\n'],
    ['*99999999999\r\n', '-TooManyArg\r\n'],
    ['*1\r\n$-2\r\n', '-Invalid bulk size\r\n'],
    ['*1\r\n+x\r\n', '-Expect TypeChar\r\n'],
    ['*1\r\n$1\r\nxyz', '-Expect Newline\r\n'],
    ['x'.repeat(1100), '-LineTooLong\r\n'],
  ]
  it('hears what is wrong with its bytes, after the replies it has earned, and is closed', async () => {
    await using gateway = await startTestGateway()
    for (const [bytes, reply] of wrong) {
      const client = await gateway.dial()
      client.write(`${encode(['PING']).toString()}${bytes}`)
      assert.equal(await client.rest(), `+PONG\r\n${reply}`)
    }
    const other = await gateway.dial()
    assert.equal(await other.command('PING'), '+PONG\r\n')
  })

  it('is closed without a word when it speaks TLS or HTTP', async () => {
    await using gateway = await startTestGateway()
    const tls = await gateway.dial()
    tls.write(Buffer.from([0x16, 0x03, 0x01, 0x02, 0x00]))
    assert.equal(await tls.rest(), '')
    const post = await gateway.dial()
    post.write('POST / HTTP/1.1\r\nHost: localhost\r\n\r\nping\r\n')
    assert.equal(await post.rest(), '')
    const get = await gateway.dial()
    get.write('GET / HTTP/1.1\r\nHost: localhost\r\n\r\nping\r\n')
    assert.equal(await get.rest(), '')
    assert.equal(gateway.gateway.figures()['connections_disconnected'], 3)
  })

  it('loses nothing of its replies when it ends its side first', async () => {
    await using gateway = await startTestGateway()
    const client = await gateway.dial()
    client.write(encode(['ECHO', 'x'.repeat(3_000_000)]))
    client.end()
    assert.equal((await client.rest()).length, '$3000000\r\n\r\n'.length + 3_000_000)
  })

  it('is disconnected when it reads nothing of what it asks for', async () => {
    await using gateway = await startTestGateway({ outputBytes: '1MiB' })
    const client = await gateway.dial()
    client.socket.pause()
    const chunk = encode(['ECHO', 'x'.repeat(1_000_000)])
    for (let count = 0; count < 40; count++) client.write(chunk)
    await until(
      'it is disconnected',
      () => gateway.gateway.figures()['connections_disconnected'] === 1,
    )
    await until('it is gone', () => gateway.gateway.connections === 0)
  })

  it('goes on when a slow reader takes up reading', async () => {
    await using gateway = await startTestGateway({ outputBytes: '1MiB' })
    const client = await gateway.dial()
    const count = 30
    client.write(
      Buffer.concat(Array.from({ length: count }, () => encode(['ECHO', 'x'.repeat(1e6)]))),
    )
    for (let at = 0; at < count; at++) assert.equal((await client.reply()).length, 1_000_012)
  })

  it('reads replies that are larger than what may be unread', async () => {
    await using gateway = await startTestGateway({ outputBytes: '1KiB' })
    const client = await gateway.dial()
    for (let turn = 0; turn < 5; turn++)
      assert.equal((await client.command('ECHO', 'x'.repeat(30_000))).length, 30_010)
  })

  it('is disconnected when a command does not become whole in time', async () => {
    await using gateway = await startTestGateway({ commandWithin: '50ms' })
    const slow = await gateway.dial()
    slow.write('*2\r\n$4\r\nECHO\r\n$32000000\r\nabc')
    assert.equal(await slow.rest(), '')
  })

  it('is refused beyond the limit of connections', async () => {
    await using gateway = await startTestGateway({ maxConnections: 1 })
    const first = await gateway.dial()
    assert.equal(await first.command('PING'), '+PONG\r\n')
    const second = await dial(gateway.gateway.port)
    assert.equal(await second.rest(), '-ERR max number of clients reached\r\n')
    second.close()
    assert.equal(await first.command('PING'), '+PONG\r\n')
  })

  it('is closed when it is idle for too long, unless it has a name or listens', async () => {
    await using gateway = await startTestGateway({ idleAfter: '50ms' })
    await gateway.createTopic('t')
    const [named, listening, watching] = [
      await gateway.dial(),
      await gateway.dial(),
      await gateway.dial(),
    ]
    await named.command('CLIENT', 'SETNAME', 'g:a')
    await listening.command('SUBSCRIBE', 't')
    await watching.command('MONITOR')
    const idle = await gateway.dial()
    assert.equal(await idle.rest(), '')
    assert.equal(gateway.gateway.connections, 3)
  })
})
