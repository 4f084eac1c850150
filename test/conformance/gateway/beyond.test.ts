import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { bulk, startTestGateway, type TestGateway } from '../../harness/gateway.ts'
import { until } from '../../harness/until.ts'
import { earliest, named, nothingCame, put, shown } from './consumers.ts'

const unknownTopic = '-PROD Local: Unknown topic\r\n'

describe('beyond the original', () => {
  let gateway: TestGateway
  before(async () => {
    gateway = await startTestGateway()
    await gateway.createTopic('orders')
  })
  after(() => gateway[Symbol.asyncDispose]())

  /** The offset behind the last message of a topic's partition 0. */
  const endOf = async (topic: string): Promise<number> => {
    const [found] = await gateway.client.admin.listOffsets([{ topic, partition: 0, at: 'latest' }])
    return found?.offset ?? -1
  }

  describe('durable produce', () => {
    it('answers when the broker has the message', async () => {
      await gateway.createTopic('durable')
      const connection = await gateway.dial()
      assert.equal(await connection.command('CLIENT', 'DURABLE', 'ON'), '+OK\r\n')
      assert.equal(await connection.command('RPUSHX', 'topics:durable', 'a'), ':1\r\n')
      assert.equal(await endOf('durable'), 1)
      assert.equal(await connection.command('DUMP', '0'), ':0\r\n')
    })

    it('tells why a message failed', async () => {
      const connection = await gateway.dial()
      await connection.command('client', 'durable', 'on')
      assert.equal(await connection.command('RPUSHX', 'topics:durable-missing', 'a'), unknownTopic)
      assert.equal(await connection.command('RPUSHX', 'topics:durable-missing', 'a'), unknownTopic)
      assert.equal(
        await connection.command('RPUSHX', 'topics:orders', Buffer.alloc(1_000_001)),
        '-PROD Broker: Message size too large\r\n',
      )
      assert.equal(
        await connection.command('RPUSHX', 'topics:', 'a'),
        '-PROD Local: Invalid argument or configuration\r\n',
      )
      assert.equal(await connection.command('PING'), '+PONG\r\n')
    })

    it('keeps replies in order while several messages are on their way', async () => {
      await gateway.createTopic('in-order')
      const connection = await gateway.dial()
      connection.write(
        'client durable on\r\nrpushx topics:in-order a\r\nrpushx topics:order-missing b\r\nPING\r\n' +
          'rpushx topics:in-order c\r\nrpushx wrong d\r\nclient getname\r\nrpushx topics:in-order e\r\n',
      )
      const { localAddress, localPort } = connection.socket
      const expected = [
        '+OK\r\n',
        ':1\r\n',
        unknownTopic,
        '+PONG\r\n',
        ':1\r\n',
        "-PROD First argument must be in the form of 'topics:<topic>' or 'topics:<topic>:<key>'\r\n",
        bulk(`${localAddress}:${localPort}`),
        ':1\r\n',
      ]
      for (const reply of expected) assert.equal(await connection.reply(), reply)
      assert.equal(await endOf('in-order'), 3)
    })

    it('sends a thousand pipelined messages together, in their order', async () => {
      await gateway.createTopic('pipeline')
      const connection = await gateway.dial()
      assert.equal(await connection.command('CLIENT', 'DURABLE', 'ON'), '+OK\r\n')
      connection.write(
        Array.from({ length: 1000 }, (_, at) => `rpushx topics:pipeline ${at}\r\n`).join(''),
      )
      for (let at = 0; at < 1000; at++) assert.equal(await connection.reply(), ':1\r\n')
      assert.equal(await endOf('pipeline'), 1000)
      const consumer = await named(gateway, 'pipeline:one')
      for (let at = 0; at < 1000; at++)
        assert.equal(
          await consumer.command('BLPOP', `topics:pipeline:${earliest}`, '5'),
          shown('pipeline', 0, at, `${at}`),
        )
    })

    it('is of one connection, and ends with OFF and RESET', async () => {
      const connection = await gateway.dial()
      const other = await gateway.dial()
      await connection.command('CLIENT', 'DURABLE', 'ON')
      assert.equal(await other.command('RPUSHX', 'topics:one-missing', 'a'), ':1\r\n')
      assert.equal(await connection.command('CLIENT', 'DURABLE', 'OFF'), '+OK\r\n')
      assert.equal(await connection.command('RPUSHX', 'topics:two-missing', 'a'), ':1\r\n')
      await connection.command('CLIENT', 'DURABLE', 'ON')
      assert.equal(await connection.command('RESET'), '+RESET\r\n')
      assert.equal(await connection.command('RPUSHX', 'topics:three-missing', 'a'), ':1\r\n')
      assert.equal(await connection.command('CLIENT', 'DURABLE'), '-ERR syntax error\r\n')
      assert.equal(await connection.command('CLIENT', 'DURABLE', 'yes'), '-ERR syntax error\r\n')
    })

    it('may be what the gateway does unless told otherwise', async () => {
      await using durable = await startTestGateway({ durable: true })
      const connection = await durable.dial()
      assert.equal(await connection.command('RPUSHX', 'topics:missing', 'a'), unknownTopic)
      assert.equal(await connection.command('CLIENT', 'DURABLE', 'OFF'), '+OK\r\n')
      assert.equal(await connection.command('RPUSHX', 'topics:other-missing', 'a'), ':1\r\n')
    })
  })

  describe('CLIENT ERRORS', () => {
    it('tells the failed deliveries of this connection, the newest last', async () => {
      const connection = await gateway.dial()
      const other = await gateway.dial()
      assert.equal(await connection.command('CLIENT', 'ERRORS'), '*0\r\n')
      const startMs = Date.now()
      await connection.command('RPUSHX', 'topics:errors-one', 'a')
      await connection.command('RPUSHX', 'topics:errors-two:some-key', 'a')
      assert.equal(await connection.command('DUMP', '5000'), ':0\r\n')
      const reply = await connection.command('CLIENT', 'ERRORS')
      const entry =
        '\\*4\\r\\n\\$10\\r\\nerrors-(one|two)\\r\\n(\\$-1|\\$8\\r\\nsome-key)\\r\\n\\$20\\r\\nLocal: Unknown topic\\r\\n:(\\d+)\\r\\n'
      const match = new RegExp(`^\\*2\\r\\n${entry}${entry}$`).exec(reply)
      assert.ok(match, reply)
      assert.deepEqual(new Set([match[1], match[4]]), new Set(['one', 'two']))
      for (const ms of [match[3], match[6]])
        assert.ok(Number(ms) >= startMs && Number(ms) <= Date.now(), ms)
      assert.ok((await connection.command('CLIENT', 'ERRORS', '1')).startsWith('*1\r\n*4\r\n'))
      assert.equal(await connection.command('CLIENT', 'ERRORS', '0'), '*0\r\n')
      assert.equal(await other.command('CLIENT', 'ERRORS'), '*0\r\n')
      for (const count of ['x', '-1', '1.5'])
        assert.equal(
          await connection.command('CLIENT', 'ERRORS', count),
          '-ERR value is not an integer or out of range\r\n',
          count,
        )
    })

    it('keeps the last 128', async () => {
      const connection = await gateway.dial()
      connection.write(
        Array.from({ length: 200 }, (_, at) => `rpushx topics:ring${at} x\r\n`).join(''),
      )
      for (let at = 0; at < 200; at++) assert.equal(await connection.reply(), ':1\r\n')
      assert.equal(await connection.command('DUMP', '10000'), ':0\r\n')
      const reply = await connection.command('CLIENT', 'ERRORS')
      assert.ok(reply.startsWith('*128\r\n'), reply.slice(0, 20))
      assert.ok((await connection.command('CLIENT', 'ERRORS', '1000')).startsWith('*128\r\n'))
    })
  })

  describe('BLMPOP and LMPOP', () => {
    it('reply with the key and up to as many messages as asked for', async () => {
      await gateway.createTopic('batch')
      await put(gateway, 'batch', ['a', 'b', 'c', 'd'])
      const connection = await named(gateway, 'batch:one')
      const key = `topics:batch:${earliest}`
      const first = await connection.command('BLMPOP', '5', '1', key, 'LEFT', 'COUNT', '3')
      assert.equal(
        first,
        `*2\r\n${bulk(key)}*3\r\n${shown('batch', 0, 0, 'a')}${shown('batch', 0, 1, 'b')}${shown('batch', 0, 2, 'c')}`,
      )
      assert.equal(
        await connection.command('lmpop', '1', key, 'left'),
        `*2\r\n${bulk(key)}*1\r\n${shown('batch', 0, 3, 'd')}`,
      )
      assert.equal(await connection.command('LMPOP', '1', key, 'LEFT'), nothingCame)
      assert.equal(await connection.command('BLMPOP', '0.05', '1', key, 'LEFT'), nothingCame)
      await connection.command('HELLO', '3')
      assert.equal(await connection.command('LMPOP', '1', key, 'LEFT'), '_\r\n')
      assert.equal(await connection.command('RPUSH', 'acks', 'batch:0:3'), ':1\r\n')
    })

    it('share the consumer, and the checks, with BLPOP', async () => {
      const nameless = await gateway.dial()
      assert.equal(
        await nameless.command('BLMPOP', '1', '1', 'topics:orders', 'LEFT'),
        '-CONS Connection not ready. Identify yourself using `CLIENT SETNAME` first\r\n',
      )
      const connection = await named(gateway, 'share:one')
      assert.equal(await connection.command('BLPOP', 'topics:orders', '0.01'), nothingCame)
      assert.equal(
        await connection.command('LMPOP', '1', 'topics:other', 'LEFT'),
        "-CONS Client 'share:one' has Consumer 'share:one|orders' registered (new consID: 'share:one|other')\r\n",
      )
      assert.equal(
        await connection.command('LMPOP', '1', 'orders', 'LEFT'),
        '-CONS Cannot parse topics from `orders`\r\n',
      )
    })

    it('refuse what they cannot do in the words of Redis', async () => {
      const connection = await named(gateway, 'words:one')
      const ask = (...words: readonly string[]): Promise<string> => connection.command(...words)
      assert.equal(
        await ask('BLMPOP', '1', '1'),
        "-ERR wrong number of arguments for 'blmpop' command\r\n",
      )
      assert.equal(
        await ask('LMPOP', '1'),
        "-ERR wrong number of arguments for 'lmpop' command\r\n",
      )
      const key = 'topics:orders'
      assert.equal(await ask('BLMPOP', '1', '1', key, 'MIDDLE'), '-ERR syntax error\r\n')
      assert.equal(await ask('BLMPOP', '1', '1', key, 'LEFT', 'MOST', '1'), '-ERR syntax error\r\n')
      assert.equal(await ask('BLMPOP', '1', '1', key, 'LEFT', 'COUNT'), '-ERR syntax error\r\n')
      assert.equal(
        await ask('BLMPOP', '1', '1', key, 'LEFT', 'COUNT', '1', 'COUNT', '2'),
        '-ERR syntax error\r\n',
      )
      for (const count of ['0', '-1', 'x', '1.5', ''])
        assert.equal(
          await ask('BLMPOP', '1', '1', key, 'LEFT', 'COUNT', count),
          '-ERR count should be greater than 0\r\n',
          count,
        )
      assert.equal(await ask('BLMPOP', '-1', '1', key, 'LEFT'), '-CONS timeout is negative\r\n')
    })

    it('bound a batch by its bytes, whatever is asked for', async () => {
      await gateway.createTopic('heavy')
      await put(
        gateway,
        'heavy',
        Array.from({ length: 12 }, () => 'x'.repeat(400_000)),
      )
      const connection = await named(gateway, 'heavy:one')
      const key = `topics:heavy:${earliest}`
      let count = 0
      while (count < 12) {
        const reply = await connection.command(
          'BLMPOP',
          '5',
          '1',
          key,
          'LEFT',
          'COUNT',
          '1000000000',
        )
        assert.ok(reply.length < 2 * 1024 * 1024, `${reply.length}`)
        count += reply.split('$5\r\ntopic\r\n').length - 1
      }
      assert.equal(count, 12)
    })
  })

  describe('CLIENT META', () => {
    it('appends key, timestamp, headers and lag', async () => {
      await gateway.createTopic('meta')
      await using producer = gateway.client.producer({ lingerMs: 0 })
      await producer.sendMany([
        {
          topic: 'meta',
          key: 'k',
          value: 'a',
          timestamp: 1_700_000_000_123,
          headers: [
            ['one', 'x'],
            ['two', null],
          ],
        },
        { topic: 'meta', value: null, timestamp: 1_700_000_000_456 },
      ])
      const connection = await named(gateway, 'meta:one')
      assert.equal(await connection.command('CLIENT', 'META', 'ON'), '+OK\r\n')
      const key = `topics:meta:${earliest}`
      const plain = (reply: string): string => reply.replace('*8\r\n', '*16\r\n')
      assert.equal(
        await connection.command('BLPOP', key, '5'),
        `${plain(shown('meta', 0, 0, 'a'))}${bulk('key')}${bulk('k')}${bulk('timestamp')}:1700000000123\r\n` +
          `${bulk('headers')}*4\r\n${bulk('one')}${bulk('x')}${bulk('two')}$-1\r\n${bulk('lag')}:1\r\n`,
      )
      assert.equal(
        await connection.command('BLPOP', key, '5'),
        `${plain(shown('meta', 0, 1, null))}${bulk('key')}$-1\r\n${bulk('timestamp')}:1700000000456\r\n` +
          `${bulk('headers')}*0\r\n${bulk('lag')}:0\r\n`,
      )
      assert.equal(await connection.command('CLIENT', 'META', 'OFF'), '+OK\r\n')
      await put(gateway, 'meta', ['c'])
      assert.equal(await connection.command('BLPOP', key, '5'), shown('meta', 0, 2, 'c'))
      assert.equal(await connection.command('CLIENT', 'META', 'maybe'), '-ERR syntax error\r\n')
    })
  })

  describe('CLIENT NOTIFY', () => {
    it('pushes rebalances between replies', async () => {
      await gateway.createTopic('notify')
      const connection = await named(gateway, 'notify:one')
      await connection.command('HELLO', '3')
      assert.equal(await connection.command('CLIENT', 'NOTIFY', 'ON'), '+OK\r\n')
      connection.write(`blpop topics:notify:${earliest} 10\r\n`)
      const push = await connection.reply()
      assert.ok(push.startsWith(`>4\r\n${bulk('millrace')}${bulk('rebalance')}`), push)
      assert.ok(push.includes('notify/0'), push)
      await put(gateway, 'notify', ['x'])
      assert.equal(await connection.reply(), shown('notify', 0, 0, 'x'))
    })

    it('pushes an array to those who speak RESP2, and nothing to those who did not ask', async () => {
      await gateway.createTopic('notify-two')
      const quiet = await named(gateway, 'quiet:one')
      assert.equal(await quiet.command('BLPOP', 'topics:notify-two', '0.05'), nothingCame)
      const connection = await named(gateway, 'notify2:one')
      await connection.command('CLIENT', 'NOTIFY', 'ON')
      connection.write('blpop topics:notify-two 10\r\n')
      const push = await connection.reply()
      assert.ok(push.startsWith(`*4\r\n${bulk('millrace')}${bulk('rebalance')}`), push)
    })

    it('pushes that the gateway drains', async () => {
      await using draining = await startTestGateway()
      const connection = await named(draining, 'drain:one')
      await connection.command('HELLO', '3')
      await connection.command('CLIENT', 'NOTIFY', 'ON')
      const stopped = draining.gateway.stop()
      const push = await connection.reply()
      assert.equal(push, `>2\r\n${bulk('millrace')}${bulk('drain')}`)
      await stopped
    })
  })

  describe('RESP3', () => {
    it('shows stats as a map, and nulls as nulls', async () => {
      const connection = await gateway.dial()
      await connection.command('HELLO', '3')
      const stats = await connection.command('HGETALL', 'stats')
      assert.match(
        stats,
        /^%3\r\n\$27\r\nproducer\.unflushed\.messages\r\n\$\d+\r\n\d+\r\n\$24\r\nproducer\.delivery\.errors\r\n\$\d+\r\n\d+\r\n\$23\r\nproducer\.unknown\.events\r\n\$1\r\n0\r\n$/,
      )
      await connection.command('RPUSHX', 'topics:resp3-missing', 'x')
      await connection.command('DUMP', '5000')
      const errors = await connection.command('CLIENT', 'ERRORS')
      assert.ok(errors.startsWith('*1\r\n*4\r\n$13\r\nresp3-missing\r\n_\r\n'), errors)
    })

    it('comes and goes with HELLO, and HELLO may name', async () => {
      const connection = await gateway.dial()
      const three = await connection.command('hello', '3', 'setname', 'hello:one')
      assert.ok(three.startsWith('%7\r\n$6\r\nserver\r\n'), three)
      assert.ok(three.includes('$5\r\nproto\r\n:3\r\n'), three)
      assert.equal(await connection.command('CLIENT', 'GETNAME'), bulk('hello:one'))
      assert.equal(await connection.command('BLPOP', 'topics:orders', '0.01'), '_\r\n')
      const two = await connection.command('HELLO', '2')
      assert.ok(two.startsWith('*14\r\n$6\r\nserver\r\n'), two)
      assert.equal(await connection.command('BLPOP', 'topics:orders', '0.01'), nothingCame)
      assert.equal(
        await connection.command('HELLO', '4'),
        '-NOPROTO unsupported protocol version\r\n',
      )
      const other = await gateway.dial()
      other.write('HELLO 3 SETNAME hello:one\r\nPING\r\n')
      assert.equal(await other.rest(), '-CONS id hello:one is already taken\r\n')
    })
  })

  it('refuses CLIENT TRACKING cleanly', async () => {
    const connection = await gateway.dial()
    assert.match(await connection.command('CLIENT', 'TRACKING', 'ON'), /^-ERR .*TRACKING.*\r\n$/)
    assert.equal(await connection.command('PING'), '+PONG\r\n')
  })

  describe('in strict mode', () => {
    it('lacks what the original lacked', async () => {
      await using strict = await startTestGateway({ strict: true })
      const connection = await strict.dial()
      const refused = async (name: string, ...words: readonly string[]): Promise<void> =>
        assert.equal(
          await connection.command(...words),
          `-Command not supported: ${name}\r\n`,
          words.join(' '),
        )
      await refused('DURABLE', 'client', 'durable', 'on')
      await refused('ERRORS', 'CLIENT', 'errors')
      await refused('META', 'CLIENT', 'META', 'ON')
      await refused('NOTIFY', 'CLIENT', 'NOTIFY', 'ON')
      await refused('BLMPOP', 'blmpop', '1', '1', 'topics:a', 'LEFT')
      await refused('LMPOP', 'lmpop', '1', 'topics:a', 'LEFT')
      await refused('XADD', 'xadd', 'a', '*', 'f', 'v')
      await refused('HELLO', 'hello', '3')
      await until('the rest is there', async () => {
        const reply = await connection.command('CLIENT', 'GETNAME')
        return reply.startsWith('$')
      })
    })
  })
})
