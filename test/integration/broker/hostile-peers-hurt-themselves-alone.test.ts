import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { apis, encodeRequest } from '../../../packages/millrace/src/protocol/index.ts'
import { startTestBroker } from '../../../packages/millrace/src/testing/index.ts'
import { batchOf, produceTo } from './batches.ts'
import { fuzzBroker } from '../../fuzz/fuzz-broker.ts'
import { connectRaw } from './raw-client.ts'
import { until } from './until.ts'

describe('a hostile peer', () => {
  it('that sends a malformed request loses its own connection', async () => {
    await using broker = await startTestBroker({ topics: { orders: 1 } })
    await using good = await connectRaw(broker.port)
    const metadata = Buffer.concat(
      encodeRequest(apis.metadata, 5, { correlationId: 1, clientId: 'x' }, { topics: [] }),
    )
    const hugeList = Buffer.from(metadata)
    hugeList.writeInt32BE(0x7fffffff, 15)
    const wrong = [
      Buffer.from('GET / HTTP/1.1\r\nhost: localhost\r\n\r\n'),
      Buffer.from([0x16, 0x03, 0x01, 0x02, 0x00, 0x01, 0x00, 0x01, 0xfc]),
      Buffer.from([0xff, 0xff, 0xff, 0xff]),
      Buffer.from([0, 0, 0, 0]),
      Buffer.from([0, 0, 0, 3, 1, 2, 3]),
      hugeList,
    ]
    for (const bytes of wrong) {
      await using client = await connectRaw(broker.port)
      client.write(bytes)
      await client.closed
    }
    await good.ask(apis.metadata, 5, { topics: [] })
  })

  it('that sends one byte at a time is served', async () => {
    await using broker = await startTestBroker({ topics: { orders: 1 } })
    await using client = await connectRaw(broker.port)
    const frame = Buffer.concat(
      encodeRequest(
        apis.produce,
        8,
        { correlationId: 77, clientId: 'slow' },
        produceTo('orders', 0, batchOf(['a', 'b'])),
      ),
    )
    for (const byte of frame) {
      client.write(Buffer.from([byte]))
      await new Promise((resolve) => setImmediate(resolve))
    }
    assert.equal((await client.frame()).readInt32BE(0), 77)
    assert.equal(broker.store.partition('orders', 0)?.highWatermark, 2)
  })

  it('that never reads its answers is no longer read from', async () => {
    await using broker = await startTestBroker({
      topics: { orders: 1 },
      options: { maxUnsentBytes: 100_000 },
    })
    await using client = await connectRaw(broker.port)
    const value = 'x'.repeat(500_000)
    await client.ask(apis.produce, 8, produceTo('orders', 0, batchOf([value])))
    client.socket.pause()
    const fetch = (correlationId: number): Buffer =>
      Buffer.concat(
        encodeRequest(
          apis.fetch,
          11,
          { correlationId, clientId: 'deaf' },
          {
            maxWaitMs: 0,
            topics: [
              {
                topic: 'orders',
                partitions: [{ partition: 0, fetchOffset: 0, partitionMaxBytes: 1_000_000 }],
              },
            ],
          },
        ),
      )
    const count = 2000
    for (let index = 0; index < count; index++) client.write(fetch(1000 + index))
    await using other = await connectRaw(broker.port)
    for (let index = 0; index < 20; index++) await other.ask(apis.metadata, 5, { topics: [] })
    const { arrayBuffers } = process.memoryUsage()
    assert.ok(arrayBuffers < 200_000_000, `${arrayBuffers} bytes, not ${count * 500_000}`)
    client.socket.resume()
    await until('some answers came once it read', () => client.answered.length > 50)
  })

  it('that leaves in the middle of a request or a wait leaves nothing behind', async () => {
    await using broker = await startTestBroker({ topics: { orders: 1 } })
    for (let index = 0; index < 20; index++) {
      await using client = await connectRaw(broker.port)
      if (index % 2 === 0) client.write(Buffer.from([0, 0, 1, 0, 0, 1]))
      else {
        client.tell(apis.fetch, 11, {
          maxWaitMs: 600_000,
          minBytes: 1,
          topics: [{ topic: 'orders', partitions: [{ partition: 0, partitionMaxBytes: 1000 }] }],
        })
      }
    }
    await until('all connections are gone', () => broker.connections === 0)
  })

  it('is closed when nothing moves on it, and a waiting one is not', async () => {
    await using broker = await startTestBroker({
      topics: { orders: 1 },
      options: { connectionIdleMs: 400 },
    })
    await using waiting = await connectRaw(broker.port)
    const fetched = waiting.ask(apis.fetch, 11, {
      maxWaitMs: 60_000,
      minBytes: 1,
      topics: [{ topic: 'orders', partitions: [{ partition: 0, partitionMaxBytes: 1000 }] }],
    })
    await using idle = await connectRaw(broker.port)
    await using half = await connectRaw(broker.port)
    half.write(Buffer.from([0, 0, 0]))
    await Promise.all([idle.closed, half.closed])
    await using producer = await connectRaw(broker.port)
    await producer.ask(apis.produce, 8, produceTo('orders', 0, batchOf(['x'])))
    await fetched
  })

  it('is turned away when there are too many', async () => {
    await using broker = await startTestBroker({ options: { maxConnections: 2 } })
    await using one = await connectRaw(broker.port)
    await using two = await connectRaw(broker.port)
    await Promise.all([one.ask(apis.apiVersions, 0, {}), two.ask(apis.apiVersions, 0, {})])
    await using three = await connectRaw(broker.port)
    await three.closed
    await one.ask(apis.apiVersions, 0, {})
  })

  it('that sends mutated requests of every version brings nothing down', async (t) => {
    const { sent, closed, seed } = await fuzzBroker({ count: 5000 })
    t.diagnostic(`seed ${seed}: ${sent} frames, ${closed} connections closed`)
    assert.equal(sent, 5000)
    assert.ok(closed > 0)
  })
})
