import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { Redis } from 'ioredis'
import { startTestGateway, type TestGateway } from '../../harness/gateway.ts'
import { until } from '../../harness/until.ts'

type Entry = [id: string, fields: string[]]
type Streams = [key: string, entries: Entry[]][] | null

function connect({ gateway }: TestGateway): Redis & AsyncDisposable {
  const redis = new Redis(gateway.port, '127.0.0.1', { retryStrategy: () => null })
  return Object.assign(redis, {
    [Symbol.asyncDispose]: () => {
      redis.disconnect()
      return Promise.resolve()
    },
  })
}

const entriesOf = (streams: Streams): Entry[] => (streams ?? []).flatMap(([, entries]) => entries)

const readGroup = async (redis: Redis, name: string, count: number): Promise<Entry[]> =>
  entriesOf(
    (await redis.xreadgroup(
      'GROUP',
      'g',
      name,
      'COUNT',
      count,
      'BLOCK',
      5000,
      'STREAMS',
      'orders',
      '>',
    )) as Streams,
  )

describe('Streams commands over a socket', () => {
  it('carry plain fields to Redis clients and JSON to Kafka', async () => {
    await using gateway = await startTestGateway()
    await gateway.createTopic('orders')
    await using redis = connect(gateway)
    assert.equal(await redis.xadd('orders', '*', 'id', '7', 'name', 'Ada'), '0-1')
    assert.equal(
      await redis.xadd('orders', '*', '@value', Buffer.from([0, 255]), '@key', 'k'),
      '0-2',
    )
    assert.equal(await redis.xadd('orders', 'MAXLEN', '~', 1000, '*', 'id', '8'), '0-3')
    assert.deepEqual(await redis.xrange('orders', '-', '+', 'COUNT', 1), [
      ['0-1', ['id', '7', 'name', 'Ada']],
    ])
    const raw = (await redis.xrangeBuffer('orders', '0-2', '0-2')) as unknown as [
      Buffer,
      Buffer[],
    ][]
    assert.deepEqual(raw[0]![1].slice(0, 4).map(String), [
      '@value',
      raw[0]![1][1]!.toString(),
      '@key',
      'k',
    ])
    assert.deepEqual(raw[0]![1][1], Buffer.from([0, 255]))
    assert.equal(await redis.xlen('orders'), 3)

    const [first] = await Array.fromAsync(gateway.client.reader({ topics: ['orders'] }))
    assert.deepEqual(JSON.parse(first!.value!.toString()), { id: '7', name: 'Ada' })
  })

  it('answer pipelined XADDs in order, all in flight', async () => {
    await using gateway = await startTestGateway()
    await gateway.createTopic('orders')
    await using redis = connect(gateway)
    const pipeline = redis.pipeline()
    for (let n = 0; n < 2000; n++) pipeline.xadd('orders', '*', 'n', n)
    const replies = await pipeline.exec()
    assert.deepEqual(
      replies!.map(([, id]) => id),
      Array.from({ length: 2000 }, (_, n) => `0-${n + 1}`),
    )
    const last = entriesOf(await redis.xread('COUNT', 5, 'STREAMS', 'orders', '0-1998'))
    assert.deepEqual(last, [
      ['0-1999', ['n', '1998']],
      ['0-2000', ['n', '1999']],
    ])
  })

  it('let a worker group share, crash and claim, and lose nothing', async () => {
    await using gateway = await startTestGateway()
    await gateway.createTopic('orders', 4)
    await using writer = connect(gateway)
    assert.equal(await writer.xgroup('CREATE', 'orders', 'g', '$', 'MKSTREAM'), 'OK')
    const acknowledged = new Set<string>()
    const done = new AbortController()
    const work = async (redis: Redis, name: string): Promise<void> => {
      while (!done.signal.aborted) {
        const ids = (await readGroup(redis, name, 100)).map(([id]) => id)
        if (ids.length === 0) continue
        assert.equal(await redis.xack('orders', 'g', ...ids), ids.length)
        for (const id of ids) acknowledged.add(id)
      }
    }
    const one = connect(gateway)
    const two = connect(gateway)
    // It takes some, and dies with them.
    const lost: string[] = []
    const dying = (async () => {
      while (lost.length === 0) for (const [id] of await readGroup(one, 'one', 10)) lost.push(id)
      one.disconnect()
    })()
    const working = work(two, 'two')
    const written: (string | null)[] = []
    await until('the first has some', async () => {
      for (let partition = 0; partition < 4; partition++)
        written.push(await writer.xadd(`orders@${partition}`, '*', 'n', written.length))
      return lost.length > 0
    })
    await dying
    const claimed = (await writer.xautoclaim('orders', 'g', 'two', 0, '0', 'COUNT', 1000)) as [
      string,
      Entry[],
    ]
    assert.ok(lost.every((id) => claimed[1].some(([other]) => other === id)))
    // What the dead one's partitions still hold comes again once it has left, or is read in its name.
    await using heir = connect(gateway)
    const inheriting = work(heir, 'one')
    for (const id of lost) acknowledged.add(id)
    await writer.xack('orders', 'g', ...lost)
    await until('all is acknowledged', () => acknowledged.size === written.length, {
      lastSeen: () => [acknowledged.size, written.length],
    })
    await until('nothing is pending', async () => {
      const [pending] = (await writer.xpending('orders', 'g')) as [number]
      return pending === 0
    })
    const groups = (await writer.xinfo('GROUPS', 'orders')) as unknown[][]
    const lagAt = groups[0]!.indexOf('lag') + 1
    await until('nothing lags', async () => {
      const [g] = (await writer.xinfo('GROUPS', 'orders')) as unknown[][]
      return g![lagAt] === 0
    })
    done.abort()
    two.disconnect()
    heir.disconnect()
    await Promise.allSettled([working, inheriting])
  })

  it('block without holding back other connections, and end with theirs', async () => {
    await using gateway = await startTestGateway()
    await gateway.createTopic('orders')
    await using writer = connect(gateway)
    await writer.xgroup('CREATE', 'orders', 'g', '$')
    const reader = connect(gateway)
    const blocked = reader.xreadgroup('GROUP', 'g', 'a', 'BLOCK', 0, 'STREAMS', 'orders', '>')
    await until(
      'it blocks',
      async () => (await gateway.client.admin.describeGroups(['g']))[0]!.members.length === 1,
    )
    assert.equal(await writer.xadd('orders', '*', 'n', '1'), '0-1')
    assert.deepEqual(entriesOf((await blocked) as Streams), [['0-1', ['n', '1']]])
    const again = reader.xread('BLOCK', 0, 'STREAMS', 'orders', '$')
    reader.disconnect()
    // Its end is a FIN, so what blocks is answered before the connection closes.
    await Promise.allSettled([again])
    await until('the connection is gone', () => gateway.gateway.connections === 1)
  })

  it('let a gateway stop soon although workers block, and lose nothing', async () => {
    await using gateway = await startTestGateway()
    await gateway.createTopic('orders')
    const worker = connect(gateway)
    await worker.xgroup('CREATE', 'orders', 'g', '0')
    await worker.xadd('orders', '*', 'n', '1')
    await worker.xadd('orders', '*', 'n', '2')
    const seen: string[] = []
    const working = (async () => {
      for (;;) {
        const reply = await worker.xreadgroup(
          'GROUP',
          'g',
          'a',
          'BLOCK',
          0,
          'STREAMS',
          'orders',
          '>',
        )
        const ids = entriesOf(reply as Streams).map(([id]) => id)
        if (ids.length > 0) await worker.xack('orders', 'g', ...ids)
        seen.push(...ids)
      }
    })()
    await until('both are seen', () => seen.length === 2)
    const startMs = performance.now()
    await gateway.gateway.stop()
    assert.ok(performance.now() - startMs < 3000, 'long before the time of a stop is over')
    await assert.rejects(working)
    const [committed] = await gateway.client.admin.committedOffsets('g')
    assert.equal(committed!.offset, 2)
    assert.deepEqual((await gateway.client.admin.describeGroups(['g']))[0]!.members, [])
  })

  it('speak RESP3: maps of streams, and of what XINFO tells', async () => {
    await using gateway = await startTestGateway()
    await gateway.createTopic('orders')
    const raw = await gateway.dial()
    await raw.command('HELLO', '3')
    await raw.command('XADD', 'orders', '*', 'n', '1')
    assert.equal(
      await raw.command('XREAD', 'STREAMS', 'orders', '0'),
      '%1\r\n$6\r\norders\r\n*1\r\n*2\r\n$3\r\n0-1\r\n*2\r\n$1\r\nn\r\n$1\r\n1\r\n',
    )
    assert.equal(await raw.command('XREAD', 'STREAMS', 'orders', '0-1'), '_\r\n')
    assert.match(await raw.command('XINFO', 'STREAM', 'orders'), /^%6\r\n\$6\r\nlength\r\n:1\r\n/)
  })

  it('tail topics for subscribers', async () => {
    await using gateway = await startTestGateway()
    await gateway.createTopic('news')
    await using writer = connect(gateway)
    await using listener = connect(gateway)
    const heard: string[] = []
    listener.on('message', (channel, message) => heard.push(`${channel} ${message}`))
    assert.equal(await listener.subscribe('news'), 1)
    await writer.publish('news', 'one')
    await writer.xadd('news', '*', '@value', 'two')
    await until('both are heard', () => heard.length === 2)
    assert.deepEqual(heard, ['news one', 'news two'])
    assert.equal(await listener.unsubscribe('news'), 0)
  })

  it('refuse with the words that Redis clients parse', async () => {
    await using gateway = await startTestGateway()
    await gateway.createTopic('orders')
    await using redis = connect(gateway)
    await assert.rejects(
      redis.xreadgroup('GROUP', 'g', 'a', 'STREAMS', 'orders', '>'),
      /^ReplyError: NOGROUP/,
    )
    await redis.xgroup('CREATE', 'orders', 'g', '0')
    await assert.rejects(redis.xgroup('CREATE', 'orders', 'g', '0'), /^ReplyError: BUSYGROUP/)
    await assert.rejects(redis.xtrim('orders', 'MAXLEN', 5), /millrace topics/)
    await assert.rejects(redis.xdel('orders', '0-1'), /millrace topics/)
    await assert.rejects(
      redis.xadd('missing', '*', 'a', 'b'),
      /^ReplyError: ERR Local: Unknown topic$/,
    )
    await assert.rejects(
      redis.call('XADD', 'orders', '*', 'a'),
      /wrong number of arguments for 'xadd'/,
    )
    await assert.rejects(
      redis.xadd('orders', '*', '@partition', '9', '@value', 'v'),
      /^ReplyError: ERR /,
    )
    assert.deepEqual(await redis.scan(0), ['0', ['orders']])
    assert.equal(await redis.type('orders'), 'stream')
    assert.equal(await redis.exists('orders', 'missing'), 1)
  })
})
