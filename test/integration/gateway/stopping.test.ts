import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { encode, startTestGateway } from '../../harness/gateway.ts'
import { until } from '../../harness/until.ts'

describe('a gateway that stops', { concurrency: 4 }, () => {
  for (const isDurable of [false, true]) {
    const kind = isDurable ? 'durable' : 'plain'
    it(`has in the log what it has answered of ${kind} messages, and nothing twice`, async () => {
      await using gateway = await startTestGateway({ durable: isDurable })
      await gateway.createTopic('t')
      const clients = await Promise.all(Array.from({ length: 4 }, () => gateway.dial()))
      const chunk = Buffer.concat(
        Array.from({ length: 5000 }, () => encode(['RPUSHX', 'topics:t', 'x'.repeat(100)])),
      )
      for (const client of clients) client.write(chunk)
      await clients[0]!.reply()
      const unflushed = await gateway.gateway.stop()
      assert.equal(unflushed, 0)
      const rests = await Promise.all(clients.map((client) => client.rest()))
      const answered = 1 + rests.join('').split(':1\r\n').length - 1
      assert.equal(rests.join('').replaceAll(':1\r\n', ''), '')
      const [end] = await gateway.client.admin.listOffsets([
        { topic: 't', partition: 0, at: 'latest' },
      ])
      assert.equal(end?.offset, answered)
    })
  }

  it('ends within its time although a command never ends', async () => {
    const hang = { commands: { HANG: () => new Promise<never>(() => undefined) } }
    await using gateway = await startTestGateway({ parts: [hang], shutdownTimeout: '200ms' })
    const client = await gateway.dial()
    client.write('HANG\r\n')
    await until('it blocks', () => gateway.gateway.figures()['blocked_calls'] === 1)
    assert.equal(await gateway.gateway.stop(), 0)
    assert.equal(await client.rest(), '')
  })

  it('ends although a part fails', async () => {
    const fail = (): Promise<void> => Promise.reject(new Error('no'))
    const part = { commands: {}, drain: fail, stop: fail, closed: fail }
    await using gateway = await startTestGateway({ parts: [part] })
    const client = await gateway.dial()
    await client.command('PING')
    assert.equal(await gateway.gateway.stop(), 0)
    assert.equal(await client.rest(), '')
  })
})
