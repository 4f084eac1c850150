import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { bulk, type RawConnection } from '../../harness/gateway.ts'
import { until } from '../../harness/until.ts'
import { Outage } from './outage.ts'

const queueFull = '-PROD Local: Queue full\r\n'

describe('messages while the broker is down', () => {
  it('are accepted until the queue is full, and none of them is lost', async () => {
    await using outage = await Outage.begin(['orders'], { bufferBytes: '32KiB' })
    const one = await outage.dial()
    const leaving = await outage.dial()
    const accepted: string[] = []
    const produce = async (connection: RawConnection, value: string): Promise<string> => {
      const reply = await connection.command('RPUSHX', 'topics:orders', value)
      if (reply === ':1\r\n') accepted.push(value)
      return reply
    }
    for (let at = 0; at < 10; at++) assert.equal(await produce(one, `before${at}`), ':1\r\n')
    assert.equal(await one.command('DUMP', '5000'), ':0\r\n')

    await outage.down()
    for (let at = 0; at < 20; at++) assert.equal(await produce(one, `one${at}`), ':1\r\n')
    for (let at = 0; at < 20; at++) assert.equal(await produce(leaving, `leaving${at}`), ':1\r\n')
    leaving.close()
    const quitting = await outage.dial()
    for (let at = 0; at < 20; at++) assert.equal(await produce(quitting, `quit${at}`), ':1\r\n')
    assert.equal(await quitting.command('QUIT'), bulk('OK'))
    assert.equal(await one.command('DUMP', '50'), ':20\r\n')

    const late = await outage.dial()
    let count = 0
    for (; (await produce(late, `late${count} ${'x'.repeat(500)}`)) === ':1\r\n'; count++)
      assert.ok(count < 100, 'the queue fills')
    assert.ok(count > 10, `${count}`)
    assert.equal(await produce(late, 'x'.repeat(2000)), queueFull)
    assert.equal(await produce(one, 'x'.repeat(2000)), queueFull)
    assert.equal(await late.command('DUMP', '0'), `:${count}\r\n`)
    assert.equal(await one.command('DUMP', '0'), ':20\r\n')
    assert.equal(await late.command('PING'), '+PONG\r\n')

    await outage.up()
    assert.equal(await late.command('DUMP', '20000'), ':0\r\n')
    assert.equal(await one.command('DUMP', '20000'), ':0\r\n')
    assert.equal(await produce(late, 'after'), ':1\r\n')
    assert.equal(await late.command('DUMP', '5000'), ':0\r\n')
    await until(
      'nothing is on its way',
      () => outage.gateway.figures()['produce_waiting_messages'] === 0,
    )
    assert.equal(outage.gateway.figures()['produce_waiting_bytes'], 0)
    assert.equal(outage.gateway.figures()['produce_failures'], 0)

    const inLog = await outage.values('orders')
    assert.deepEqual(inLog.toSorted(), accepted.toSorted())
    // Each connection's in their order.
    for (const who of ['before', 'one', 'leaving', 'quit', 'late'])
      assert.deepEqual(
        inLog.filter((value) => value.startsWith(who)),
        accepted.filter((value) => value.startsWith(who)),
      )
  })

  it('one connection cannot use up the room of the others', async () => {
    await using outage = await Outage.begin(['orders'], { bufferBytesPerConnection: '4KiB' })
    const greedy = await outage.dial()
    const modest = await outage.dial()
    await outage.down()
    let count = 0
    while ((await greedy.command('RPUSHX', 'topics:orders', 'x'.repeat(500))) === ':1\r\n') count++
    assert.ok(count >= 4 && count <= 8, `${count}`)
    assert.equal(await modest.command('RPUSHX', 'topics:orders', 'y'), ':1\r\n')
    await outage.up()
    assert.equal(await greedy.command('DUMP', '20000'), ':0\r\n')
    assert.equal(await greedy.command('RPUSHX', 'topics:orders', 'x'.repeat(500)), ':1\r\n')
  })

  it('a durable connection waits for its answers', async () => {
    await using outage = await Outage.begin(['orders'])
    const connection = await outage.dial()
    await connection.command('CLIENT', 'DURABLE', 'ON')
    assert.equal(await connection.command('RPUSHX', 'topics:orders', 'a'), ':1\r\n')
    await outage.down()
    connection.write('rpushx topics:orders b\r\nrpushx topics:orders c\r\nPING\r\n')
    await until(
      'both are on their way',
      () => outage.gateway.figures()['produce_waiting_messages'] === 2,
    )
    await outage.up()
    assert.equal(await connection.reply(20_000), ':1\r\n')
    assert.equal(await connection.reply(), ':1\r\n')
    assert.equal(await connection.reply(), '+PONG\r\n')
    assert.deepEqual(await outage.values('orders'), ['a', 'b', 'c'])
  })
})
