import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import {
  bulk,
  startTestGateway,
  type RawConnection,
  type TestGateway,
} from '../../harness/gateway.ts'
import { earliest, nothingCame, put, shown, taken } from './consumers.ts'

const noPermission = '-NOPERM No permissions to access a key\r\n'

describe('a user without rights on a topic', () => {
  let gateway: TestGateway
  before(async () => {
    gateway = await startTestGateway({
      users: [
        {
          name: 'reader',
          password: 'r',
          rights: [{ right: 'consume', topics: ['*-public'], groups: ['r*'] }],
        },
        { name: 'writer', password: 'w', rights: [{ right: 'produce', topics: ['a-public'] }] },
        {
          name: 'all',
          password: 'a',
          rights: [{ right: 'consume' }, { right: 'produce' }, { right: 'admin' }],
        },
      ],
    })
    for (const topic of ['a-public', 'secret']) {
      await gateway.createTopic(topic)
      await put(gateway, topic, [`of ${topic}`])
    }
  })
  after(() => gateway[Symbol.asyncDispose]())

  const login = async (user: string, id?: string): Promise<RawConnection> => {
    const connection = await gateway.dial()
    assert.equal(await connection.command('AUTH', user, user.slice(0, 1)), '+OK\r\n')
    if (id !== undefined)
      assert.equal(await connection.command('CLIENT', 'SETNAME', id), bulk('OK'))
    return connection
  }

  it('does nothing at all before it says who it is', async () => {
    const connection = await gateway.dial()
    for (const words of [
      ['BLPOP', 'topics:a-public', '1'],
      ['RPUSHX', 'topics:a-public', 'x'],
      ['KEYS', 'topics:'],
      ['CLIENT', 'SETNAME', 'r:m'],
    ])
      assert.equal(await connection.command(...words), '-NOAUTH Authentication required.\r\n')
  })

  it('cannot read it, and hears the same where there is none', async () => {
    const connection = await login('reader', 'r1:m')
    for (const topics of ['secret', 'no-such', 'a-public,secret', 'secret,a-public', ''])
      assert.equal(
        await connection.command('BLPOP', `topics:${topics}:${earliest}`, '1'),
        noPermission,
        topics,
      )
    assert.equal(
      await connection.command('BLPOP', `topics:a-public:${earliest}`, '5'),
      shown('a-public', 0, 0, 'of a-public'),
    )
    for (const topic of ['secret', 'no-such'])
      assert.equal(
        await connection.command('RPUSH', 'acks', `${topic}:0:0`),
        '-CONS Local: Unknown partition\r\n',
      )
  })

  it('cannot read it by an expression either', async () => {
    for (const [at, expression] of ['^secret|-public', '^.*', '^(secret|a-public)$'].entries()) {
      const connection = await login('reader', `r-rx${at}:m`)
      const key = `topics:${expression}:${earliest}`
      assert.equal(
        taken(await connection.command('BLPOP', key, '5')).value,
        'of a-public',
        expression,
      )
      assert.equal(await connection.command('BLPOP', key, '0.2'), nothingCame, expression)
    }
    const nothing = await login('reader', 'r-rx:none')
    assert.equal(await nothing.command('BLPOP', `topics:^secret$:${earliest}`, '0.2'), nothingCame)
  })

  it('cannot read with a group that it has no right on', async () => {
    const connection = await login('reader', 'other:m')
    assert.equal(
      await connection.command('BLPOP', `topics:a-public:${earliest}`, '1'),
      noPermission,
    )
    const expression = await login('reader', 'another:m')
    assert.equal(await expression.command('BLPOP', `topics:^a-:${earliest}`, '1'), noPermission)
  })

  it('cannot produce to it, and hears the same where there is none', async () => {
    const connection = await login('writer')
    for (const topic of ['secret', 'no-such', 'b-public', ''])
      assert.equal(await connection.command('RPUSHX', `topics:${topic}`, 'x'), noPermission, topic)
    assert.equal(await connection.command('RPUSHX', 'topics:a-public', 'x'), ':1\r\n')
    const reader = await login('reader')
    assert.equal(await reader.command('RPUSHX', 'topics:a-public', 'x'), noPermission)
  })

  it('does not see it in lists', async () => {
    for (const user of ['reader', 'writer']) {
      const connection = await login(user)
      const reply = await connection.command('KEYS', 'topics:')
      assert.equal(reply, `*1\r\n${bulk('topics:a-public')}`, user)
    }
    const all = await login('all')
    const reply = await all.command('KEYS', 'topics:')
    assert.ok(reply.includes('topics:secret'), reply)
  })

  it('does not get at the consumer of whoever was here before', async () => {
    const connection = await login('all', 'mine:m')
    assert.equal(
      await connection.command('BLPOP', `topics:secret:${earliest}`, '5'),
      shown('secret', 0, 0, 'of secret'),
    )
    await put(gateway, 'secret', ['more'])
    assert.equal(await connection.command('AUTH', 'reader', 'r'), '+OK\r\n')
    assert.equal(await connection.command('BLPOP', 'topics:secret', '0.2'), noPermission)
    assert.equal(await connection.command('AUTH', 'all', 'a'), '+OK\r\n')
    assert.equal(
      await connection.command('BLPOP', 'topics:secret', '5'),
      shown('secret', 0, 1, 'more'),
    )
  })
})
