import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { bulk, startTestGateway, type TestGateway } from '../../harness/gateway.ts'

const noAuth = '-NOAUTH Authentication required.\r\n'
const wrongPass = '-WRONGPASS invalid username-password pair or user is disabled.\r\n'
const noPerm = '-NOPERM No permissions to access a key\r\n'

function startWithUsers(): Promise<TestGateway> {
  return startTestGateway({
    users: [
      {
        name: 'root',
        password: 'r',
        rights: [{ right: 'admin' }, { right: 'consume' }, { right: 'produce' }],
      },
      {
        name: 'shop',
        password: 's',
        rights: [
          { right: 'produce', topics: ['shop-*'] },
          { right: 'consume', topics: ['shop-*'], groups: ['shop'] },
        ],
      },
      { name: 'default', password: 'd' },
    ],
  })
}

describe('users of the gateway', { concurrency: 4 }, () => {
  it('say who they are before anything else', async () => {
    await using gateway = await startWithUsers()
    const client = await gateway.dial()
    for (const words of [
      ['PING'],
      ['CLIENT', 'SETNAME', 'shop:a'],
      ['RPUSHX', 'topics:shop-a', 'x'],
      ['KEYS', 'topics:'],
      ['MONITOR'],
      ['INFO'],
      ['XADD', 'shop-a', '*', 'f', 'v'],
    ])
      assert.equal(await client.command(...words), noAuth, words.join(' '))
    assert.match(await client.command('HELLO', '3'), /^-NOAUTH /)
    assert.match(await client.command('HELLO', '3', 'SETNAME', 'shop:a'), /^-NOAUTH /)
    assert.equal(await client.command('AUTH', 'shop', 's'), '+OK\r\n')
    assert.equal(await client.command('PING'), '+PONG\r\n')
    assert.equal(await client.command('RESET'), '+RESET\r\n')
    assert.equal(await client.command('PING'), noAuth)
  })

  it('are refused alike for a wrong name and a wrong password', async () => {
    await using gateway = await startWithUsers()
    const client = await gateway.dial()
    assert.equal(await client.command('AUTH', 'shop', 'x'), wrongPass)
    assert.equal(await client.command('AUTH', 'nobody', 's'), wrongPass)
    assert.equal(await client.command('HELLO', '3', 'AUTH', 'shop', 'x'), wrongPass)
    assert.equal(await client.command('AUTH', 'x'), wrongPass)
    assert.equal(await client.command('AUTH', 'd'), '+OK\r\n')
    assert.match(await client.command('HELLO', '3', 'AUTH', 'shop', 's'), /^%7\r\n/)
  })

  it('neither write, read, list nor see topics without a right', async () => {
    await using gateway = await startWithUsers()
    for (const topic of ['shop-a', 'secret']) await gateway.createTopic(topic)
    const client = await gateway.dial()
    await client.command('AUTH', 'shop', 's')
    assert.equal(await client.command('RPUSHX', 'topics:shop-a', 'x'), ':1\r\n')
    assert.equal(await client.command('RPUSHX', 'topics:secret', 'x'), noPerm)
    assert.equal(await client.command('RPUSHX', 'topics:missing', 'x'), noPerm)
    assert.equal(await client.command('XADD', 'secret', '*', 'f', 'v'), noPerm)
    assert.equal(await client.command('XRANGE', 'secret', '-', '+'), noPerm)
    assert.equal(await client.command('XRANGE', 'missing', '-', '+'), noPerm)
    assert.equal(await client.command('XLEN', 'secret'), noPerm)
    assert.equal(await client.command('KEYS', 'topics:'), `*1\r\n${bulk('topics:shop-a')}`)
    assert.ok(!(await client.command('SCAN', '0')).includes('secret'))
    assert.ok(!(await client.command('INFO')).includes('secret'))
    await client.command('CLIENT', 'SETNAME', 'shop:a')
    assert.equal(await client.command('BLPOP', 'topics:secret', '0.1'), noPerm)
    assert.equal(await client.command('BLPOP', 'topics:shop-a,secret', '0.1'), noPerm)
    await gateway.client.producer().send({ topic: 'secret', value: 'hidden' })
    const pattern = 'topics:^.*:{"auto.offset.reset":"earliest"}'
    assert.ok((await client.command('BLPOP', pattern, '5')).includes(bulk('shop-a')))
    assert.equal(await client.command('BLPOP', pattern, '0.3'), '*-1\r\n')
    const other = await gateway.dial()
    await other.command('AUTH', 'shop', 's')
    await other.command('CLIENT', 'SETNAME', 'others:a')
    assert.equal(await other.command('BLPOP', 'topics:shop-a', '0.1'), noPerm)
  })

  it('watch and end others only with the right to', async () => {
    await using gateway = await startWithUsers()
    const [shop, root] = [await gateway.dial(), await gateway.dial()]
    await shop.command('AUTH', 'shop', 's')
    await root.command('AUTH', 'root', 'r')
    assert.equal(await shop.command('MONITOR'), noPerm)
    assert.equal(await shop.command('SLOWLOG', 'GET'), noPerm)
    assert.equal(await shop.command('CLIENT', 'KILL', 'USER', 'root'), noPerm)
    assert.equal((await shop.command('CLIENT', 'LIST')).match(/id=/g)?.length, 1)
    assert.equal((await root.command('CLIENT', 'LIST')).match(/id=/g)?.length, 2)
    assert.equal(await root.command('CLIENT', 'KILL', 'USER', 'shop'), ':1\r\n')
    assert.equal(await shop.rest(), '')
    assert.equal(await root.command('CLIENT', 'KILL', 'USER', 'root', 'SKIPME', 'no'), ':1\r\n')
    assert.equal(await root.rest(), '')
  })

  it('run so many commands a second, all connections together', async () => {
    await using gateway = await startTestGateway({ commandsPerSecond: 10 })
    const clients = await Promise.all(Array.from({ length: 4 }, () => gateway.dial()))
    const replies = await Promise.all(
      clients.map(async (client) => {
        for (let count = 0; count < 10; count++) client.write('PING\r\n')
        const own: string[] = []
        while (own.length < 10) own.push(await client.reply())
        return own
      }),
    )
    const refused = replies.flat().filter((one) => one.startsWith('-ERR more than 10 commands'))
    assert.ok(refused.length >= 10 && refused.length <= 30)
  })

  it('are not kept from logging in by strangers who try', async () => {
    await using gateway = await startTestGateway({
      commandsPerSecond: 5,
      users: [{ name: 'default', password: 'd', rights: [] }],
    })
    const stranger = await gateway.dial()
    for (let count = 0; count < 50; count++)
      assert.equal(await stranger.command('AUTH', 'x'), wrongPass)
    const client = await gateway.dial()
    assert.equal(await client.command('AUTH', 'd'), '+OK\r\n')
  })

  it('are asked for nothing where none are configured', async () => {
    await using gateway = await startTestGateway()
    const client = await gateway.dial()
    assert.match(await client.command('AUTH', 'x'), /^-ERR AUTH <password> called without any/)
    assert.equal(await client.command('PING'), '+PONG\r\n')
  })
})
