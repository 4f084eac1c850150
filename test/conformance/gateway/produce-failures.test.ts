import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { startTestGateway, type RawConnection, type TestGateway } from '../../harness/gateway.ts'
import { until } from '../../harness/until.ts'
import { earliest, named, shown } from './consumers.ts'

const unknownTopic = '-PROD Local: Unknown topic\r\n'

describe('messages that cannot be delivered', () => {
  let gateway: TestGateway
  before(async () => {
    gateway = await startTestGateway()
  })
  after(() => gateway[Symbol.asyncDispose]())

  const errors = async (connection: RawConnection): Promise<number> => {
    const reply = await connection.command('HGETALL', 'stats')
    return Number(/producer\.delivery\.errors\r\n\$\d+\r\n(\d+)\r\n/.exec(reply)?.[1])
  }

  it('for a missing topic are counted, once, within half a second', async () => {
    const connection = await gateway.dial()
    const counts: number[] = [await errors(connection)]
    const start = performance.now()
    assert.equal(await connection.command('RPUSHX', 'topics:absent', 'x'), ':1\r\n')
    await until('it is counted', async () => {
      counts.push(await errors(connection))
      return counts.at(-1) !== counts[0]
    })
    const ms = performance.now() - start
    assert.ok(ms < 500, `${ms} ms`)
    assert.equal(counts.at(-1), counts[0]! + 1)
    assert.equal(await connection.command('RPUSHX', 'topics:absent', 'x'), unknownTopic)
    assert.equal(await connection.command('RPUSHX', 'topics:absent:key', 'x'), unknownTopic)
    const other = await gateway.dial()
    assert.equal(await other.command('RPUSHX', 'topics:absent', 'x'), unknownTopic)
    // What was refused was never accepted: nothing to deliver, nothing to count.
    assert.equal(await errors(connection), counts[0]! + 1)
    assert.equal(await connection.command('DUMP', '0'), ':0\r\n')
  })

  it('count one each, and are flushed', async () => {
    const connection = await gateway.dial()
    const before_ = await errors(connection)
    connection.write(
      Array.from({ length: 10 }, (_, at) => `rpushx topics:ten-absent ${at}\r\n`).join(''),
    )
    const replies = []
    for (let at = 0; at < 10; at++) replies.push(await connection.reply())
    const accepted = replies.filter((reply) => reply === ':1\r\n').length
    assert.ok(accepted > 0)
    assert.equal(await connection.command('DUMP', '5000'), ':0\r\n')
    assert.equal(await errors(connection), before_ + accepted)
  })

  it('are refused from the size on from which librdkafka refuses them', async () => {
    await gateway.createTopic('sizes')
    const connection = await gateway.dial()
    await connection.command('CLIENT', 'DURABLE', 'ON')
    const largest = Buffer.alloc(999_964, 'x')
    assert.equal(await connection.command('RPUSHX', 'topics:sizes', largest), ':1\r\n')
    assert.equal(
      await connection.command('RPUSHX', 'topics:sizes', Buffer.alloc(999_965, 'x')),
      '-PROD Broker: Message size too large\r\n',
    )
    assert.equal(
      await connection.command('RPUSHX', 'topics:sizes:k', largest),
      '-PROD Broker: Message size too large\r\n',
    )
  })

  it('do not make their topic, though the broker would', async () => {
    const connection = await gateway.dial()
    await connection.command('RPUSHX', 'topics:never-made', 'x')
    await connection.command('DUMP', '5000')
    assert.ok(!(await connection.command('KEYS', 'topics:')).includes('never-made'))
  })

  it('are remembered for five seconds, and then looked up again', async () => {
    const connection = await gateway.dial()
    for (const topic of ['comes-later', 'stays-away'])
      assert.equal(await connection.command('RPUSHX', `topics:${topic}`, 'x'), ':1\r\n')
    assert.equal(await connection.command('DUMP', '5000'), ':0\r\n')
    const failedAt = performance.now()
    await gateway.createTopic('comes-later')
    for (const topic of ['stays-away', 'comes-later'])
      await until(
        'it is accepted again',
        async () => {
          const reply = await connection.command('RPUSHX', `topics:${topic}`, 'y')
          assert.ok(reply === ':1\r\n' || reply === unknownTopic, reply)
          return reply === ':1\r\n'
        },
        { deadline: 8000 },
      )
    assert.ok(performance.now() - failedAt > 4000)
    assert.equal(await connection.command('DUMP', '5000'), ':0\r\n')
    const consumer = await named(gateway, 'later:one')
    assert.equal(
      await consumer.command('BLPOP', `topics:comes-later:${earliest}`, '5'),
      shown('comes-later', 0, 0, 'y'),
    )
    assert.equal(await connection.command('RPUSHX', 'topics:stays-away', 'y'), unknownTopic)
  })

  it('are forgotten as soon as metadata shows the topic', async () => {
    const connection = await gateway.dial()
    assert.equal(await connection.command('RPUSHX', 'topics:comes-soon', 'x'), ':1\r\n')
    assert.equal(await connection.command('DUMP', '5000'), ':0\r\n')
    assert.equal(await connection.command('RPUSHX', 'topics:comes-soon', 'x'), unknownTopic)
    const failedAt = performance.now()
    await gateway.createTopic('comes-soon')
    assert.ok((await connection.command('KEYS', 'topics:')).includes('topics:comes-soon'))
    assert.equal(await connection.command('RPUSHX', 'topics:comes-soon', 'x'), ':1\r\n')
    assert.ok(performance.now() - failedAt < 4000)
    assert.equal(await connection.command('DUMP', '5000'), ':0\r\n')
    const reply = await connection.command('CLIENT', 'ERRORS')
    assert.ok(reply.startsWith('*1\r\n'), reply)
  })

  it('may make their topic where the gateway was told so', async () => {
    await using making = await startTestGateway({ createTopics: true })
    const connection = await making.dial()
    assert.equal(await connection.command('RPUSHX', 'topics:made', 'x'), ':1\r\n')
    assert.equal(await connection.command('DUMP', '5000'), ':0\r\n')
    assert.ok((await connection.command('KEYS', 'topics:')).includes('topics:made'))
    const consumer = await named(making, 'made:one')
    const reply = await consumer.command('BLPOP', `topics:made:${earliest}`, '5')
    assert.ok(reply.endsWith('$1\r\nx\r\n'), reply)
  })

  it('do not open a producer when a consumer was refused', async () => {
    const connection = await named(gateway, 'refused:one')
    await connection.command('BLPOP', 'topics:a:{"foo":1}', '1')
    assert.equal(await connection.command('DUMP', 'nonsense'), ':0\r\n')
    assert.equal(await connection.command('DUMP'), ':0\r\n')
  })
})
