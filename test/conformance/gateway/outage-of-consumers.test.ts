import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { startGateway } from '../../../packages/millrace/src/gateway/index.ts'
import { bulk, dial } from '../../harness/gateway.ts'
import { until } from '../../harness/until.ts'
import { earliest, nothingCame, shown } from './consumers.ts'
import { Outage } from './outage.ts'

describe('while the broker is down', () => {
  it('a consumer hears of it once at most, then waits until there is something again', async () => {
    await using outage = await Outage.begin(['orders'])
    const producer = await outage.dial()
    await producer.command('RPUSHX', 'topics:orders', 'a')
    const consumer = await outage.dial()
    assert.equal(await consumer.command('CLIENT', 'SETNAME', 'orders:one'), bulk('OK'))
    const key = `topics:orders:${earliest}`
    assert.equal(await consumer.command('BLPOP', key, '5'), shown('orders', 0, 0, 'a'))
    assert.equal(await consumer.command('RPUSH', 'acks', 'orders:0:0'), ':1\r\n')
    await outage.down()
    const replies: string[] = []
    for (let at = 0; at < 30; at++) replies.push(await consumer.command('BLPOP', key, '0.1'))
    const errors = replies.filter((reply) => reply !== nothingCame)
    assert.ok(errors.length <= 1, errors.join(''))
    for (const error of errors) assert.match(error, /^-CONS Poll [^\r\n]+\r\n$/)
    assert.equal(await producer.command('RPUSHX', 'topics:orders', 'b'), ':1\r\n')
    await outage.up()
    let reply = ''
    await until('the next message comes', async () => {
      reply = await consumer.command('BLPOP', key, '1')
      return reply.startsWith('*8')
    })
    assert.equal(reply, shown('orders', 0, 1, 'b'))
    assert.equal(await consumer.command('RPUSH', 'acks', 'orders:0:1'), ':1\r\n')
    assert.equal(await consumer.command('QUIT'), bulk('OK'))
    const [position] = await outage.client.admin.committedOffsets('orders')
    assert.equal(position?.offset, 2)
  })

  it('a gateway may start, take messages, and let consumers wait', async () => {
    await using outage = await Outage.begin(['orders'])
    await outage.down()
    await using early = await startGateway({
      brokers: [`127.0.0.1:${outage.port}`],
      port: 0,
    })
    const connection = await dial(early.port)
    assert.equal(await connection.command('RPUSHX', 'topics:orders', 'early'), ':1\r\n')
    const consumer = await dial(early.port)
    await consumer.command('CLIENT', 'SETNAME', 'early:one')
    const key = `topics:orders:${earliest}`
    const first = await consumer.command('BLPOP', key, '0.2')
    assert.ok(first === nothingCame || first.startsWith('-CONS Poll '), first)
    assert.match(await connection.command('KEYS', 'topics:'), /^-ERR Error getting metadata: /)
    await outage.up()
    assert.equal(await connection.command('DUMP', '20000'), ':0\r\n')
    await until(
      'it is read',
      async () => (await consumer.command('BLPOP', key, '1')) === shown('orders', 0, 0, 'early'),
    )
    connection.close()
    consumer.close()
  })

  it('QUIT is answered in time, and the name is free', async () => {
    await using outage = await Outage.begin(['orders'])
    const producer = await outage.dial()
    await producer.command('RPUSHX', 'topics:orders', 'a')
    const consumer = await outage.dial()
    await consumer.command('CLIENT', 'SETNAME', 'orders:one')
    const key = `topics:orders:${earliest}`
    assert.equal(await consumer.command('BLPOP', key, '5'), shown('orders', 0, 0, 'a'))
    assert.equal(await consumer.command('RPUSH', 'acks', 'orders:0:0'), ':1\r\n')
    await outage.down()
    const start = performance.now()
    consumer.write('QUIT\r\n')
    assert.equal(await consumer.reply(15_000), bulk('OK'))
    assert.ok(performance.now() - start < 9000)
    const next = await outage.dial()
    assert.equal(await next.command('CLIENT', 'SETNAME', 'orders:one'), bulk('OK'))
  })

  it('a stop keeps to its time, and tells blocked calls at once', async () => {
    await using outage = await Outage.begin(['orders'])
    const producer = await outage.dial()
    await producer.command('RPUSHX', 'topics:orders', 'a')
    const acknowledging = await outage.dial()
    await acknowledging.command('CLIENT', 'SETNAME', 'acks:one')
    await acknowledging.command('BLPOP', `topics:orders:${earliest}`, '5')
    await acknowledging.command('RPUSH', 'acks', 'orders:0:0')
    const blocked = await outage.dial()
    await blocked.command('CLIENT', 'SETNAME', 'blocked:one')
    blocked.write('blpop topics:orders 60\r\n')
    await until('it waits', () => outage.gateway.figures()['blocked_pops'] === 1)
    await outage.down()
    assert.equal(await producer.command('RPUSHX', 'topics:orders', 'b'), ':1\r\n')
    let isStopped = false
    const start = performance.now()
    const stopped = outage.gateway.stop({ timeoutMs: 2000 }).then((unsent) => {
      isStopped = true
      return unsent
    })
    assert.match(await blocked.reply(), /^-CONS (Server shutdown|Poll [^\r]+)\r\n$/)
    assert.equal(isStopped, false)
    assert.equal(await stopped, 1)
    assert.ok(performance.now() - start < 6000, `${performance.now() - start} ms`)
    assert.equal(outage.gateway.connections, 0)
  })
})
