import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { apis } from '../../../packages/millrace/src/protocol/index.ts'
import { startTestBroker } from '../../../packages/millrace/src/testing/index.ts'
import { batchOf, produceTo } from './batches.ts'
import { connectRaw } from './raw-client.ts'

const fetchFrom = (fetchOffset: number, maxWaitMs: number): object => ({
  maxWaitMs,
  minBytes: 1,
  topics: [
    { topic: 'orders', partitions: [{ partition: 0, fetchOffset, partitionMaxBytes: 1_000_000 }] },
  ],
})

describe('one connection', () => {
  it('takes the next produce before the former is written, and answers in order', async () => {
    await using broker = await startTestBroker({ topics: { orders: 1 } })
    await using client = await connectRaw(broker.port)
    const answers = await Promise.all(
      Array.from({ length: 200 }, (_, index) =>
        index % 10 === 9
          ? client.ask(apis.metadata, 5, { topics: [{ name: 'orders' }] })
          : client.ask(apis.produce, 8, produceTo('orders', 0, batchOf([`${index}`]))),
      ),
    )
    assert.deepEqual(
      client.answered,
      Array.from({ length: 200 }, (_, index) => index + 1),
    )
    const offsets = answers.flatMap((answer) =>
      'responses' in answer
        ? answer.responses.map(({ partitionResponses }) => partitionResponses[0]?.baseOffset)
        : [],
    )
    assert.deepEqual(
      offsets,
      Array.from({ length: 180 }, (_, index) => index),
    )
  })

  it('lets nothing overtake a waiting fetch on its connection, and everything on others', async () => {
    await using broker = await startTestBroker({ topics: { orders: 1 } })
    await using client = await connectRaw(broker.port)
    const fetched = client.ask(apis.fetch, 11, fetchFrom(0, 60_000))
    const behind = client.ask(apis.metadata, 5, { topics: [] })
    await using other = await connectRaw(broker.port)
    await other.ask(apis.metadata, 5, { topics: [] })
    assert.deepEqual(client.answered, [])
    await other.ask(apis.produce, 8, produceTo('orders', 0, batchOf(['wake'])))
    const answer = await fetched
    assert.equal(answer.responses[0]?.partitions[0]?.highWatermark, 1)
    await behind
    assert.deepEqual(client.answered, [1, 2])
  })

  it('gives acks 0 no answer and no place in the order', async () => {
    await using broker = await startTestBroker({ topics: { orders: 1 } })
    await using client = await connectRaw(broker.port)
    for (let index = 0; index < 5; index++)
      client.tell(apis.produce, 8, produceTo('orders', 0, batchOf([`${index}`]), 0))
    const answer = await client.ask(apis.produce, 8, produceTo('orders', 0, batchOf(['last'])))
    assert.equal(answer.responses[0]?.partitionResponses[0]?.baseOffset, 5)
    assert.deepEqual(client.answered, [6])
  })

  it('closes the connection on an error under acks 0', async () => {
    await using broker = await startTestBroker({ topics: { orders: 1 } })
    await using client = await connectRaw(broker.port)
    client.tell(apis.produce, 8, produceTo('unknown', 0, batchOf(['x']), 0))
    await client.closed
  })

  it('refuses other acks in place', async () => {
    await using broker = await startTestBroker({ topics: { orders: 1 } })
    await using client = await connectRaw(broker.port)
    const answer = await client.ask(apis.produce, 8, produceTo('orders', 0, batchOf(['x']), 2))
    assert.equal(answer.responses[0]?.partitionResponses[0]?.errorCode, 21)
  })
})
