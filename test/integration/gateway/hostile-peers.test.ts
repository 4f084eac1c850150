import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { fuzzGateway } from '../../fuzz/fuzz-gateway.ts'
import { bulk, encode, startTestGateway } from '../../harness/gateway.ts'
import { until } from '../../harness/until.ts'

describe('hostile peers of the gateway', () => {
  it('get whole replies to any bytes, and harm nobody', async () => {
    const seed = Date.now() % 1_000_000_007
    const report = await fuzzGateway({ count: 1500, seed })
    assert.equal(report.sent, 1500, `seed ${seed}`)
  })

  it('cost no memory for bytes that they only announce', async () => {
    await using gateway = await startTestGateway()
    const before = process.memoryUsage().rss
    const clients = await Promise.all(Array.from({ length: 100 }, () => gateway.dial()))
    for (const client of clients) client.write('*2\r\n$4\r\nECHO\r\n$32000000\r\nabc')
    await until('all have connected', () => gateway.gateway.connections === 100)
    const other = await gateway.dial()
    assert.equal(await other.command('PING'), '+PONG\r\n')
    assert.ok(process.memoryUsage().rss - before < 100 * 1024 * 1024)
  })

  it('are noticed while they block, and their names are free', async () => {
    await using gateway = await startTestGateway()
    await gateway.createTopic('t')
    const blocked = await gateway.dial()
    blocked.write(
      Buffer.concat([encode(['CLIENT', 'SETNAME', 'g:a']), encode(['BLPOP', 'topics:t', '0'])]),
    )
    assert.equal(await blocked.reply(), bulk('OK'))
    await until('it blocks', () => gateway.gateway.figures()['blocked_calls'] === 1)
    blocked.write(Buffer.alloc(500_000, '\n'))
    blocked.close()
    const next = await gateway.dial()
    assert.equal(await next.command('CLIENT', 'SETNAME', 'g:a'), bulk('OK'))
  })

  it('are not read further than a mebibyte while they block', async () => {
    await using gateway = await startTestGateway()
    await gateway.createTopic('t')
    const blocked = await gateway.dial()
    await blocked.command('CLIENT', 'SETNAME', 'g:a')
    blocked.write(encode(['BLPOP', 'topics:t', '0']))
    await until('it blocks', () => gateway.gateway.figures()['blocked_calls'] === 1)
    const piece = Buffer.alloc(1024 * 1024, 'x')
    for (let count = 0; count < 64; count++) blocked.write(piece)
    const other = await gateway.dial()
    for (let count = 0; count < 100; count++) assert.equal(await other.command('PING'), '+PONG\r\n')
    assert.ok(blocked.socket.writableLength > 32 * 1024 * 1024)
  })
})
