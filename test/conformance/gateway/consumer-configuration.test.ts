import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { startGateway } from '../../../packages/millrace/src/gateway/index.ts'
import { isFailure } from '../../../packages/millrace/src/errors/index.ts'
import { bulk, dial, startTestGateway, type TestGateway } from '../../harness/gateway.ts'
import { earliest, named, nothingCame, put, shown } from './consumers.ts'

describe('the configuration of a consumer', () => {
  let gateway: TestGateway
  let ids = 0
  before(async () => {
    gateway = await startTestGateway()
    await gateway.createTopic('orders')
    await put(gateway, 'orders', ['first'])
  })
  after(() => gateway[Symbol.asyncDispose]())

  /** What the first call of a connection answers. */
  const answer = async (json: string): Promise<{ readonly reply: string; readonly id: string }> => {
    const id = `conf${++ids}:one`
    const connection = await named(gateway, id)
    return { reply: await connection.command('BLPOP', `topics:orders:${json}`, '0.01'), id }
  }

  const assertRefused = async (json: string): Promise<void> => {
    const { reply, id } = await answer(json)
    assert.equal(
      reply,
      `-CONS Failed to register Consumer '${id}|orders' for Client '${id}'\r\n`,
      json,
    )
  }

  const assertTaken = async (json: string): Promise<void> => {
    const { reply } = await answer(json)
    assert.ok(reply === nothingCame || reply.startsWith('*8'), `${json}: ${reply}`)
  }

  const assertUnreadable = async (json: string): Promise<void> => {
    const { reply } = await answer(json)
    assert.ok(reply.startsWith(`-CONS Error parsing configuration from '${json}'; `), reply)
  }

  it('is refused for properties that nobody knows', async () => {
    await assertRefused('{"foo":"bar"}')
    await assertRefused('{"auto.offset.reset":"earliest","foo":1}')
    await assertRefused('{"":1}')
    await assertRefused('{"__proto__":"x"}')
    await assertRefused('{"constructor":"x"}')
    await assertRefused('{"toString":"x"}')
  })

  it('is refused for values that a property does not take', async () => {
    await assertRefused('{"session.timeout.ms":true}')
    await assertRefused('{"session.timeout.ms":"soon"}')
    await assertRefused('{"session.timeout.ms":0}')
    await assertRefused('{"session.timeout.ms":1.5}')
    await assertRefused('{"session.timeout.ms":3600001}')
    await assertRefused('{"auto.offset.reset":"sometime"}')
    await assertRefused('{"isolation.level":"none"}')
    await assertRefused('{"log.connection.close":"perhaps"}')
  })

  it('is refused for null, lists and objects as values', async () => {
    await assertRefused('{"session.timeout.ms":null}')
    await assertRefused('{"session.timeout.ms":[]}')
    await assertRefused('{"session.timeout.ms":{}}')
    await assertRefused('{"auto.offset.reset":["earliest"]}')
  })

  it('is refused for sets that cannot go together', async () => {
    await assertRefused('{"session.timeout.ms":10000,"max.poll.interval.ms":9999}')
  })

  it('takes numbers as text and as numbers', async () => {
    await assertTaken('{"session.timeout.ms":"12345"}')
    await assertTaken('{"session.timeout.ms":12345}')
    await assertTaken('{"log.connection.close":false}')
    await assertTaken('{"log.connection.close":"false"}')
  })

  it('takes what is known and means nothing here', async () => {
    await assertTaken('{"socket.keepalive.enable":true,"queued.min.messages":10}')
    await assertTaken('{"go.events.channel.enable":true,"go.anything":1}')
    await assertTaken('{"auto.commit.enable":true,"offset.store.path":"/x"}')
  })

  it('ignores what the gateway decides itself', async () => {
    await assertTaken('{"enable.auto.commit":false}')
    await assertTaken('{"enable.auto.offset.store":true}')
    await assertTaken('{"group.id":"another","client.id":"another"}')
  })

  it('takes its group from the name, whatever it says', async () => {
    const connection = await named(gateway, 'ours:one')
    const key = 'topics:orders:{"group.id":"theirs","auto.offset.reset":"earliest"}'
    assert.equal(await connection.command('BLPOP', key, '5'), shown('orders', 0, 0, 'first'))
    const described = await gateway.client.admin.describeGroups(['ours', 'theirs'])
    assert.deepEqual(
      described.map(({ groupId, members }) => [groupId, members.length]),
      [
        ['ours', 1],
        ['theirs', 0],
      ],
    )
  })

  it('is read up to its end; what follows does not count', async () => {
    for (const rest of ['', ' ', 'x', '}', '{"foo":1}', ':x', '\n']) {
      const id = `rest${++ids}:one`
      const connection = await named(gateway, id)
      assert.equal(
        await connection.command('BLPOP', `topics:orders:${earliest}${rest}`, '5'),
        shown('orders', 0, 0, 'first'),
        JSON.stringify(rest),
      )
    }
  })

  it('may be empty', async () => {
    await assertTaken('')
    await assertTaken('{}')
    await assertTaken('  {}')
  })

  it('is told apart from what cannot be read', async () => {
    for (const json of ['{', '{"a"', '{"a":}', "{'a':1}", 'x', '{"a":1', '"', '{"a":tru}', '{,}'])
      await assertUnreadable(json)
  })

  it('is refused or unreadable when it is no object', async () => {
    for (const json of ['[]', '[1,2]', 'null', '1', '"text"', 'true']) {
      const { reply } = await answer(json)
      assert.match(reply, /^-CONS (Failed to register Consumer|Error parsing configuration from) '/)
    }
  })

  it('cannot be nested without end, or be heavy', async () => {
    const deep = `${'{"a":'.repeat(100_000)}1${'}'.repeat(100_000)}`
    const { reply } = await answer(deep)
    assert.match(
      reply.slice(0, 60),
      /^-CONS (Failed to register Consumer|Error parsing configuration from) '/,
    )
    const heavy = await answer(`{"client.rack":"${'x'.repeat(1_000_000)}"}`)
    assert.ok(heavy.reply === nothingCame || heavy.reply.startsWith('*8'), heavy.reply.slice(0, 80))
  })

  it('has only the text before the semicolon in common with the original', async () => {
    const { reply } = await answer('{"a":\r\n}')
    assert.ok(reply.startsWith('-CONS Error parsing configuration from \'{"a":\\r\\n}\'; '), reply)
    assert.equal(reply.indexOf('\r\n'), reply.length - 2)
  })

  it('is refused for a name without a group', async () => {
    const connection = await named(gateway, ':nobody')
    assert.equal(
      await connection.command('BLPOP', 'topics:orders', '1'),
      "-CONS Failed to register Consumer ':nobody|orders' for Client ':nobody'\r\n",
    )
    assert.equal(await connection.command('CLIENT', 'GETNAME'), bulk(':nobody'))
  })

  it('counts with the first call only', async () => {
    const connection = await named(gateway, 'first:one')
    assert.equal(
      await connection.command('BLPOP', `topics:orders:${earliest}`, '5'),
      shown('orders', 0, 0, 'first'),
    )
    for (const json of [
      '',
      '{"foo":1}',
      '{"session.timeout.ms":null}',
      '{"auto.offset.reset":"x"}',
    ])
      assert.equal(
        await connection.command('BLPOP', `topics:orders:${json}`, '0.01'),
        nothingCame,
        json,
      )
  })

  it('must be readable with every call', async () => {
    const connection = await named(gateway, 'later:one')
    assert.equal(await connection.command('BLPOP', 'topics:orders', '0.01'), nothingCame)
    const reply = await connection.command('BLPOP', 'topics:orders:{', '0.01')
    assert.ok(reply.startsWith("-CONS Error parsing configuration from '{'; "), reply)
    assert.equal(await connection.command('BLPOP', 'topics:orders', '0.01'), nothingCame)
  })

  it('can be corrected on the same connection, for other topics too', async () => {
    const connection = await named(gateway, 'again:one')
    const refused = (topics: string): string =>
      `-CONS Failed to register Consumer 'again:one|${topics}' for Client 'again:one'\r\n`
    assert.equal(await connection.command('BLPOP', 'topics:a:{"foo":1}', '1'), refused('a'))
    assert.equal(await connection.command('BLPOP', 'topics:b:{"foo":1}', '1'), refused('b'))
    assert.equal(
      await connection.command('BLPOP', `topics:orders:${earliest}`, '5'),
      shown('orders', 0, 0, 'first'),
    )
  })

  it('that was refused is explained by CLIENT ERRORS', async () => {
    const connection = await named(gateway, 'why:one')
    await connection.command('BLPOP', 'topics:orders:{"foo":1}', '1')
    const reply = await connection.command('CLIENT', 'ERRORS')
    assert.ok(reply.startsWith('*1\r\n*4\r\n$6\r\norders\r\n$-1\r\n$'), reply)
    assert.ok(reply.includes('No such configuration property: "foo"'), reply)
  })
})

describe("the gateway's own consumer section", () => {
  it('stands under what a call says', async () => {
    await using gateway = await startTestGateway({
      consumer: { 'auto.offset.reset': 'earliest' },
      general: { 'session.timeout.ms': 10_000, 'auto.offset.reset': 'latest' },
    })
    await gateway.createTopic('orders')
    await put(gateway, 'orders', ['first'])
    const section = await named(gateway, 'section:one')
    assert.equal(
      await section.command('BLPOP', 'topics:orders', '5'),
      shown('orders', 0, 0, 'first'),
    )
    const overlaid = await named(gateway, 'overlaid:one')
    assert.equal(
      await overlaid.command('BLPOP', 'topics:orders:{"auto.offset.reset":"latest"}', '0.3'),
      nothingCame,
    )
    // Incompatible with the section, not by itself.
    const short = await named(gateway, 'short:one')
    assert.equal(
      await short.command('BLPOP', 'topics:orders:{"max.poll.interval.ms":9000}', '1'),
      "-CONS Failed to register Consumer 'short:one|orders' for Client 'short:one'\r\n",
    )
  })

  it('is refused at the start where it is wrong', async () => {
    for (const consumer of [
      { 'enable.auto.commit': false },
      { 'enable.auto.offset.store': true },
      { foo: 1 },
      { 'session.timeout.ms': true },
    ])
      await assert.rejects(
        startGateway({ brokers: ['127.0.0.1:1'], port: 0, consumer }),
        (error) => isFailure(error, 'MR_CONFIG_INVALID'),
        JSON.stringify(consumer),
      )
  })

  it('lets reasons be appended to refusals', async () => {
    await using gateway = await startTestGateway({ explainErrors: true })
    const connection = await dial(gateway.gateway.port)
    await connection.command('CLIENT', 'SETNAME', 'g:m')
    assert.equal(
      await connection.command('BLPOP', 'topics:t:{"foo":1}', '1'),
      `-CONS Failed to register Consumer 'g:m|t' for Client 'g:m': No such configuration property: "foo"\r\n`,
    )
    const empty = await named(gateway, ':m')
    assert.match(
      await empty.command('BLPOP', 'topics:t', '1'),
      /^-CONS Failed to register Consumer ':m\|t' for Client ':m': .*group\.id/,
    )
    connection.close()
  })
})
