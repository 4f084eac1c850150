import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import {
  bulk,
  encode,
  startTestGateway,
  type RawConnection,
  type TestGateway,
} from '../../harness/gateway.ts'
import { earliest, named, nothingCame, put, shown } from './consumers.ts'

const pong = '+PONG\r\n'
const ok = '+OK\r\n'

type Words = readonly (string | Buffer | null)[]
/** Text: the whole reply; an expression: what it fits. */
type Row = readonly [words: Words, reply: string | RegExp]

async function check(connection: RawConnection, [words, reply]: Row): Promise<void> {
  const title = JSON.stringify(words)
  const given = await connection.command(...words)
  if (typeof reply === 'string') assert.equal(given, reply, title)
  else assert.match(given, reply, title)
}

const titleOf = ([words]: Row): string => JSON.stringify(words)

describe('handshake commands', () => {
  let gateway: TestGateway
  before(async () => {
    gateway = await startTestGateway()
    await gateway.createTopic('foo')
  })
  after(() => gateway[Symbol.asyncDispose]())

  const unknownOf = (name: string, ...args: readonly string[]): string =>
    `-ERR unknown command '${name}', with args beginning with: ${args.map((one) => `'${one}' `).join('')}\r\n`
  const greeting = (type: string, proto: number): RegExp =>
    new RegExp(
      `^${type}\\r\\n\\$6\\r\\nserver\\r\\n\\$\\d+\\r\\n[^\\r]+\\r\\n` +
        `\\$7\\r\\nversion\\r\\n\\$\\d+\\r\\n[^\\r]+\\r\\n\\$5\\r\\nproto\\r\\n:${proto}\\r\\n` +
        `\\$2\\r\\nid\\r\\n:\\d+\\r\\n\\$4\\r\\nmode\\r\\n\\$10\\r\\nstandalone\\r\\n` +
        `\\$4\\r\\nrole\\r\\n\\$6\\r\\nmaster\\r\\n\\$7\\r\\nmodules\\r\\n\\*0\\r\\n$`,
    )

  const rows: readonly Row[] = [
    [['HELLO'], greeting('\\*14', 2)],
    [['HELLO', '2'], greeting('\\*14', 2)],
    [['hello', '3'], greeting('%7', 3)],
    [['HELLO', '3', 'SETNAME', 'hello:a'], greeting('%7', 3)],
    [['HELLO', '1'], '-NOPROTO unsupported protocol version\r\n'],
    [['HELLO', '4'], '-NOPROTO unsupported protocol version\r\n'],
    [['HELLO', '3', 'SETNAME', 'nocolon'], '-CONS Cannot parse group.id\r\n'],
    [['HELLO', '3', 'NONSENSE'], /^-ERR /],
    [['AUTH', 'secret'], /^-ERR /],
    [['AUTH'], "-ERR wrong number of arguments for 'auth' command\r\n"],
    [['SELECT', '0'], ok],
    [['SELECT', '1'], '-ERR DB index is out of range\r\n'],
    [['RESET'], '+RESET\r\n'],
    [['ECHO', 'a\r\nb'], bulk('a\r\nb')],
    [['ECHO'], "-ERR wrong number of arguments for 'echo' command\r\n"],
    [['INFO'], /\r\nloading:0\r\n/],
    [['INFO'], /\r\nrole:master\r\n/],
    [['INFO', 'replication'], /^\$\d+\r\n# Replication\r\nrole:master\r\n/],
    [['COMMAND', 'DOCS'], '*0\r\n'],
    [['COMMAND', 'COUNT'], /^:\d+\r\n$/],
    [['COMMAND'], '*0\r\n'],
    [['CLIENT', 'ID'], /^:\d+\r\n$/],
    [['client', 'setinfo', 'lib-name', 'ours'], ok],
    [['CLIENT', 'SETINFO', 'LIB-VER', '1.2'], ok],
    [['CLIENT', 'SETINFO', 'LIB-NAME', 'with space'], /^-ERR /],
    [['CLIENT', 'INFO'], /^\$\d+\r\nid=\d+ addr=127\.0\.0\.1:\d+ [^\n]*\n\r\n$/],
    [['CLIENT', 'LIST'], /^\$\d+\r\nid=\d+ addr=127\.0\.0\.1:\d+ /],
    [['CLIENT', 'NO-EVICT', 'ON'], ok],
    [['CLIENT', 'NO-TOUCH', 'off'], ok],
    [['CLIENT', 'NO-TOUCH', 'x'], '-ERR syntax error\r\n'],
    [['CLIENT', 'TRACKING', 'ON'], /^-ERR /],
    [['CLIENT', 'NONE'], /^-ERR unknown subcommand 'NONE'/],
    [['CONFIG', 'GET', 'save'], '*0\r\n'],
    [['CLUSTER', 'SLOTS'], '-ERR This instance has cluster support disabled\r\n'],
    [['GET', 'a'], unknownOf('GET', 'a')],
    [['get', 'a', 'b'], unknownOf('get', 'a', 'b')],
    [['NONE'], unknownOf('NONE')],
    [['toString'], unknownOf('toString')],
    [['__proto__', 'x'], unknownOf('__proto__', 'x')],
    [['CLIENT', '__proto__'], /^-ERR unknown subcommand '__proto__'/],
  ]
  for (const row of rows)
    it(titleOf(row), async () => {
      const connection = await gateway.dial()
      await check(connection, row)
      assert.equal(await connection.command('PING'), pong)
    })

  it('tell a connection what it set', async () => {
    const connection = await named(gateway, 'told:a')
    await connection.command('CLIENT', 'SETINFO', 'LIB-NAME', 'ours')
    await connection.command('CLIENT', 'SETINFO', 'LIB-VER', '1.2')
    const id = (await connection.command('CLIENT', 'ID')).slice(1, -2)
    const { localPort } = connection.socket
    assert.match(
      await connection.command('CLIENT', 'INFO'),
      new RegExp(
        `id=${id} addr=127\\.0\\.0\\.1:${localPort} name=told:a .*lib-name=ours lib-ver=1\\.2 `,
      ),
    )
  })

  it('change the protocol at once, and back by RESET', async () => {
    const connection = await gateway.dial()
    await connection.command('HELLO', '3')
    assert.match(await connection.command('HGETALL', 'stats'), /^%3\r\n/)
    assert.equal(await connection.command('COMMAND', 'DOCS'), '%0\r\n')
    assert.equal(await connection.command('RESET'), '+RESET\r\n')
    assert.match(await connection.command('HGETALL', 'stats'), /^\*6\r\n/)
  })

  it('leave the protocol as it was when they are refused', async () => {
    const connection = await gateway.dial()
    await connection.command('HELLO', '3', 'SETNAME', 'nocolon')
    await connection.command('HELLO', '4')
    assert.match(await connection.command('HGETALL', 'stats'), /^\*6\r\n/)
  })

  it('name a consumer as SETNAME does, and close where a name is taken', async () => {
    const first = await gateway.dial()
    await first.command('HELLO', '3', 'SETNAME', 'both:a')
    assert.equal(await first.command('CLIENT', 'GETNAME'), bulk('both:a'))
    const second = await gateway.dial()
    second.write(encode(['HELLO', '3', 'SETNAME', 'both:a']))
    assert.equal(await second.rest(), '-CONS id both:a is already taken\r\n')
  })

  it('give a message and a timeout in the third version of the protocol', async () => {
    await put(gateway, 'foo', ['v'])
    const connection = await gateway.dial()
    await connection.command('HELLO', '3', 'SETNAME', 'third:a')
    const pop = `topics:foo:${earliest}`
    assert.equal(await connection.command('BLPOP', pop, '5'), shown('foo', 0, 0, 'v'))
    assert.equal(await connection.command('BLPOP', pop, '0.01'), '_\r\n')
  })
})

describe('the original in strict mode', () => {
  let gateway: TestGateway
  before(async () => {
    gateway = await startTestGateway({ strict: true })
    await gateway.createTopic('foo')
  })
  after(() => gateway[Symbol.asyncDispose]())

  const lacked = (name: string): string => `-Command not supported: ${name}\r\n`
  const rows: readonly Row[] = [
    ...['hello', 'AUTH', 'Select', 'RESET', 'ECHO', 'INFO', 'COMMAND', 'CONFIG', 'CLUSTER']
      .concat(['XADD', 'XREADGROUP', 'BLMPOP', 'LMPOP', 'PUBLISH', 'SUBSCRIBE', 'SCAN', 'get'])
      .map((name): Row => [[name, 'x'], lacked(name.toUpperCase())]),
    ...['id', 'SETINFO', 'INFO', 'LIST', 'NO-EVICT', 'No-Touch', 'DURABLE', 'META', 'NOTIFY']
      .concat(['ERRORS', 'KILL', 'none'])
      .map((name): Row => [['client', name], lacked(name.toUpperCase())]),
    [['CLIENT'], lacked('')],
    [[''], lacked('')],
    [[null], lacked('')],
    [['x\r\ny'], lacked('X\\r\\nY')],
    [['PING'], pong],
    [['CLIENT', 'SETNAME', 'strict:a'], bulk('OK')],
    [['CLIENT', 'GETNAME'], /^\$\d+\r\n127\.0\.0\.1:\d+\r\n$/],
    [['RPUSHX', 'topics:foo', 'v'], ':1\r\n'],
    [['DUMP', '0'], ':0\r\n'],
    [['KEYS', 'topics:'], /^\*1\r\n\$10\r\ntopics:foo\r\n/],
    [['HGETALL', 'stats'], /^\*6\r\n/],
    [['DEL', 'stats'], ':1\r\n'],
    [['RPUSH', 'x', 'y'], "-CONS You can only RPUSH to the 'acks' key\r\n"],
    [['BLPOP', 'x', '1'], '-CONS Cannot parse topics from `x`\r\n'],
    [['MONITOR'], ok],
    [['QUIT'], bulk('OK')],
  ]
  for (const row of rows)
    it(titleOf(row), async () => {
      const connection = await gateway.dial()
      await check(connection, row)
    })

  it('asks nobody who he is before it says what it lacks', async () => {
    const connection = await gateway.dial()
    await check(connection, [['HELLO', '3', 'AUTH', 'a', 'b'], lacked('HELLO')])
    await check(connection, [['PING'], pong])
  })
})

describe('users', () => {
  let gateway: TestGateway
  before(async () => {
    gateway = await startTestGateway({
      users: [
        {
          name: 'shop',
          password: 'secret',
          rights: [
            { right: 'produce', topics: ['shop-*'] },
            { right: 'consume', topics: ['shop-*'], groups: ['shop'] },
          ],
        },
        { name: 'root', password: 'r', rights: [{ right: 'admin' }] },
        { name: 'default', password: 'd' },
      ],
    })
    for (const name of ['shop-a', 'other']) await gateway.createTopic(name)
  })
  after(() => gateway[Symbol.asyncDispose]())

  const noAuth = '-NOAUTH Authentication required.\r\n'
  const wrongPass = '-WRONGPASS invalid username-password pair or user is disabled.\r\n'
  const noPerm = /^-NOPERM [^\r\n]+\r\n$/

  const strangers: readonly Row[] = [
    [['PING'], noAuth],
    [['ECHO', 'x'], noAuth],
    [['RPUSHX', 'topics:shop-a', 'v'], noAuth],
    [['KEYS', 'topics:'], noAuth],
    [['CLIENT', 'SETNAME', 'shop:a'], noAuth],
    [['BLPOP', 'topics:shop-a', '1'], noAuth],
    [['MONITOR'], noAuth],
    [['HELLO', '3'], /^-NOAUTH /],
    [['AUTH', 'shop', 'wrong'], wrongPass],
    [['AUTH', 'nobody', 'secret'], wrongPass],
    [['AUTH', 'wrong'], wrongPass],
    [['HELLO', '3', 'AUTH', 'shop', 'wrong'], wrongPass],
    [['AUTH', 'shop', 'secret'], ok],
    [['AUTH', 'd'], ok],
    [['HELLO', '3', 'AUTH', 'shop', 'secret'], /^%7\r\n/],
    [['QUIT'], bulk('OK')],
  ]
  for (const row of strangers)
    it(`before anything else: ${titleOf(row)}`, async () => check(await gateway.dial(), row))

  const known: readonly Row[] = [
    [['PING'], pong],
    [['RPUSHX', 'topics:shop-a', 'v'], ':1\r\n'],
    [['RPUSHX', 'topics:other', 'v'], noPerm],
    [['XADD', 'other', '*', 'f', 'v'], noPerm],
    [['MONITOR'], noPerm],
    [['CLIENT', 'KILL', 'ID', '1'], noPerm],
    [['KEYS', 'topics:'], `*1\r\n${bulk('topics:shop-a')}`],
  ]
  for (const row of known)
    it(`with the rights of one topic: ${titleOf(row)}`, async () => {
      const connection = await gateway.dial()
      await check(connection, [['AUTH', 'shop', 'secret'], ok])
      await check(connection, row)
      await check(connection, [['PING'], pong])
    })

  it('read their topics in their groups alone', async () => {
    const allowed = await gateway.dial()
    await allowed.command('AUTH', 'shop', 'secret')
    await allowed.command('CLIENT', 'SETNAME', 'shop:a')
    await check(allowed, [['BLPOP', 'topics:other', '0.01'], noPerm])
    await check(allowed, [['BLPOP', 'topics:shop-a', '0.01'], nothingCame])
    const foreign = await gateway.dial()
    await foreign.command('AUTH', 'shop', 'secret')
    await foreign.command('CLIENT', 'SETNAME', 'theirs:a')
    await check(foreign, [['BLPOP', 'topics:shop-a', '0.01'], noPerm])
  })

  it('are nobody again after RESET', async () => {
    const connection = await gateway.dial()
    await connection.command('AUTH', 'shop', 'secret')
    await check(connection, [['RESET'], '+RESET\r\n'])
    await check(connection, [['PING'], noAuth])
  })
})

describe('ids', () => {
  let gateway: TestGateway
  before(async () => {
    gateway = await startTestGateway()
    await gateway.createTopic('foo')
  })
  after(() => gateway[Symbol.asyncDispose]())

  it('are free when QUIT is answered', async () => {
    for (let turn = 0; turn < 20; turn++) {
      const connection = await named(gateway, 'again:a')
      assert.equal(await connection.command('QUIT'), bulk('OK'))
    }
  })

  it('are waited for while their connection closes', async () => {
    for (let turn = 0; turn < 20; turn++) {
      const connection = await named(gateway, 'closed:a')
      await connection.command('BLPOP', 'topics:foo', '0.001')
      connection.close()
    }
    await named(gateway, 'closed:a')
  })

  it('stay with their live owner', async () => {
    const owner = await named(gateway, 'owner:a')
    for (let turn = 0; turn < 3; turn++) {
      const other = await gateway.dial()
      other.write(encode(['CLIENT', 'SETNAME', 'owner:a']))
      assert.equal(await other.rest(), '-CONS id owner:a is already taken\r\n')
    }
    assert.equal(await owner.command('CLIENT', 'GETNAME'), bulk('owner:a'))
  })
})
