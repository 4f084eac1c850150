import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import {
  bulk,
  encode,
  startTestGateway,
  type RawConnection,
  type TestGateway,
} from '../../harness/gateway.ts'
import { until } from '../../harness/until.ts'
import { earliest, named, shown } from './consumers.ts'

const pong = '+PONG\r\n'
const invalid = '-PROD Local: Invalid argument or configuration\r\n'
const malformed =
  "-PROD First argument must be in the form of 'topics:<topic>' or 'topics:<topic>:<key>'\r\n"

type Words = readonly (string | Buffer | null)[]
type Row = readonly [words: Words, reply: string]

const addressOf = ({ socket }: RawConnection): string =>
  `${socket.localAddress}:${socket.localPort}`
const titleOf = (words: Words): string =>
  JSON.stringify(words.map((one) => one?.toString() ?? null))

describe('commands of the original', () => {
  let gateway: TestGateway
  before(async () => {
    gateway = await startTestGateway()
    await gateway.createTopic('foo')
    await gateway.createTopic('quiet')
  })
  after(() => gateway[Symbol.asyncDispose]())

  /** Each row on a connection of its own, which stays open. */
  function each(rows: readonly Row[]): void {
    for (const [words, reply] of rows)
      it(titleOf(words), async () => {
        const connection = await gateway.dial()
        assert.equal(await connection.command(...words), reply)
        assert.equal(await connection.command('PING'), pong)
      })
  }

  describe('PING and QUIT', () => {
    each([
      [['PING'], pong],
      [['ping', 'ignored'], pong],
      [['PING', null], pong],
    ])

    it('QUIT answers a bulk and closes', async () => {
      for (const word of ['QUIT', 'quit']) {
        const connection = await gateway.dial()
        connection.write(encode([word]))
        assert.equal(await connection.rest(), '$2\r\nOK\r\n')
      }
    })
  })

  describe('CLIENT SETNAME and GETNAME', () => {
    it('name a connection, which is its address until then', async () => {
      const connection = await gateway.dial()
      assert.equal(await connection.command('CLIENT', 'GETNAME'), bulk(addressOf(connection)))
      assert.equal(await connection.command('CLIENT', 'SETNAME', 'g:a'), '$2\r\nOK\r\n')
      assert.equal(await connection.command('CLIENT', 'GETNAME'), bulk('g:a'))
    })

    const accepted = ['group:name', ':empty-group', 'empty-name:', ':', 'a:b:c', 'grüße:ä']
    for (const id of accepted)
      it(`take ${id}`, async () => {
        const connection = await named(gateway, id)
        const reply = await connection.command('client', 'getname')
        assert.equal(Buffer.from(reply, 'latin1').toString(), bulk(id))
      })

    each([
      [['CLIENT', 'SETNAME', 'nocolon'], '-CONS Cannot parse group.id\r\n'],
      [['CLIENT', 'SETNAME', ''], '-CONS Cannot parse group.id\r\n'],
      [['CLIENT', 'SETNAME'], '-CONS Cannot parse group.id\r\n'],
      [['CLIENT', 'setname', null], '-CONS Cannot parse group.id\r\n'],
      [['CLIENT'], '-Command not supported: \r\n'],
    ])

    it('may be corrected after a name that cannot be parsed', async () => {
      const connection = await gateway.dial()
      await connection.command('CLIENT', 'SETNAME', 'nocolon')
      assert.equal(await connection.command('CLIENT', 'SETNAME', 'colon:a'), bulk('OK'))
    })

    it('look first for the name, then at the connection, then at the text', async () => {
      const first = await named(gateway, 'order:first')
      const second = await named(gateway, 'order:second')
      assert.equal(
        await first.command('CLIENT', 'SETNAME', 'order:first'),
        '-CONS id order:first is already taken\r\n',
      )
      assert.equal(
        await second.command('CLIENT', 'SETNAME', 'order:first'),
        '-CONS id order:first is already taken\r\n',
      )
      assert.equal(
        await second.command('CLIENT', 'SETNAME', 'nocolon'),
        '-CONS Client ID is already set to order:second\r\n',
      )
      assert.equal(
        await second.command('CLIENT', 'SETNAME'),
        '-CONS Client ID is already set to order:second\r\n',
      )
      // A connection that has a name keeps it, and stays open.
      assert.equal(await second.command('CLIENT', 'GETNAME'), bulk('order:second'))
    })

    it('close a connection without a name whose name is taken', async () => {
      await named(gateway, 'taken:a')
      const connection = await gateway.dial()
      connection.write(Buffer.concat([encode(['CLIENT', 'SETNAME', 'taken:a']), encode(['PING'])]))
      assert.equal(await connection.rest(), '-CONS id taken:a is already taken\r\n')
    })
  })

  describe('RPUSHX', () => {
    each([
      [['RPUSHX'], '-PROD RPUSHX accepts 2 arguments, got 0\r\n'],
      [['RPUSHX', 'topics:foo'], '-PROD RPUSHX accepts 2 arguments, got 1\r\n'],
      [['RPUSHX', 'x', 'v', 'w'], '-PROD RPUSHX accepts 2 arguments, got 3\r\n'],
      [['RPUSHX', 'foo', 'v'], malformed],
      [['RPUSHX', '', 'v'], malformed],
      [['RPUSHX', null, 'v'], malformed],
      [['RPUSHX', 'topics:foo:a:b', 'v'], malformed],
      [['RPUSHX', ':::', 'v'], malformed],
      [['RPUSHX', 'topics:', 'v'], invalid],
      [['RPUSHX', 'topics::key', 'v'], invalid],
      [['RPUSHX', 'topics:a b', 'v'], invalid],
      [['RPUSHX', 'topics:foo', 'v'], ':1\r\n'],
      [['rpushx', 'topics:foo:key', 'v'], ':1\r\n'],
      [['RPUSHX', 'topic:foo', 'v'], ':1\r\n'],
      [['RPUSHX', 'anything:foo', 'v'], ':1\r\n'],
      [['RPUSHX', ':foo', 'v'], ':1\r\n'],
      [['RPUSHX', 'TOPICS:foo', 'v'], ':1\r\n'],
      [
        ['RPUSHX', 'topics:foo', Buffer.alloc(1_000_001)],
        '-PROD Broker: Message size too large\r\n',
      ],
    ])

    it('keeps empty keys and values apart from none', async () => {
      await gateway.createTopic('bytes')
      const connection = await gateway.dial()
      const value = Buffer.from([0, 13, 10, 255])
      for (const [key, content] of [
        ['topics:bytes', 'no key'],
        ['topics:bytes:', 'empty key'],
        ['topics:bytes:k', ''],
        ['topics:bytes:k', null],
        ['anything:bytes:ä', value],
      ] as const)
        assert.equal(await connection.command('RPUSHX', key, content), ':1\r\n')
      assert.equal(await connection.command('DUMP', '5000'), ':0\r\n')
      const seen: unknown[] = []
      await using reader = gateway.client.reader({ topics: ['bytes'], from: 'earliest' })
      for await (const { key, value: content } of reader) {
        seen.push([key?.toString() ?? null, content?.toString('latin1') ?? null])
        if (seen.length === 5) break
      }
      assert.deepEqual(seen, [
        [null, 'no key'],
        ['', 'empty key'],
        ['k', ''],
        ['k', null],
        ['ä', value.toString('latin1')],
      ])
    })

    it('needs no name, and gives what BLPOP shows', async () => {
      await gateway.createTopic('both')
      const producer = await gateway.dial()
      await producer.command('RPUSHX', 'topics:both', '')
      await producer.command('RPUSHX', 'topics:both', null)
      assert.equal(await producer.command('DUMP', '5000'), ':0\r\n')
      const consumer = await named(gateway, 'both:a')
      const pop = ['BLPOP', `topics:both:${earliest}`, '5']
      assert.equal(await consumer.command(...pop), shown('both', 0, 0, ''))
      assert.equal(await consumer.command(...pop), shown('both', 0, 1, null))
    })
  })

  describe('DUMP', () => {
    each([
      [['DUMP'], ':0\r\n'],
      [['DUMP', 'x'], ':0\r\n'],
      [['DUMP', '1', '2'], ':0\r\n'],
    ])

    const afterwards: readonly Row[] = [
      [['DUMP'], '-PROD DUMP accepts 1 argument, got 0\r\n'],
      [['DUMP', '1', '2'], '-PROD DUMP accepts 1 argument, got 2\r\n'],
      [['DUMP', ''], '-PROD NaN\r\n'],
      [['DUMP', null], '-PROD NaN\r\n'],
      [['DUMP', 'x'], '-PROD NaN\r\n'],
      [['DUMP', '1.5'], '-PROD NaN\r\n'],
      [['DUMP', '99999999999999999999'], '-PROD NaN\r\n'],
      [['DUMP', '1e3'], '-PROD NaN\r\n'],
      [['DUMP', ' 1'], '-PROD NaN\r\n'],
      [['DUMP', '0x10'], '-PROD NaN\r\n'],
      [['dump', '5000'], ':0\r\n'],
    ]
    for (const opener of [
      ['RPUSHX', 'topics:foo', 'v'],
      ['KEYS', 'topics:'],
    ] as const)
      for (const [words, reply] of afterwards)
        it(`${titleOf(words)} after ${opener[0]}`, async () => {
          const connection = await gateway.dial()
          await connection.command(...opener)
          assert.equal(await connection.command(...words), reply)
        })

    it('does not wait for zero or less', async () => {
      const connection = await gateway.dial()
      for (const text of ['0', '-1', '-99999']) {
        await connection.command('RPUSHX', 'topics:foo', 'v')
        assert.match(await connection.command('DUMP', text), /^:\d\r\n$/)
      }
    })

    for (const text of ['+5000', '2147483648', '9223372036854775807'])
      it(`waits for what is undelivered: ${text}`, async () => {
        const connection = await gateway.dial()
        const some = Array.from({ length: 100 }, () => encode(['RPUSHX', 'topics:foo', 'v']))
        connection.write(Buffer.concat([...some, encode(['DUMP', text])]))
        for (let count = 0; count < 100; count++) assert.equal(await connection.reply(), ':1\r\n')
        assert.equal(await connection.reply(), ':0\r\n')
      })
  })

  describe('KEYS', () => {
    const expected = (got: string): string =>
      `-ERR Expected argument to be 'topics:', got ${got}\r\n`
    each([
      [['KEYS'], expected('')],
      [['KEYS', ''], expected('')],
      [['KEYS', null], expected('')],
      [['KEYS', '*'], expected('*')],
      [['KEYS', 'topics'], expected('topics')],
      [['KEYS', 'TOPICS:'], expected('TOPICS:')],
      [['KEYS', 'topics:foo'], expected('topics:foo')],
    ])

    it('names every topic', async () => {
      const connection = await gateway.dial()
      const reply = await connection.command('keys', 'topics:')
      for (const topic of ['foo', 'quiet']) assert.ok(reply.includes(bulk(`topics:${topic}`)))
      const count = Number(/^\*(\d+)\r\n/.exec(reply)?.[1])
      assert.equal(reply.match(/\r\ntopics:/g)?.length, count)
    })
  })

  describe('stats', () => {
    const wrong = (key: string): string => `-ERR Expected key to be 'stats', got ${key}\r\n`
    each(
      ['HGETALL', 'DEL'].flatMap((name): readonly Row[] => [
        [[name], wrong('')],
        [[name, ''], wrong('')],
        [[name, null], wrong('')],
        [[name, 'foo'], wrong('FOO')],
        [[name.toLowerCase(), 'Stats:'], wrong('STATS:')],
      ]),
    )
    const entries = (errors: number): string =>
      `${bulk('producer.unflushed.messages')}${bulk('0')}` +
      `${bulk('producer.delivery.errors')}${bulk(String(errors))}` +
      `${bulk('producer.unknown.events')}${bulk('0')}`

    it('are six bulks, a map after HELLO 3, and zero after DEL', async () => {
      const connection = await gateway.dial()
      for (const key of ['stats', 'STATS', 'sTaTs']) {
        assert.equal(await connection.command('del', key), ':1\r\n')
        assert.equal(await connection.command('hgetall', key), `*6\r\n${entries(0)}`)
      }
      await connection.command('HELLO', '3')
      assert.equal(await connection.command('HGETALL', 'stats'), `%3\r\n${entries(0)}`)
    })

    it('count a delivery that failed', async () => {
      const connection = await gateway.dial()
      await connection.command('DEL', 'stats')
      assert.equal(await connection.command('RPUSHX', 'topics:missing', 'v'), ':1\r\n')
      assert.equal(await connection.command('DUMP', '5000'), ':0\r\n')
      assert.equal(await connection.command('HGETALL', 'stats'), `*6\r\n${entries(1)}`)
      assert.equal(
        await connection.command('RPUSHX', 'topics:missing', 'v'),
        '-PROD Local: Unknown topic\r\n',
      )
      assert.equal(await connection.command('HGETALL', 'stats'), `*6\r\n${entries(1)}`)
      assert.equal(await connection.command('DEL', 'stats'), ':1\r\n')
      assert.equal(await connection.command('HGETALL', 'stats'), `*6\r\n${entries(0)}`)
    })
  })

  describe('MONITOR', () => {
    each([
      [['MONITOR', ''], "-ERR command 'monitor' does not accept any extra arguments\r\n"],
      [['monitor', 'a', 'b'], "-ERR command 'monitor' does not accept any extra arguments\r\n"],
    ])

    /** The lines of what a client does, without their times. */
    async function watched(act: (client: RawConnection) => Promise<void>): Promise<string[]> {
      const monitor = await gateway.dial()
      assert.equal(await monitor.command('MONITOR'), '+OK\r\n')
      const client = await gateway.dial()
      await act(client)
      await client.command('ECHO', 'the end')
      const lines: string[] = []
      for (;;) {
        const line = await monitor.reply()
        assert.match(line, /^\+\d{10}\.\d{6} \[0 /)
        const shownLine = line.slice(line.indexOf('['), -2).replace(addressOf(client), 'PEER')
        if (shownLine.endsWith('"ECHO" "the end"')) break
        lines.push(shownLine)
      }
      monitor.close()
      await until('it is gone', () => gateway.gateway.figures()['monitors'] === 0)
      return lines
    }

    it('tells who sent what, by address, then by name and address', async () => {
      const lines = await watched(async (client) => {
        await client.command('ping')
        await client.command('client', 'setname', 'watched:a')
        await client.command('PING', 'x')
      })
      assert.deepEqual(lines, [
        '[0 PEER] "PING"',
        '[0 PEER] "CLIENT" "setname" "watched:a"',
        '[0 watched:a PEER] "PING" "x"',
      ])
    })

    it('escapes arguments as Redis does', async () => {
      const value = Buffer.from('"\\\n\r\t\u0007\b\u0000\u001b\u007fé')
      const lines = await watched(async (client) => {
        await client.command('ECHO', value)
        await client.command('ECHO', '')
        await client.command('ECHO', 'x'.repeat(2000))
      })
      assert.deepEqual(lines, [
        String.raw`[0 PEER] "ECHO" "\"\\\n\r\t\a\b\x00\x1b\x7f\xc3\xa9"`,
        '[0 PEER] "ECHO" ""',
        `[0 PEER] "ECHO" "${'x'.repeat(1024)}..."`,
      ])
    })

    it('tells no credentials', async () => {
      const lines = await watched(async (client) => {
        await client.command('AUTH', 'secret')
        await client.command('auth', 'me', 'secret')
        await client.command('HELLO', '3', 'AUTH', 'me', 'secret', 'SETNAME', 'a:b')
        await client.command('hello', '3', 'auth', 'me', 'secret')
      })
      assert.equal(lines.length, 4)
      assert.doesNotMatch(lines.join('\n'), /secret/)
      assert.match(lines[2]!, /"HELLO" "3" "AUTH" .*"SETNAME" "a:b"$/)
    })

    it('tells unknown commands, and those that are refused', async () => {
      const lines = await watched(async (client) => {
        await client.command('get', 'a\r\nb')
        await client.command('RPUSHX')
      })
      assert.deepEqual(lines, [String.raw`[0 PEER] "GET" "a\r\nb"`, '[0 PEER] "RPUSHX"'])
    })
  })
})
