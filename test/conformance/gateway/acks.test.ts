import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { cooperativeSticky } from '../../../packages/millrace/src/client/index.ts'
import { bulk, startTestGateway, type TestGateway } from '../../harness/gateway.ts'
import { until } from '../../harness/until.ts'
import { committed, earliest, named, nothingCame, put, shown, taken } from './consumers.ts'

describe('RPUSH acks', () => {
  let gateway: TestGateway
  before(async () => {
    gateway = await startTestGateway()
    await gateway.createTopic('orders')
    await put(gateway, 'orders', ['a', 'b', 'c'])
  })
  after(() => gateway[Symbol.asyncDispose]())

  describe('checks, in their order', () => {
    it('the key, in any case of letters', async () => {
      const connection = await gateway.dial()
      const refused = "-CONS You can only RPUSH to the 'acks' key\r\n"
      assert.equal(await connection.command('RPUSH'), refused)
      assert.equal(await connection.command('RPUSH', 'list', 'nonsense'), refused)
      assert.equal(await connection.command('RPUSH', '', 'a:0:0'), refused)
      assert.equal(await connection.command('RPUSH', null, 'a:0:0'), refused)
      for (const key of ['acks', 'ACKS', 'Acks'])
        assert.equal(
          await connection.command('rpush', key, 'a:0'),
          "-CONS Cannot parse ack: 'a:0'\r\n",
        )
    })

    it('three parts', async () => {
      const connection = await gateway.dial()
      for (const text of ['', 'a', 'a:0', 'a:0:0:0', ':::', 'a b'])
        assert.equal(
          await connection.command('RPUSH', 'acks', text),
          `-CONS Cannot parse ack: '${text}'\r\n`,
        )
      assert.equal(await connection.command('RPUSH', 'acks'), "-CONS Cannot parse ack: ''\r\n")
      assert.equal(
        await connection.command('RPUSH', 'acks', 'a\r\n:0'),
        "-CONS Cannot parse ack: 'a\\r\\n:0'\r\n",
      )
    })

    it('whole numbers, the partition first', async () => {
      const connection = await gateway.dial()
      const wrong = (text: string): string =>
        `-CONS strconv.ParseInt: parsing "${text}": invalid syntax\r\n`
      for (const text of ['', 'x', '1.5', ' 1', '1 ', '0x1', '1_0', '--1', '+', '1e3'])
        assert.equal(await connection.command('RPUSH', 'acks', `a:${text}:y`), wrong(text), text)
      for (const text of ['', 'x', '1.5', ' 1', '08', '0b1', '0o7', '1_0', '0x', '1e3', '-'])
        assert.equal(await connection.command('RPUSH', 'acks', `a:0:${text}`), wrong(text), text)
    })

    it('numbers that fit', async () => {
      const connection = await gateway.dial()
      const wrong = (text: string): string =>
        `-CONS strconv.ParseInt: parsing "${text}": value out of range\r\n`
      for (const text of ['2147483648', '-2147483649', '99999999999999999999'])
        assert.equal(await connection.command('RPUSH', 'acks', `a:${text}:0`), wrong(text))
      for (const text of ['9223372036854775808', '-9223372036854775809', '0x8000000000000000'])
        assert.equal(await connection.command('RPUSH', 'acks', `a:0:${text}`), wrong(text))
    })

    it('a consumer on this connection, named by its id or its address', async () => {
      const nameless = await gateway.dial()
      const { localAddress, localPort } = nameless.socket
      assert.equal(
        await nameless.command('RPUSH', 'acks', 'orders:0:-5'),
        `-CONS No consumer registered for Client ${localAddress}:${localPort}\r\n`,
      )
      const connection = await named(gateway, 'acks:none')
      assert.equal(
        await connection.command('RPUSH', 'acks', 'orders:0:0'),
        '-CONS No consumer registered for Client acks:none\r\n',
      )
    })

    it('an offset that is none below zero', async () => {
      const connection = await named(gateway, 'acks:negative')
      await connection.command('BLPOP', `topics:orders:${earliest}`, '5')
      const refused = (next: string): string => `-CONS offset cannot be negative, got ${next}\r\n`
      assert.equal(await connection.command('RPUSH', 'acks', 'orders:0:-5'), refused('-4'))
      assert.equal(await connection.command('RPUSH', 'acks', 'nobody:7:-2'), refused('-1'))
      assert.equal(await connection.command('RPUSH', 'acks', 'orders:0:-0x11'), refused('-16'))
      assert.equal(
        await connection.command('RPUSH', 'acks', 'orders:0:9223372036854775807'),
        refused('-9223372036854775808'),
      )
      assert.equal(
        await connection.command('RPUSH', 'acks', 'orders:0:-9223372036854775808'),
        refused('-9223372036854775807'),
      )
      assert.equal(await connection.command('RPUSH', 'acks', 'orders:0:-1'), ':1\r\n')
    })

    it('a partition that was assigned', async () => {
      const connection = await named(gateway, 'acks:foreign')
      await connection.command('BLPOP', `topics:orders:${earliest}`, '5')
      for (const ack of ['orders:1:0', 'orders:-1:0', 'nobody:0:0', ':0:0'])
        assert.equal(
          await connection.command('RPUSH', 'acks', ack),
          '-CONS Local: Unknown partition\r\n',
          ack,
        )
    })
  })

  it('take one acknowledgement; further arguments do not count', async () => {
    await gateway.createTopic('further')
    await put(gateway, 'further', ['a', 'b', 'c'])
    const connection = await named(gateway, 'further:one')
    await connection.command('BLPOP', `topics:further:${earliest}`, '5')
    assert.equal(
      await connection.command('RPUSH', 'acks', 'further:0:0', 'further:0:2', 'nonsense'),
      ':1\r\n',
    )
    assert.equal(await connection.command('QUIT'), bulk('OK'))
    assert.equal(await committed(gateway, 'further', 'further'), 1)
  })

  it('read offsets as hexadecimal and octal too, and signs', async () => {
    await gateway.createTopic('forms')
    await put(
      gateway,
      'forms',
      Array.from({ length: 20 }, (_, at) => `${at}`),
    )
    for (const [at, [text, next]] of (
      [
        ['0x0a', 11],
        ['0XA', 11],
        ['010', 9],
        ['+3', 4],
        ['0', 1],
        ['00', 1],
      ] as const
    ).entries()) {
      const connection = await named(gateway, `forms${at}:one`)
      await connection.command('BLPOP', `topics:forms:${earliest}`, '5')
      assert.equal(await connection.command('RPUSH', 'acks', `forms:0:${text}`), ':1\r\n', text)
      await connection.command('QUIT')
      assert.equal(await committed(gateway, `forms${at}`, 'forms'), next, text)
    }
  })

  it('of 10, then 5 leave 11 committed', async () => {
    await gateway.createTopic('back')
    await put(
      gateway,
      'back',
      Array.from({ length: 12 }, (_, at) => `${at}`),
    )
    const connection = await named(gateway, 'back:one')
    const key = 'topics:back:{"auto.offset.reset":"earliest","auto.commit.interval.ms":20}'
    for (let at = 0; at < 12; at++)
      assert.equal(taken(await connection.command('BLPOP', key, '5')).offset, at)
    assert.equal(await connection.command('RPUSH', 'acks', 'back:0:10'), ':1\r\n')
    await until('10 is committed', async () => (await committed(gateway, 'back', 'back')) === 11)
    assert.equal(await connection.command('RPUSH', 'acks', 'back:0:5'), ':1\r\n')
    await connection.command('QUIT')
    assert.equal(await committed(gateway, 'back', 'back'), 11)
  })

  it('below what the group has committed before change nothing', async () => {
    await gateway.createTopic('below')
    await put(gateway, 'below', ['a', 'b', 'c', 'd'])
    const first = await named(gateway, 'below:one')
    await first.command('BLPOP', `topics:below:${earliest}`, '5')
    await first.command('RPUSH', 'acks', 'below:0:2')
    await first.command('QUIT')
    const second = await named(gateway, 'below:one')
    assert.equal(
      await second.command('BLPOP', `topics:below:${earliest}`, '5'),
      shown('below', 0, 3, 'd'),
    )
    assert.equal(await second.command('RPUSH', 'acks', 'below:0:0'), ':1\r\n')
    await second.command('QUIT')
    assert.equal(await committed(gateway, 'below', 'below'), 3)
  })

  it('are committed by time, on the interval that was asked for', async () => {
    await gateway.createTopic('interval')
    await put(gateway, 'interval', ['a', 'b'])
    const connection = await named(gateway, 'interval:one')
    const key = 'topics:interval:{"auto.offset.reset":"earliest","auto.commit.interval.ms":50}'
    await connection.command('BLPOP', key, '5')
    await connection.command('RPUSH', 'acks', 'interval:0:0')
    await until(
      'it is committed',
      async () => (await committed(gateway, 'interval', 'interval')) === 1,
    )
    await connection.command('RPUSH', 'acks', 'interval:0:1')
    await until(
      'the next one is',
      async () => (await committed(gateway, 'interval', 'interval')) === 2,
    )
  })

  it('of one partition do not hold back those of another', async () => {
    await gateway.createTopic('far', 2)
    await put(gateway, 'far', ['a', 'b'], 0)
    await put(gateway, 'far', ['c', 'd'], 1)
    const connection = await named(gateway, 'far:one')
    const key = `topics:far:${earliest}`
    for (let at = 0; at < 4; at++) await connection.command('BLPOP', key, '5')
    // Beyond the end, and beyond what a number holds exactly: taken, as librdkafka takes it.
    assert.equal(await connection.command('RPUSH', 'acks', 'far:0:9223372036854775806'), ':1\r\n')
    assert.equal(await connection.command('RPUSH', 'acks', 'far:1:0'), ':1\r\n')
    await connection.command('QUIT')
    assert.equal(await committed(gateway, 'far', 'far', 1), 1)
  })

  it('without one nothing is committed', async () => {
    await gateway.createTopic('unacked')
    await put(gateway, 'unacked', ['a'])
    const connection = await named(gateway, 'unacked:one')
    await connection.command('BLPOP', `topics:unacked:${earliest}`, '5')
    await connection.command('QUIT')
    const position = await committed(gateway, 'unacked', 'unacked')
    assert.ok(position === undefined || position === -1, String(position))
  })

  it('of a partition that went to another are refused', async () => {
    await gateway.createTopic('moving', 2)
    await put(gateway, 'moving', ['a'], 0)
    await put(gateway, 'moving', ['b'], 1)
    const connection = await named(gateway, 'moving:one')
    const key = `topics:moving:${earliest}`
    for (let at = 0; at < 2; at++) await connection.command('BLPOP', key, '5')
    const gone: string[] = []
    await using other = gateway.client.joinGroup({
      groupId: 'moving',
      topics: ['moving'],
      assignors: [cooperativeSticky],
      onAssigned: (partitions) => {
        for (const { topic, partition } of partitions) gone.push(`${topic}:${partition}`)
      },
    })
    await other.ready()
    await until('the other has its share', () => gone.length === 1, { lastSeen: () => gone })
    const kept = gone[0] === 'moving:0' ? 'moving:1' : 'moving:0'
    assert.equal(
      await connection.command('RPUSH', 'acks', `${gone[0]}:0`),
      '-CONS Local: Erroneous state\r\n',
    )
    await until(
      'its own share is back',
      async () => (await connection.command('RPUSH', 'acks', `${kept}:0`)) === ':1\r\n',
    )
  })

  describe('messages without one', () => {
    it('do not come again on their connection, but after reconnecting', async () => {
      await gateway.createTopic('again')
      await put(gateway, 'again', ['a', 'b', 'c'])
      const key = `topics:again:${earliest}`
      const first = await named(gateway, 'again:one')
      for (const [at, value] of ['a', 'b', 'c'].entries())
        assert.equal(await first.command('BLPOP', key, '5'), shown('again', 0, at, value))
      assert.equal(await first.command('RPUSH', 'acks', 'again:0:0'), ':1\r\n')
      assert.equal(await first.command('BLPOP', key, '0.2'), nothingCame)
      await first.command('QUIT')
      const second = await named(gateway, 'again:one')
      assert.equal(await second.command('BLPOP', key, '5'), shown('again', 0, 1, 'b'))
      assert.equal(await second.command('BLPOP', key, '5'), shown('again', 0, 2, 'c'))
    })
  })
})
