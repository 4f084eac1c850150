import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { bulk, startTestGateway } from '../../harness/gateway.ts'
import { until } from '../../harness/until.ts'

describe('names of connections', { concurrency: 4 }, () => {
  it('are read by their own connections when a hundred come at once', async () => {
    await using gateway = await startTestGateway()
    const clients = await Promise.all(Array.from({ length: 100 }, () => gateway.dial()))
    const replies = await Promise.all(
      clients.map(async (client, at) => {
        assert.equal(await client.command('client', 'setname', `g:${at}`), bulk('OK'))
        return client.command('Client', 'getname')
      }),
    )
    assert.deepEqual(
      replies,
      clients.map((_, at) => bulk(`g:${at}`)),
    )
  })

  it('are checked in order: taken, set before, without a group', async () => {
    await using gateway = await startTestGateway()
    const first = await gateway.dial()
    assert.equal(
      await first.command('CLIENT', 'SETNAME', 'nothing'),
      '-CONS Cannot parse group.id\r\n',
    )
    assert.equal(await first.command('CLIENT', 'SETNAME'), '-CONS Cannot parse group.id\r\n')
    assert.equal(await first.command('CLIENT', 'SETNAME', 'g:a'), bulk('OK'))
    assert.equal(
      await first.command('CLIENT', 'SETNAME', 'g:a'),
      '-CONS id g:a is already taken\r\n',
    )
    assert.equal(
      await first.command('CLIENT', 'SETNAME', 'nothing'),
      '-CONS Client ID is already set to g:a\r\n',
    )
    assert.equal(await first.command('CLIENT', 'GETNAME'), bulk('g:a'))
  })

  it('are the address until one is set', async () => {
    await using gateway = await startTestGateway()
    const client = await gateway.dial()
    const { localPort } = client.socket
    assert.equal(await client.command('CLIENT', 'GETNAME'), bulk(`127.0.0.1:${localPort}`))
  })

  it('that a live connection holds close whoever asks for them without a name', async () => {
    await using gateway = await startTestGateway()
    const first = await gateway.dial()
    await first.command('CLIENT', 'SETNAME', 'g:a')
    const second = await gateway.dial()
    second.write('CLIENT SETNAME g:a\r\nPING\r\n')
    assert.equal(await second.rest(), '-CONS id g:a is already taken\r\n')
    assert.equal(await first.command('PING'), '+PONG\r\n')
  })

  it('never turn a line end into a second reply', async () => {
    await using gateway = await startTestGateway()
    const first = await gateway.dial()
    await first.command('CLIENT', 'SETNAME', 'g:a\r\n+OK')
    const second = await gateway.dial()
    assert.equal(
      await second.command('CLIENT', 'SETNAME', 'g:a\r\n+OK'),
      '-CONS id g:a\\r\\n+OK is already taken\r\n',
    )
  })

  it('are free before the reply of QUIT, and after a plain close, 200 times in a row', async () => {
    await using gateway = await startTestGateway()
    await gateway.createTopic('t')
    for (let turn = 0; turn < 200; turn++) {
      const client = await gateway.dial()
      assert.equal(await client.command('CLIENT', 'SETNAME', 'g:same'), bulk('OK'), `turn ${turn}`)
      if (turn % 2 === 0) assert.equal(await client.command('QUIT'), bulk('OK'))
      client.close()
    }
  })

  it('are free although whoever waited for them went', async () => {
    await using gateway = await startTestGateway()
    for (let turn = 0; turn < 20; turn++) {
      const client = await gateway.dial()
      client.write('CLIENT SETNAME g:same\r\nCLIENT SETNAME g:same\r\n')
      client.close()
    }
    await until('all are gone', () => gateway.gateway.connections === 0)
    const last = await gateway.dial()
    assert.equal(await last.command('CLIENT', 'SETNAME', 'g:same'), bulk('OK'))
  })

  it('are refused while the gateway drains', async () => {
    const committed = Promise.withResolvers<void>()
    const slow = { commands: {}, drain: () => committed.promise }
    await using gateway = await startTestGateway({ parts: [slow] })
    await gateway.createTopic('t')
    const blocked = await gateway.dial()
    await blocked.command('CLIENT', 'SETNAME', 'g:a')
    blocked.write('BLPOP topics:t 0\r\n')
    await until('it blocks', () => gateway.gateway.figures()['blocked_calls'] === 1)
    const stopped = gateway.gateway.stop()
    assert.equal(await blocked.reply(), '-CONS Server shutdown\r\n')
    assert.equal(await blocked.command('PING'), '+PONG\r\n')
    assert.equal(await blocked.command('BLPOP', 'topics:t', '5'), '-CONS Server shutdown\r\n')
    const late = await gateway.dial()
    late.write('CLIENT SETNAME g:b\r\n')
    assert.equal(await late.rest(), '-CONS Server shutdown\r\n')
    committed.resolve()
    assert.equal(await blocked.rest(), '')
    await stopped
  })
})
