import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { bulk, startTestGateway, type TestGateway } from '../../harness/gateway.ts'
import { until } from '../../harness/until.ts'
import { committed, earliest, named, nothingCame, put, shown, taken } from './consumers.ts'

describe('names of connections', () => {
  let gateway: TestGateway
  before(async () => {
    gateway = await startTestGateway()
    await gateway.createTopic('orders')
  })
  after(() => gateway[Symbol.asyncDispose]())

  const members = async (group: string): Promise<number> => {
    const [described] = await gateway.client.admin.describeGroups([group])
    return described?.members.length ?? 0
  }

  it('are the address until one is given', async () => {
    const connection = await gateway.dial()
    const { localAddress, localPort } = connection.socket
    assert.equal(
      await connection.command('CLIENT', 'GETNAME'),
      bulk(`${localAddress}:${localPort}`),
    )
    assert.equal(await connection.command('client', 'setname', 'given:one'), bulk('OK'))
    assert.equal(await connection.command('Client', 'GetName'), bulk('given:one'))
  })

  it('are checked: taken, set already, without a group, in this order', async () => {
    const one = await named(gateway, 'order:one')
    const two = await named(gateway, 'order:two')
    assert.equal(
      await two.command('CLIENT', 'SETNAME', 'order:one'),
      '-CONS id order:one is already taken\r\n',
    )
    assert.equal(
      await two.command('CLIENT', 'SETNAME', 'order:two'),
      '-CONS id order:two is already taken\r\n',
    )
    assert.equal(
      await two.command('CLIENT', 'SETNAME', 'order:three'),
      '-CONS Client ID is already set to order:two\r\n',
    )
    assert.equal(
      await two.command('CLIENT', 'SETNAME', 'nogroup'),
      '-CONS Client ID is already set to order:two\r\n',
    )
    assert.equal(await two.command('PING'), '+PONG\r\n')
    assert.equal(await one.command('CLIENT', 'GETNAME'), bulk('order:one'))
    const three = await gateway.dial()
    assert.equal(
      await three.command('CLIENT', 'SETNAME', 'nogroup'),
      '-CONS Cannot parse group.id\r\n',
    )
    assert.equal(await three.command('CLIENT', 'SETNAME', ''), '-CONS Cannot parse group.id\r\n')
    assert.equal(await three.command('CLIENT', 'SETNAME'), '-CONS Cannot parse group.id\r\n')
    assert.equal(await three.command('CLIENT', 'SETNAME', null), '-CONS Cannot parse group.id\r\n')
    assert.equal(await three.command('CLIENT', 'SETNAME', 'order:three'), bulk('OK'))
  })

  it('may lack the group, or hold more colons', async () => {
    await named(gateway, ':nobody')
    const connection = await named(gateway, 'a:b:c:d')
    assert.equal(await connection.command('CLIENT', 'GETNAME'), bulk('a:b:c:d'))
  })

  it('of another live connection close the unnamed one after the error', async () => {
    await named(gateway, 'owner:one')
    const late = await gateway.dial()
    late.write('client setname owner:one\r\nPING\r\n')
    assert.equal(await late.rest(), '-CONS id owner:one is already taken\r\n')
  })

  it('are escaped in errors', async () => {
    await named(gateway, 'lines:\r\n+OK\x00')
    const other = await gateway.dial()
    other.write('*3\r\n$6\r\nCLIENT\r\n$7\r\nSETNAME\r\n$12\r\nlines:\r\n+OK\x00\r\n')
    assert.equal(await other.rest(), '-CONS id lines:\\r\\n+OK\\x00 is already taken\r\n')
  })

  it('are given to a hundred connections at once, each its own', async () => {
    const all = await Promise.all(
      Array.from({ length: 100 }, async (_, at) => {
        const connection = await gateway.dial()
        const reply = await connection.command('CLIENT', 'SETNAME', `crowd:${at}`)
        return [reply, await connection.command('CLIENT', 'GETNAME')]
      }),
    )
    for (const [at, replies] of all.entries())
      assert.deepEqual(replies, [bulk('OK'), bulk(`crowd:${at}`)])
  })

  it('go to one of many that ask for the same at once', async () => {
    const all = await Promise.all(
      Array.from({ length: 20 }, async () => {
        const connection = await gateway.dial()
        return connection.command('CLIENT', 'SETNAME', 'same:one')
      }),
    )
    assert.equal(all.filter((reply) => reply === bulk('OK')).length, 1)
    assert.equal(
      all.filter((reply) => reply === '-CONS id same:one is already taken\r\n').length,
      19,
    )
  })

  describe('after QUIT', () => {
    it('are free before its reply, with everything committed', async () => {
      await gateway.createTopic('quit')
      await put(gateway, 'quit', ['a', 'b'])
      const first = await named(gateway, 'quit:one')
      await first.command('BLPOP', `topics:quit:${earliest}`, '5')
      await first.command('RPUSH', 'acks', 'quit:0:0')
      first.write('QUIT\r\nPING\r\n')
      assert.equal(await first.reply(), bulk('OK'))
      assert.equal(await committed(gateway, 'quit', 'quit'), 1)
      assert.equal(await members('quit'), 0)
      const second = await named(gateway, 'quit:one')
      assert.equal(
        await second.command('BLPOP', `topics:quit:${earliest}`, '5'),
        shown('quit', 0, 1, 'b'),
      )
      assert.equal(await first.rest(), '')
    })

    it('nothing is answered any more', async () => {
      const connection = await gateway.dial()
      connection.write('QUIT\r\nPING\r\nPING\r\n')
      assert.equal(await connection.rest(), bulk('OK'))
    })
  })

  describe('of connections that end by themselves', () => {
    it('pass on while a call of theirs is blocked', async () => {
      const first = await named(gateway, 'blocked:one')
      first.write('blpop topics:orders 60\r\n')
      await until('it is a member', async () => (await members('blocked')) === 1)
      first.close()
      const second = await named(gateway, 'blocked:one')
      assert.equal(await second.command('CLIENT', 'GETNAME'), bulk('blocked:one'))
    })

    it('answer what they had sent, a blocked call at once, and commit', async () => {
      await gateway.createTopic('half')
      await put(gateway, 'half', ['a'])
      const first = await named(gateway, 'half:one')
      await first.command('BLPOP', `topics:half:${earliest}`, '5')
      first.write('rpush acks half:0:0\r\nblpop topics:half 60\r\nPING\r\n')
      first.end()
      assert.equal(await first.rest(), `:1\r\n${nothingCame}+PONG\r\n`)
      const second = await named(gateway, 'half:one')
      assert.equal(await second.command('BLPOP', 'topics:half', '0.1'), nothingCame)
      assert.equal(await committed(gateway, 'half', 'half'), 1)
    })

    it('commit at a protocol error too', async () => {
      await gateway.createTopic('broken')
      await put(gateway, 'broken', ['a'])
      const first = await named(gateway, 'broken:one')
      await first.command('BLPOP', `topics:broken:${earliest}`, '5')
      first.write('rpush acks broken:0:0\r\n*x\r\n')
      assert.equal(await first.rest(), ':1\r\n-Expect Number\r\n')
      await named(gateway, 'broken:one')
      assert.equal(await committed(gateway, 'broken', 'broken'), 1)
    })

    it('are not kept by somebody who left while waiting for one', async () => {
      await gateway.createTopic('waited')
      for (let round = 0; round < 20; round++) {
        const first = await named(gateway, 'waited:one')
        await first.command('BLPOP', 'topics:waited', '0.01')
        first.close()
        const impatient = await gateway.dial()
        impatient.write('client setname waited:one\r\n')
        impatient.socket.resetAndDestroy()
      }
      const last = await named(gateway, 'waited:one')
      assert.equal(await last.command('CLIENT', 'GETNAME'), bulk('waited:one'))
    })
  })

  it('survive 200 reconnects under one id; what was acknowledged is not seen again, what was not is', async () => {
    const topic = 'reconnects'
    await gateway.createTopic(topic)
    const rounds = 200
    await put(
      gateway,
      topic,
      Array.from({ length: rounds }, (_, at) => `${at}`),
    )
    const key = `topics:${topic}:${earliest}`
    let expected = 0
    for (let round = 0; round < rounds; round++) {
      const connection = await gateway.dial()
      assert.equal(
        await connection.command('CLIENT', 'SETNAME', 'reconnects:one'),
        bulk('OK'),
        `round ${round}`,
      )
      const message = taken(await connection.command('BLPOP', key, '5'))
      assert.equal(message.offset, expected, `round ${round}`)
      // Every third is handled and not acknowledged: it must come again.
      if (round % 3 !== 2) {
        assert.equal(
          await connection.command('RPUSH', 'acks', `${topic}:0:${message.offset}`),
          ':1\r\n',
        )
        expected++
      }
      if (round % 2 === 0) assert.equal(await connection.command('QUIT'), bulk('OK'))
      else connection.close()
    }
    assert.ok(expected > 130)
  })
})
