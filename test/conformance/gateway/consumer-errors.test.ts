import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { startTestGateway, type TestGateway } from '../../harness/gateway.ts'
import { until } from '../../harness/until.ts'
import { earliest, named, nothingCame, put, shown } from './consumers.ts'

describe('what goes wrong with a consumer', () => {
  let gateway: TestGateway
  before(async () => {
    gateway = await startTestGateway()
    await gateway.createTopic('orders')
    await put(gateway, 'orders', ['a'])
  })
  after(() => gateway[Symbol.asyncDispose]())

  it('is told by a call, and the connection goes on', async () => {
    const connection = await named(gateway, 'session:one')
    const key = 'topics:orders:{"session.timeout.ms":100}'
    const refused = '-CONS Poll Broker: Invalid session timeout\r\n'
    assert.equal(await connection.command('BLPOP', key, '5'), refused)
    assert.equal(await connection.command('PING'), '+PONG\r\n')
    // It tries again with the next call.
    assert.equal(await connection.command('BLPOP', key, '5'), refused)
    assert.equal(
      await connection.command('RPUSH', 'acks', 'orders:0:0'),
      '-CONS Local: Unknown partition\r\n',
    )
    assert.equal(await connection.command('QUIT'), '$2\r\nOK\r\n')
  })

  it('is told where nothing is committed and nothing may be assumed', async () => {
    const connection = await named(gateway, 'fail:one')
    const reply = await connection.command(
      'BLPOP',
      'topics:orders:{"auto.offset.reset":"error"}',
      '5',
    )
    assert.equal(reply, '-CONS Poll Local: No offset to automatically reset to\r\n')
    assert.equal(await connection.command('PING'), '+PONG\r\n')
  })

  it('does not spread from topics that cannot be to those that are', async () => {
    for (const [at, topics] of [
      ',orders',
      'a b,orders',
      `${'x'.repeat(250)},orders`,
      '.,..,orders',
      'é,orders',
      'absent,orders',
      'orders,orders',
      '^nothing-matches,orders',
      'a b,^orders$',
    ].entries()) {
      const connection = await named(gateway, `spread${at}:one`)
      assert.equal(
        await connection.command('BLPOP', `topics:${topics}:${earliest}`, '5'),
        shown('orders', 0, 0, 'a'),
        topics,
      )
    }
  })

  it('is told for an expression that would take for ever, and holds nobody up', async () => {
    await gateway.createTopic('a'.repeat(60))
    const connection = await named(gateway, 'slow:one')
    const other = await gateway.dial()
    const refused = '-CONS Poll Local: Invalid argument or configuration\r\n'
    for (let at = 0; at < 3; at++) {
      const start = performance.now()
      assert.equal(
        await connection.command('BLPOP', 'topics:^(([a-z])+.)+[A-Z]([a-z])+$', '20'),
        refused,
      )
      assert.ok(performance.now() - start < 10_000)
      assert.equal(await other.command('PING'), '+PONG\r\n')
    }
    await connection.command('QUIT')
    const [described] = await gateway.client.admin.describeGroups(['slow'])
    assert.equal(described?.members.length, 0)
  })

  it('is told to a static member that another has replaced, for good', async () => {
    await gateway.createTopic('static')
    await put(gateway, 'static', ['a', 'b', 'c'])
    const key = 'topics:static:{"auto.offset.reset":"earliest","group.instance.id":"i"}'
    const first = await named(gateway, 'static:one')
    assert.equal(await first.command('BLPOP', key, '5'), shown('static', 0, 0, 'a'))
    assert.equal(await first.command('RPUSH', 'acks', 'static:0:0'), ':1\r\n')
    first.close()
    // It does not leave; whoever comes under its id has its place at once.
    const second = await named(gateway, 'static:one')
    assert.equal(await second.command('BLPOP', key, '5'), shown('static', 0, 1, 'b'))
    const third = await named(gateway, 'static:two')
    assert.equal(await third.command('BLPOP', key, '5'), shown('static', 0, 1, 'b'))
    const fenced =
      '-CONS Poll Broker: Static consumer fenced by other consumer with same group.instance.id\r\n'
    let reply = nothingCame
    await until('it hears of it', async () => {
      reply = await second.command('BLPOP', key, '0.2')
      return reply.startsWith('-')
    })
    assert.equal(reply, fenced)
    assert.equal(await second.command('BLPOP', key, '5'), fenced)
    assert.equal(await third.command('RPUSH', 'acks', 'static:0:1'), ':1\r\n')
    assert.equal(await third.command('BLPOP', key, '5'), shown('static', 0, 2, 'c'))
  })

  it('is forgotten when a topic goes and comes again', async () => {
    await gateway.createTopic('phoenix')
    await put(gateway, 'phoenix', ['old'])
    const connection = await named(gateway, 'phoenix:one')
    const key = `topics:phoenix:${earliest}`
    assert.equal(await connection.command('BLPOP', key, '5'), shown('phoenix', 0, 0, 'old'))
    await gateway.client.admin.deleteTopics(['phoenix'])
    await gateway.createTopic('phoenix')
    await put(gateway, 'phoenix', ['new'])
    let reply = ''
    await until(
      'the new message comes',
      async () => {
        reply = await connection.command('BLPOP', key, '0.5')
        assert.ok(
          reply === nothingCame || reply.startsWith('*8') || reply.startsWith('-CONS Poll '),
        )
        return reply.startsWith('*8')
      },
      { lastSeen: () => reply },
    )
    assert.equal(reply, shown('phoenix', 0, 0, 'new'))
  })
})
