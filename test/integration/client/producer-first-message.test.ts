import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { openClient } from '../../../packages/millrace/src/client/index.ts'
import { decodeRecords } from '../../../packages/millrace/src/protocol/index.ts'
import { scriptedBroker } from '../../../packages/millrace/src/testing/index.ts'

describe('a producer', { timeout: 20_000 }, () => {
  it('connects, learns the leader, sends and is acknowledged', async () => {
    await using broker = await scriptedBroker({ topics: { orders: { partitions: 3 } } })
    await using client = openClient({ brokers: [broker.address] })
    const producer = client.producer()
    const headers = [
      ['trace', 'a'],
      ['trace', null],
    ] as const
    const sent = { topic: 'orders', key: 'abc', value: 'hello', headers, timestamp: 1234 }
    const result = await producer.send(sent)
    // murmur2('abc') = 479470107, over three partitions.
    assert.deepEqual(result, { topic: 'orders', partition: 0, offset: 0, timestamp: 1234 })

    const [request] = broker.asked('produce')
    const records = request?.body.topicData[0]?.partitionData[0]?.records
    assert.ok(records)
    const [record] = decodeRecords(records)
    assert.equal(String(record?.key), 'abc')
    assert.equal(String(record?.value), 'hello')
    assert.deepEqual(
      record?.headers.map(([name, value]) => [name, value && String(value)]),
      headers,
    )
    assert.deepEqual(broker.faults, [])
  })

  it('puts the sends of one turn into few requests', async () => {
    await using broker = await scriptedBroker({ topics: { orders: { partitions: 4 } } })
    await using client = openClient({ brokers: [broker.address] })
    const producer = client.producer()
    await producer.send({ topic: 'orders', value: 'first' })
    const sends = Array.from({ length: 1000 }, (_, index) =>
      producer.send({ topic: 'orders', key: `k${index}`, value: `v${index}` }),
    )
    const results = await Promise.all(sends)
    assert.equal(
      new Set(results.map(({ partition, offset }) => `${partition}@${offset}`)).size,
      1000,
    )
    assert.ok(broker.asked('produce').length <= 5, `${broker.asked('produce').length} requests`)
  })

  it('leaves nothing behind that keeps the process alive', async () => {
    await using broker = await scriptedBroker({ topics: { orders: { partitions: 1 } } })
    const client = openClient({ brokers: [broker.address] })
    await client.producer().send({ topic: 'orders', value: 'x' })
    await client.close()
    await broker.until('all connections are closed', () => broker.connections === 0)
  })
})
