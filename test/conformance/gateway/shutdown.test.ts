import assert from 'node:assert/strict'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { startBroker } from '../../../packages/millrace/src/broker/index.ts'
import { fromEnvelope } from '../../../packages/millrace/src/cli/envelope.ts'
import { openClient } from '../../../packages/millrace/src/client/index.ts'
import { startGateway } from '../../../packages/millrace/src/gateway/index.ts'
import { brokersAway } from '../../harness/brokers-away.ts'
import { bulk, dial, encode, startTestGateway, type RawConnection } from '../../harness/gateway.ts'
import { until } from '../../harness/until.ts'
import { committed, earliest, named, nothingCame, put, taken } from './consumers.ts'

const shutdown = '-CONS Server shutdown\r\n'

describe('a stop', () => {
  it('tells every blocked call, and closes', async () => {
    await using gateway = await startTestGateway()
    await gateway.createTopic('orders')
    const all = await Promise.all(
      Array.from({ length: 20 }, (_, at) => named(gateway, `group${at}:one`)),
    )
    for (const connection of all) connection.write('blpop topics:orders 60\r\n')
    await until('all wait', () => gateway.gateway.figures()['blocked_pops'] === 20)
    const ended = Promise.all(all.map((connection) => connection.rest()))
    assert.equal(await gateway.gateway.stop(), 0)
    assert.deepEqual(new Set(await ended), new Set([shutdown]))
    assert.equal(gateway.gateway.connections, 0)
    await assert.rejects(dial(gateway.gateway.port))
  })

  it('commits what was acknowledged, and leaves the groups', async () => {
    await using gateway = await startTestGateway()
    await gateway.createTopic('orders')
    await put(gateway, 'orders', ['a', 'b', 'c'])
    const groups = ['one', 'two', 'three']
    for (const group of groups) {
      const connection = await named(gateway, `${group}:m`)
      for (let at = 0; at < 2; at++)
        await connection.command('BLPOP', `topics:orders:${earliest}`, '5')
      assert.equal(await connection.command('RPUSH', 'acks', 'orders:0:1'), ':1\r\n')
    }
    await gateway.gateway.stop()
    for (const group of groups) assert.equal(await committed(gateway, group, 'orders'), 2)
    const described = await gateway.client.admin.describeGroups(groups)
    assert.deepEqual(
      described.map(({ members }) => members.length),
      [0, 0, 0],
    )
  })

  it('answers names and calls that come meanwhile, and still takes messages', async () => {
    await using gateway = await startTestGateway()
    await gateway.createTopic('orders')
    await put(gateway, 'orders', ['a'])
    const holding = await named(gateway, 'holding:one')
    // It has a message in hand: a stop gives it a moment to acknowledge.
    await holding.command('BLPOP', `topics:orders:${earliest}`, '5')
    const fresh = await named(gateway, 'fresh:one')
    const unnamed = await gateway.dial()
    const second = await gateway.dial()
    const producer = await gateway.dial()
    const waiting = await named(gateway, 'waiting:one')
    waiting.write('blpop topics:orders 60\r\n')
    await until('it waits', () => gateway.gateway.figures()['blocked_pops'] === 1)
    const stopped = gateway.gateway.stop()
    assert.equal(await waiting.reply(), shutdown)

    assert.equal(await waiting.command('BLPOP', 'topics:orders', '60'), shutdown)
    assert.equal(await fresh.command('BLPOP', 'topics:orders', '60'), shutdown)
    assert.equal(await fresh.command('PING'), '+PONG\r\n')
    // Draining comes before the name, after what cannot be read.
    assert.equal(await second.command('BLPOP', 'topics:orders', '60'), shutdown)
    assert.equal(
      await second.command('BLPOP', 'orders', '60'),
      '-CONS Cannot parse topics from `orders`\r\n',
    )
    unnamed.write('client setname late:one\r\nPING\r\n')
    assert.equal(await unnamed.rest(), shutdown)
    assert.equal(await fresh.command('CLIENT', 'SETNAME', 'fresh:two'), shutdown)
    assert.equal(await fresh.command('CLIENT', 'GETNAME'), bulk('fresh:one'))

    assert.equal(await producer.command('RPUSHX', 'topics:orders', 'last'), ':1\r\n')
    assert.equal(await holding.command('RPUSH', 'acks', 'orders:0:0'), ':1\r\n')
    assert.equal(await stopped, 0)
    assert.equal(await committed(gateway, 'holding', 'orders'), 1)
    const [end] = await gateway.client.admin.listOffsets([
      { topic: 'orders', partition: 0, at: 'latest' },
    ])
    assert.equal(end?.offset, 2)
  })

  it('under load loses nothing that was accepted, and repeats nothing that was acknowledged', async () => {
    await using gateway = await startTestGateway()
    await gateway.createTopic('load', 4)
    let accepted = 0
    const produce = async (connection: RawConnection): Promise<void> => {
      for (let at = 0; ; at++) {
        try {
          if ((await connection.command('RPUSHX', `topics:load:${at}`, 'x')) === ':1\r\n')
            accepted++
        } catch {
          return
        }
      }
    }
    const acknowledged = new Map<number, number>()
    const shutdowns: string[] = []
    const consume = async (connection: RawConnection): Promise<void> => {
      for (;;) {
        const reply = await connection.command('BLPOP', `topics:load:${earliest}`, '60')
        if (!reply.startsWith('*8')) {
          shutdowns.push(reply)
          return
        }
        const { partition, offset } = taken(reply)
        const ack = `load:${partition}:${offset}`
        if ((await connection.command('RPUSH', 'acks', ack)) === ':1\r\n')
          acknowledged.set(partition, Math.max(offset + 1, acknowledged.get(partition) ?? 0))
      }
    }
    const producing = [produce(await gateway.dial()), produce(await gateway.dial())]
    const consuming = [consume(await named(gateway, 'load:one'))]
    await until('there is load', () => accepted > 500 && acknowledged.size === 4)
    assert.equal(await gateway.gateway.stop(), 0)
    await Promise.all([...producing, ...consuming])
    assert.deepEqual(shutdowns, [shutdown])

    const ends = await gateway.client.admin.listOffsets(
      [0, 1, 2, 3].map((partition) => ({ topic: 'load', partition, at: 'latest' as const })),
    )
    const inLog = ends.reduce((sum, { offset }) => sum + offset, 0)
    // The answer to the last one of each may have been cut off by the end of the connection.
    assert.ok(inLog >= accepted && inLog <= accepted + 2, `${inLog} of ${accepted}`)
    for (const [partition, next] of acknowledged)
      assert.equal(await committed(gateway, 'load', 'load', partition), next)
  })

  it('closes a connection that waits for its messages once they are told', async () => {
    await using gateway = await startTestGateway()
    await gateway.createTopic('orders')
    const connection = await gateway.dial()
    await connection.command('CLIENT', 'DURABLE', 'ON')
    connection.write('rpushx topics:orders a\r\nrpushx topics:orders b\r\n')
    const first = await connection.reply()
    assert.equal(await gateway.gateway.stop(), 0)
    assert.equal(first + (await connection.rest()), ':1\r\n:1\r\n')
  })

  it('writes down what could not be delivered, for millrace write', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'millrace-unsent-'))
    const unsentDir = join(folder, 'made', 'when-needed')
    const away = brokersAway()
    try {
      await using broker = await startBroker({ memory: true, host: '127.0.0.1' })
      await using gateway = await startGateway({
        brokers: [broker.address],
        port: 0,
        unsentDir,
        clientOptions: { dial: away.dial },
      })
      await using client = openClient({ brokers: [broker.address] })
      await client.admin.createTopics([
        { name: 'one', partitions: 1 },
        { name: 'two', partitions: 1 },
      ])
      const connection = await dial(gateway.port)
      for (const topic of ['one', 'two'])
        assert.equal(await connection.command('RPUSHX', `topics:${topic}`, 'first'), ':1\r\n')
      assert.equal(await connection.command('DUMP', '5000'), ':0\r\n')
      away.goAway()
      const binary = Buffer.from([0xff, 0x00, 0x0a, 0x22])
      const sent: (readonly [string, string | null, Buffer | string | null])[] = [
        ['one', null, 'plain'],
        ['one', 'key', 'with "quotes"\r\nand lines é'],
        ['one', '', ''],
        ['one', 'gone', null],
        ['two', 'k', binary],
      ]
      for (const [topic, key, value] of sent) {
        const place = Buffer.from(`topics:${topic}${key === null ? '' : `:${key}`}`)
        assert.equal(await connection.command('RPUSHX', place, value), ':1\r\n')
      }
      const bytesKey = Buffer.concat([Buffer.from('topics:two:'), binary])
      assert.equal(await connection.command('RPUSHX', bytesKey, 'x'), ':1\r\n')
      const words = ['XADD', 'two', '*', '@value', 'v', '@header:h', binary, '@header:i', 'text']
      connection.write(encode(words))
      await until('all are on their way', () => gateway.figures()['produce_waiting_messages'] === 7)
      connection.close()
      const start = performance.now()
      assert.equal(await gateway.stop({ timeoutMs: 500 }), 7)
      assert.ok(performance.now() - start < 5000)

      const files = (await readdir(unsentDir)).toSorted()
      assert.equal(files.length, 2, files.join(' '))
      const headersRead: string[] = []
      const read = async (name: string): Promise<(readonly [string | null, string | null])[]> => {
        const text = await readFile(join(unsentDir, name), 'utf8')
        assert.ok(text.endsWith('\n'))
        return text
          .trimEnd()
          .split('\n')
          .map((line) => {
            const { key, value, headers } = fromEnvelope(line)
            for (const [header, content] of headers)
              headersRead.push(`${header} ${content?.toString('hex')}`)
            return [key?.toString('hex') ?? null, value?.toString('hex') ?? null] as const
          })
      }
      const hex = (text: string): string => Buffer.from(text).toString('hex')
      assert.ok(files[0]?.startsWith('one'), files[0])
      assert.deepEqual(await read(files[0] ?? ''), [
        [null, hex('plain')],
        [hex('key'), hex('with "quotes"\r\nand lines é')],
        ['', ''],
        [hex('gone'), null],
      ])
      assert.deepEqual(await read(files[1] ?? ''), [
        [hex('k'), binary.toString('hex')],
        [binary.toString('hex'), hex('x')],
        [null, hex('v')],
      ])
      assert.deepEqual(headersRead, [`h ${binary.toString('hex')}`, `i ${hex('text')}`])
    } finally {
      await rm(folder, { recursive: true, force: true })
    }
  })

  it('counts what could not be delivered', async () => {
    const away = brokersAway()
    await using broker = await startBroker({ memory: true, host: '127.0.0.1' })
    await using gateway = await startGateway({
      brokers: [broker.address],
      port: 0,
      clientOptions: { dial: away.dial },
    })
    away.goAway()
    const connection = await dial(gateway.port)
    for (let at = 0; at < 3; at++)
      assert.equal(await connection.command('RPUSHX', 'topics:orders', 'x'), ':1\r\n')
    assert.equal(await connection.command('DUMP', '50'), ':3\r\n')
    assert.equal(await gateway.stop({ timeoutMs: 300 }), 3)
    assert.equal(gateway.figures()['produce_unflushed_messages'], 3)
    assert.equal(gateway.figures()['produce_failures'], 0)
    connection.close()
  })

  it('may be asked for twice', async () => {
    await using gateway = await startTestGateway()
    const connection = await named(gateway, 'twice:one')
    assert.equal(await connection.command('BLPOP', 'topics:orders', '0.01'), nothingCame)
    const [first, second] = await Promise.all([gateway.gateway.stop(), gateway.gateway.stop()])
    assert.deepEqual([first, second], [0, 0])
  })
})
