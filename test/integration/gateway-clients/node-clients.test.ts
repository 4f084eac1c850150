import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { Redis } from 'ioredis'
import { createClient } from 'redis'
import { startTestGateway, type TestGateway } from '../../harness/gateway.ts'
import { until } from '../../harness/until.ts'

describe('ioredis', () => {
  let at: TestGateway
  before(async () => {
    at = await startTestGateway()
  })
  after(() => at[Symbol.asyncDispose]())

  const connect = (): Redis => new Redis({ port: at.gateway.port, host: '127.0.0.1' })

  it('is ready, and pipelines in order', async () => {
    await at.createTopic('io-produce')
    const redis = connect()
    const results = await redis
      .pipeline()
      .ping()
      .rpushx('topics:io-produce:k', 'one')
      .rpushx('topics:io-produce:k', 'two')
      .call('DUMP', '5000')
      .exec()
    assert.deepEqual(results, [
      [null, 'PONG'],
      [null, 1],
      [null, 1],
      [null, 0],
    ])
    await redis.quit()
  })

  it('consumes in Rafka’s dialect', async () => {
    await at.createTopic('io-consume')
    const redis = connect()
    await redis.rpushx('topics:io-consume:ada', 'hello')
    await redis.client('SETNAME', 'io:one')
    const place = 'topics:io-consume:{"auto.offset.reset":"earliest"}'
    const message = await redis.call('BLPOP', place, '5')
    assert.equal(
      JSON.stringify(message),
      '["topic","io-consume","partition",0,"offset",0,"value","hello"]',
    )
    assert.equal(await redis.call('RPUSH', 'acks', 'io-consume:0:0'), 1)
    await assert.rejects(redis.call('RPUSH', 'acks', 'io-consume:9:0'), {
      message: 'CONS Local: Unknown partition',
    })
    await redis.quit()
  })

  it('works through a stream as a group', async () => {
    await at.createTopic('io-stream', 2)
    const redis = connect()
    const ids = await Promise.all(
      Array.from({ length: 20 }, (_, n) => redis.xadd('io-stream', '*', 'n', String(n))),
    )
    assert.equal(new Set(ids).size, 20)
    assert.equal(await redis.xlen('io-stream'), 20)
    assert.equal(await redis.xgroup('CREATE', 'io-stream', 'g', '0'), 'OK')
    const seen: string[] = []
    while (seen.length < 20) {
      const answer = (await redis.xreadgroup(
        ...(['GROUP', 'g', 'one', 'COUNT', 7, 'BLOCK', 5000, 'STREAMS', 'io-stream', '>'] as const),
      )) as [string, [string, string[]][]][] | null
      const entries = answer?.[0]?.[1] ?? []
      for (const [, fields] of entries) seen.push(fields[1] ?? '')
      await redis.xack('io-stream', 'g', ...entries.map(([id]) => id))
    }
    assert.deepEqual(
      seen.map(Number).toSorted((left, right) => left - right),
      Array.from({ length: 20 }, (_, n) => n),
    )
    assert.equal((await redis.xpending('io-stream', 'g'))[0], 0)
    await redis.quit()
  })

  it('hears what is published', async () => {
    await at.createTopic('io-news')
    const listener = connect()
    const heard: string[] = []
    listener.on('message', (channel, message) => void heard.push(`${channel} ${message}`))
    await listener.subscribe('io-news')
    const redis = connect()
    await until('a message is heard', async () => {
      await redis.publish('io-news', 'now')
      return heard.length > 0
    })
    assert.equal(heard[0], 'io-news now')
    await Promise.all([listener.quit(), redis.quit()])
  })

  it('hears clean errors for what is not there', async () => {
    const redis = connect()
    await assert.rejects(redis.set('a', 'b'), /^ReplyError: ERR unknown command/)
    await assert.rejects(redis.eval('return 1', 0), /ERR unknown command/)
    assert.equal(await redis.ping(), 'PONG')
    await redis.quit()
  })
})

describe('node-redis', () => {
  let at: TestGateway
  before(async () => {
    at = await startTestGateway()
  })
  after(() => at[Symbol.asyncDispose]())

  for (const RESP of [2, 3] as const) {
    it(`connects, produces and reads a stream over RESP${RESP}`, async () => {
      const topic = `node-${RESP}`
      await at.createTopic(topic)
      const client = createClient({ url: at.gateway.url, RESP })
      await client.connect()
      assert.equal(await client.sendCommand(['RPUSHX', `topics:${topic}`, 'raw']), 1)
      const id = await client.xAdd(topic, '*', { name: 'ada', age: '36' })
      assert.match(id, /^0-\d+$/)
      await client.xGroupCreate(topic, 'readers', '0')
      const seen: unknown[] = []
      await until('both are read', async () => {
        const answer = await client.xReadGroup(
          'readers',
          'one',
          { key: topic, id: '>' },
          { COUNT: 10, BLOCK: 1000 },
        )
        const streams = (answer ?? []) as {
          readonly messages: readonly { readonly id: string; readonly message: object }[]
        }[]
        for (const { messages } of streams)
          for (const { id: entry, message } of messages) {
            seen.push({ ...message })
            await client.xAck(topic, 'readers', entry)
          }
        return seen.length === 2
      })
      const [first, second] = seen as [Record<string, string>, Record<string, string>]
      assert.equal(first['@value'], 'raw')
      assert.match(first['@timestamp'] ?? '', /^\d{13}$/)
      assert.deepEqual(second, { name: 'ada', age: '36' })
      await client.quit()
    })
  }
})
