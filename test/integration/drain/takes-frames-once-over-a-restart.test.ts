import assert from 'node:assert/strict'
import { describe, it } from 'node:test'

import { openClient, type Client } from '../../../packages/millrace/src/client/index.ts'
import { startClusterDrain, startLogplex } from '../../../packages/millrace/src/drain/index.ts'
import { startTestBroker } from '../../../packages/millrace/src/testing/index.ts'
import { appFrame, postBody, routerFrame } from './logplex-body.ts'

const body = (lines: number): string =>
  Array.from({ length: lines }, (_, index) =>
    index % 2 === 0 ? routerFrame() : appFrame(`line ${index}`),
  ).join('')

async function countIn(client: Client, topic: string): Promise<number> {
  let count = 0
  for await (const message of client.reader({ topics: [topic] })) {
    assert.equal(message.topic, topic)
    count++
  }
  return count
}

describe('a drain on a cluster', () => {
  it('knows the frames of its predecessor, and makes its own topics', async () => {
    await using broker = await startTestBroker()
    await using client = openClient({ brokers: [broker.address] })
    const posted = body(60)
    const id = 'C'.repeat(32)
    {
      await using drain = await startClusterDrain({ client, port: 0, partitions: 4 })
      await postBody(drain.url, posted, id)
    }
    await using drain = await startClusterDrain({ client, port: 0 })
    await postBody(drain.url, posted, id)
    assert.equal(drain.counts().total.duplicates, 1)
    assert.deepEqual([await countIn(client, 'router'), await countIn(client, 'logs')], [30, 30])
  })

  it('completes a frame of which a crash left some lines, and doubles none', async () => {
    await using broker = await startTestBroker()
    await using client = openClient({ brokers: [broker.address] })
    const posted = body(40)
    const id = 'D'.repeat(32)
    const cut: Client = Object.create(client, {
      producer: {
        value: () => {
          const producer = client.producer()
          let sent = 0
          return {
            send: (message: Parameters<typeof producer.send>[0]) =>
              sent++ % 3 === 0
                ? Promise.reject(new Error('the process died before this one was sent'))
                : producer.send(message),
            close: () => producer.close(),
          }
        },
      },
    }) as Client
    {
      await using drain = await startClusterDrain({ client: cut, port: 0 })
      await assert.rejects(postBody(drain.url, posted, id), /503/)
    }
    await using drain = await startClusterDrain({ client, port: 0 })
    await postBody(drain.url, posted, id)
    assert.deepEqual([await countIn(client, 'router'), await countIn(client, 'logs')], [20, 20])
  })

  it('rides out a broker that comes back within the hold', async () => {
    await using first = await startTestBroker()
    const { port } = first
    await using client = openClient({ brokers: [first.address] })
    await using drain = await startClusterDrain({ client, port: 0, partitions: 1 })
    await postBody(drain.url, body(2))
    await first.stop()
    const posting = postBody(drain.url, body(2))
    await using second = await startTestBroker({ port, topics: { router: 1, logs: 1 } })
    await posting
    assert.equal(second.port, port)
    assert.deepEqual([await countIn(client, 'router'), await countIn(client, 'logs')], [1, 1])
    assert.deepEqual(drain.counts().answers, { '200': 2 })
  })

  it('has every line that the sender’s ledger calls delivered, once', async () => {
    await using broker = await startTestBroker()
    await using client = openClient({ brokers: [broker.address] })
    await using drain = await startClusterDrain({ client, port: 0, partitions: 4 })
    const token = 'd.01234567-89ab-cdef-0123-456789abcdef'
    await using logplex = startLogplex({ url: `${drain.url}logs`, token })
    for (let number = 0; number < 5000; number++) {
      logplex.push({
        number,
        content: Buffer.from(`<190>1 2026-11-24T00:00:00Z host app web.1 - number=${number}\n`),
      })
      if (number % 500 === 0) await logplex.settled()
    }
    await logplex.settled()
    const found: number[] = []
    for await (const { value } of client.reader({ topics: ['logs'] })) {
      const { fields } = JSON.parse(String(value)) as { fields: { number?: string } | null }
      if (fields?.number !== undefined) found.push(Number(fields.number))
    }
    found.sort((left, right) => left - right)
    assert.deepEqual(
      found,
      logplex.ledger.delivered.toSorted((left, right) => left - right),
    )
    assert.equal(found.length + logplex.ledger.dropped.length, 5000)
  })
})
