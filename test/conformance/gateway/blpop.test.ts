import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { events } from '../../../packages/millrace/src/telemetry/index.ts'
import { bulk, startTestGateway, type TestGateway } from '../../harness/gateway.ts'
import { until } from '../../harness/until.ts'
import { earliest, named, nothingCame, put, shown } from './consumers.ts'

describe('BLPOP', () => {
  let gateway: TestGateway
  before(async () => {
    gateway = await startTestGateway()
    await gateway.createTopic('orders')
    await gateway.createTopic('other')
  })
  after(() => gateway[Symbol.asyncDispose]())

  describe('its key', () => {
    it('must have two parts, the first of them `topics` in lower case', async () => {
      const connection = await named(gateway, 'key:one')
      for (const key of ['orders', 'topic:orders', 'Topics:orders', 'TOPICS:orders', ':orders', ''])
        assert.equal(
          await connection.command('BLPOP', key, '1'),
          `-CONS Cannot parse topics from \`${key}\`\r\n`,
        )
    })

    it('counts as empty when it is missing', async () => {
      const connection = await named(gateway, 'key:missing')
      assert.equal(await connection.command('BLPOP'), '-CONS Cannot parse topics from ``\r\n')
    })

    it('is the only argument of a call with one', async () => {
      const connection = await named(gateway, 'key:alone')
      assert.equal(await connection.command('BLPOP', '5'), '-CONS Cannot parse topics from `5`\r\n')
    })

    it('keeps CR and LF out of the error', async () => {
      const connection = await named(gateway, 'key:lines')
      assert.equal(
        await connection.command('BLPOP', 'x\r\n+OK', '1'),
        '-CONS Cannot parse topics from `x\\r\\n+OK`\r\n',
      )
      assert.equal(await connection.command('PING'), '+PONG\r\n')
    })

    it('may come with the command in any case', async () => {
      const connection = await named(gateway, 'key:case')
      for (const name of ['blpop', 'BlPop', 'BLPOP'])
        assert.equal(
          await connection.command(name, 'nothing', '1'),
          '-CONS Cannot parse topics from `nothing`\r\n',
        )
    })

    it('may come inline', async () => {
      const connection = await named(gateway, 'key:inline')
      assert.equal(
        await connection.ask('blpop nothing 1\r\n'),
        '-CONS Cannot parse topics from `nothing`\r\n',
      )
    })
  })

  describe('its checks', () => {
    it('look at the topics before the configuration', async () => {
      const connection = await gateway.dial()
      assert.equal(
        await connection.command('BLPOP', 'topic:orders:{', '1'),
        '-CONS Cannot parse topics from `topic:orders:{`\r\n',
      )
    })

    it('look at the configuration before the name', async () => {
      const connection = await gateway.dial()
      const reply = await connection.command('BLPOP', 'topics:orders:{"a', '1')
      assert.ok(reply.startsWith("-CONS Error parsing configuration from '{\"a'; "), reply)
      assert.ok(reply.endsWith('\r\n'))
    })

    it('look at the name before the consumer', async () => {
      const connection = await gateway.dial()
      const text = '-CONS Connection not ready. Identify yourself using `CLIENT SETNAME` first\r\n'
      assert.equal(await connection.command('BLPOP', 'topics:orders', '1'), text)
      assert.equal(await connection.command('BLPOP', 'topics:orders:{"foo":1}', '1'), text)
      assert.equal(await connection.command('BLPOP', 'topics:orders:[]', '1'), text)
    })

    it('look at another topic list before the configuration of a consumer', async () => {
      const connection = await named(gateway, 'checks:list')
      assert.equal(await connection.command('BLPOP', 'topics:orders', '0.01'), nothingCame)
      assert.equal(
        await connection.command('BLPOP', 'topics:other:{"foo":1}', '1'),
        "-CONS Client 'checks:list' has Consumer 'checks:list|orders' registered (new consID: 'checks:list|other')\r\n",
      )
    })

    it('refuse a configuration when nothing else is wrong', async () => {
      const connection = await named(gateway, 'checks:last')
      assert.equal(
        await connection.command('BLPOP', 'topics:orders:{"foo":1}', '1'),
        "-CONS Failed to register Consumer 'checks:last|orders' for Client 'checks:last'\r\n",
      )
    })
  })

  describe('a connection has one consumer', () => {
    it('with its topics in their order', async () => {
      const connection = await named(gateway, 'only:one')
      assert.equal(await connection.command('BLPOP', 'topics:orders,other', '0.01'), nothingCame)
      assert.equal(
        await connection.command('BLPOP', 'topics:other,orders', '1'),
        "-CONS Client 'only:one' has Consumer 'only:one|orders,other' registered (new consID: 'only:one|other,orders')\r\n",
      )
      assert.equal(await connection.command('BLPOP', 'topics:orders,other', '0.01'), nothingCame)
    })

    it('whose id ends at the second colon of the name', async () => {
      const connection = await named(gateway, 'colons:a:b')
      assert.equal(await connection.command('BLPOP', 'topics:orders', '0.01'), nothingCame)
      assert.equal(
        await connection.command('BLPOP', 'topics:other', '1'),
        "-CONS Client 'colons:a:b' has Consumer 'colons:a|orders' registered (new consID: 'colons:a|other')\r\n",
      )
    })

    it('that a refused call does not touch', async () => {
      await gateway.createTopic('untouched')
      await put(gateway, 'untouched', ['a', 'b'])
      const connection = await named(gateway, 'untouched:one')
      const key = `topics:untouched:${earliest}`
      assert.equal(await connection.command('BLPOP', key, '5'), shown('untouched', 0, 0, 'a'))
      await connection.command('BLPOP', 'topics:other', '5')
      assert.equal(await connection.command('BLPOP', key, '5'), shown('untouched', 0, 1, 'b'))
    })
  })

  describe('its reply', () => {
    it('has eight elements, with integers in fourth and sixth place', async () => {
      await gateway.createTopic('eight', 3)
      await put(gateway, 'eight', ['skipped', 'value'], 2)
      const connection = await named(gateway, 'eight:one')
      const key = `topics:eight:${earliest}`
      assert.equal(
        await connection.command('BLPOP', key, '5'),
        '*8\r\n$5\r\ntopic\r\n$5\r\neight\r\n$9\r\npartition\r\n:2\r\n$6\r\noffset\r\n:0\r\n$5\r\nvalue\r\n$7\r\nskipped\r\n',
      )
      assert.equal(await connection.command('BLPOP', key, '5'), shown('eight', 2, 1, 'value'))
    })

    it('tells null from empty, and carries any bytes', async () => {
      await gateway.createTopic('values')
      await using producer = gateway.client.producer({ lingerMs: 0 })
      const bytes = Buffer.from([0, 13, 10, 255, 0x24, 0x2d])
      await producer.sendMany([
        { topic: 'values', value: null },
        { topic: 'values', value: '' },
        { topic: 'values', value: bytes },
      ])
      const connection = await named(gateway, 'values:one')
      const key = `topics:values:${earliest}`
      assert.equal(await connection.command('BLPOP', key, '5'), shown('values', 0, 0, null))
      assert.equal(await connection.command('BLPOP', key, '5'), shown('values', 0, 1, ''))
      const reply = await connection.command('BLPOP', key, '5')
      assert.ok(reply.endsWith(`$6\r\n${bytes.toString('latin1')}\r\n`), reply)
    })

    it('is a null array when nothing came, and a null under RESP3', async () => {
      const connection = await named(gateway, 'none:one')
      assert.equal(await connection.command('BLPOP', 'topics:orders', '0.01'), '*-1\r\n')
      assert.ok((await connection.command('HELLO', '3')).startsWith('%7\r\n'))
      assert.equal(await connection.command('BLPOP', 'topics:orders', '0.01'), '_\r\n')
    })

    it('has the same eight elements under RESP3, null as a null', async () => {
      await gateway.createTopic('three')
      await put(gateway, 'three', [null, 'x'])
      const connection = await named(gateway, 'three:one')
      await connection.command('HELLO', '3')
      const key = `topics:three:${earliest}`
      assert.equal(
        await connection.command('BLPOP', key, '5'),
        shown('three', 0, 0, null).replace('$-1\r\n', '_\r\n'),
      )
      assert.equal(await connection.command('BLPOP', key, '5'), shown('three', 0, 1, 'x'))
    })

    it('comes for pipelined calls in order, with what is ready before a call blocks', async () => {
      await gateway.createTopic('piped')
      const connection = await named(gateway, 'piped:one')
      connection.write(
        `PING\r\nblpop topics:piped:${earliest} 10\r\nPING\r\nblpop topics:piped 10\r\n`,
      )
      assert.equal(await connection.reply(), '+PONG\r\n')
      await put(gateway, 'piped', ['a'])
      assert.equal(await connection.reply(), shown('piped', 0, 0, 'a'))
      assert.equal(await connection.reply(), '+PONG\r\n')
      await put(gateway, 'piped', ['b'])
      assert.equal(await connection.reply(), shown('piped', 0, 1, 'b'))
    })
  })

  describe('its timeout', () => {
    const elapsed = async (id: string, ...words: readonly string[]): Promise<number> => {
      const connection = await named(gateway, id)
      // The consumer is there: what is measured is the wait alone.
      assert.equal(await connection.command('BLPOP', 'topics:orders', '0.01'), nothingCame)
      const start = performance.now()
      assert.equal(await connection.command('BLPOP', 'topics:orders', ...words), nothingCame)
      return performance.now() - start
    }

    it('is in seconds and may be a fraction', async () => {
      const ms = await elapsed('fraction:timeout', '0.3')
      assert.ok(ms >= 300, `${ms} ms`)
      assert.ok(ms < 2000, `${ms} ms`)
    })

    it('is the last argument', async () => {
      const ms = await elapsed('last:timeout', '60', 'between', '0.2')
      assert.ok(ms >= 200 && ms < 5000, `${ms} ms`)
    })

    it('is five seconds without one and for text that is no number', async () => {
      const all = await Promise.all([
        elapsed('missing:timeout'),
        elapsed('text:timeout', 'soon'),
        elapsed('empty:timeout', ''),
        elapsed('five:timeout', '5'),
      ])
      for (const ms of all) assert.ok(ms >= 5000 && ms < 9000, `${ms} ms`)
    })

    it('waits for ever when it is 0', async () => {
      await gateway.createTopic('ever')
      const connection = await named(gateway, 'ever:one')
      connection.write(`blpop topics:ever:${earliest} 0\r\n`)
      await until('the call waits', () => gateway.gateway.figures()['blocked_pops'] !== 0)
      await put(gateway, 'ever', ['at last'])
      assert.equal(await connection.reply(), shown('ever', 0, 0, 'at last'))
    })

    it('is refused when it is negative or out of range', async () => {
      const connection = await named(gateway, 'timeout:refused')
      for (const word of ['-1', '-0.5', '-1e3'])
        assert.equal(
          await connection.command('BLPOP', 'topics:orders', word),
          '-CONS timeout is negative\r\n',
          word,
        )
      for (const word of ['1e400', 'nan', 'NaN', 'inf', 'Infinity', '+inf', '2147483649', '1e12'])
        assert.equal(
          await connection.command('BLPOP', 'topics:orders', word),
          '-CONS timeout is out of range\r\n',
          word,
        )
    })

    it('may be weeks', async () => {
      await gateway.createTopic('weeks')
      for (const [at, word] of ['2147484', '2147483648'].entries()) {
        const connection = await named(gateway, `weeks${at}:one`)
        connection.write(`blpop topics:weeks:${earliest} ${word}\r\n`)
        await put(gateway, 'weeks', ['x'])
        assert.equal(await connection.reply(), shown('weeks', 0, 0, 'x'))
      }
    })

    it('ends all calls of many connections', async () => {
      const all = await Promise.all(
        Array.from({ length: 20 }, async (_, at) => {
          const connection = await named(gateway, `many${at}:one`)
          return connection.command('BLPOP', 'topics:orders', '0.2')
        }),
      )
      assert.deepEqual(new Set(all), new Set([nothingCame]))
    })
  })

  describe('topics that are missing', () => {
    it('only time out, and are read once they exist', async () => {
      const connection = await named(gateway, 'late:one')
      const key = `topics:late:${earliest}`
      assert.equal(await connection.command('BLPOP', key, '0.1'), nothingCame)
      await gateway.createTopic('late')
      await put(gateway, 'late', ['here'])
      assert.equal(await connection.command('BLPOP', key, '20'), shown('late', 0, 0, 'here'))
    })

    it('do not hold back those that exist', async () => {
      await gateway.createTopic('present')
      await put(gateway, 'present', ['x'])
      const connection = await named(gateway, 'absent:one')
      assert.equal(
        await connection.command('BLPOP', `topics:absent,present:${earliest}`, '10'),
        shown('present', 0, 0, 'x'),
      )
    })

    it('are not made by asking for them', async () => {
      const connection = await named(gateway, 'maker:one')
      assert.equal(await connection.command('BLPOP', 'topics:not-made', '0.3'), nothingCame)
      assert.ok(!(await connection.command('KEYS', 'topics:')).includes('not-made'))
    })

    it('are told to whoever runs the gateway, once a consumer', async () => {
      const told: unknown[] = []
      const end = events.gatewayTopicMissing.subscribe(({ consumer, topic }) => {
        if (consumer.startsWith('told:')) told.push([consumer, topic])
      })
      const count = (): number => Number(gateway.gateway.figures()['missing_topics'])
      const before_ = count()
      const connection = await named(gateway, 'told:one')
      const key = 'topics:orders,not-there,a b'
      for (let at = 0; at < 3; at++)
        assert.equal(await connection.command('BLPOP', key, '0.1'), nothingCame)
      await until('it is told', () => told.length >= 2, { lastSeen: () => told })
      assert.equal(await connection.command('BLPOP', key, '0.1'), nothingCame)
      end()
      assert.deepEqual(told, [
        ['told:one|orders,not-there,a b', 'not-there'],
        ['told:one|orders,not-there,a b', 'a b'],
      ])
      assert.equal(count() - before_, 2)
    })

    it('only time out when their names cannot be', async () => {
      for (const [at, name] of ['', '.', '..', 'a b', 'x'.repeat(250), 'é'].entries()) {
        const connection = await named(gateway, `illegal${at}:one`)
        assert.equal(
          await connection.command('BLPOP', `topics:${name}`, '0.1'),
          nothingCame,
          JSON.stringify(name),
        )
        assert.equal(await connection.command('PING'), '+PONG\r\n')
      }
    })
  })

  describe('regular expressions', () => {
    it('take the topics that match, and those that come later', async () => {
      await gateway.createTopic('rx-one')
      await put(gateway, 'rx-one', ['1'])
      const connection = await named(gateway, 'rx:one')
      const key = `topics:^rx-.*:${earliest}`
      assert.equal(await connection.command('BLPOP', key, '10'), shown('rx-one', 0, 0, '1'))
      // A topic more is a rebalance, and that may repeat what is not acknowledged.
      assert.equal(await connection.command('RPUSH', 'acks', 'rx-one:0:0'), ':1\r\n')
      await gateway.createTopic('rx-two')
      await gateway.createTopic('not-rx')
      await put(gateway, 'rx-two', ['2'])
      await put(gateway, 'not-rx', ['3'])
      assert.equal(await connection.command('BLPOP', key, '10'), shown('rx-two', 0, 0, '2'))
      assert.equal(await connection.command('BLPOP', key, '0.1'), nothingCame)
    })

    it('stand beside names', async () => {
      await gateway.createTopic('plain-name')
      await gateway.createTopic('ry-one')
      await put(gateway, 'plain-name', ['1'])
      await put(gateway, 'ry-one', ['2'])
      const connection = await named(gateway, 'ry:one')
      const key = `topics:plain-name,^ry-:${earliest}`
      const both = [
        await connection.command('BLPOP', key, '10'),
        await connection.command('BLPOP', key, '10'),
      ]
      assert.deepEqual(
        both.toSorted(),
        [shown('plain-name', 0, 0, '1'), shown('ry-one', 0, 0, '2')].toSorted(),
      )
    })

    it('that are none refuse the consumer', async () => {
      const connection = await named(gateway, 'rz:one')
      assert.equal(
        await connection.command('BLPOP', 'topics:^(', '1'),
        "-CONS Failed to register Consumer 'rz:one|^(' for Client 'rz:one'\r\n",
      )
      assert.equal(await connection.command('BLPOP', 'topics:orders', '0.01'), nothingCame)
    })
  })

  it('speaks of the peer by its bytes alone', async () => {
    const connection = await gateway.dial()
    assert.equal(await connection.command('CLIENT', 'SETNAME', 'g:naïve'), bulk('OK'))
    assert.equal(await connection.command('BLPOP', 'topics:orders', '0.01'), nothingCame)
    assert.equal(
      Buffer.from(await connection.command('BLPOP', 'topics:ordérs', '1'), 'latin1').toString(),
      "-CONS Client 'g:naïve' has Consumer 'g:naïve|orders' registered (new consID: 'g:naïve|ordérs')\r\n",
    )
  })
})
