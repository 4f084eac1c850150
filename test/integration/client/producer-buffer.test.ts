import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { openClient } from '../../../packages/millrace/src/client/index.ts'
import { isFailure } from '../../../packages/millrace/src/errors/index.ts'
import { deferred, manualClock } from '../../../packages/millrace/src/kit/index.ts'
import { events } from '../../../packages/millrace/src/telemetry/index.ts'
import { scriptedBroker, silence } from '../../../packages/millrace/src/testing/index.ts'
import { until } from '../../harness/until.ts'

const topics = { orders: { partitions: 1 } }
const topic = 'orders'
const value = Buffer.alloc(1000, 1)

describe('the buffer of a producer', { timeout: 30_000 }, () => {
  it('holds back sends while it is full, in order, and lets them in as answers come', async () => {
    const gate = deferred()
    await using broker = await scriptedBroker({
      topics,
      on: {
        produce: async (_, { count }) => {
          if (count > 1) await gate.promise
          return undefined
        },
      },
    })
    await using client = openClient({ brokers: [broker.address] })
    const producer = client.producer({ bufferBytes: 10_000 })
    await producer.send({ topic, value: 'warm-up' })
    let isFull = 0
    const stop = events.producerBufferFull.subscribe(() => isFull++)
    const sends = Array.from({ length: 100 }, () => producer.send({ topic, value }))
    await broker.received('produce', 2)
    assert.ok(producer.buffered.bytes <= 10_000, `${producer.buffered.bytes} bytes`)
    assert.equal(producer.buffered.messages, 100)
    assert.ok(isFull > 0)
    gate.resolve()
    const offsets = (await Promise.all(sends)).map(({ offset }) => offset)
    stop()
    assert.deepEqual(
      offsets,
      Array.from({ length: 100 }, (_, index) => index + 1),
    )
    assert.deepEqual(producer.buffered, { messages: 0, bytes: 0 })
  })

  it('rejects sends that have waited for room as long as they may', async () => {
    const clock = manualClock()
    await using broker = await scriptedBroker({ topics, on: { produce: () => silence } })
    const client = openClient({ brokers: [broker.address], clock })
    const producer = client.producer({ bufferBytes: 5000, maxBlockMs: 1000 })
    const codes: string[] = []
    for (let count = 0; count < 8; count++) {
      producer.send({ topic, value }).catch((error: unknown) => {
        codes.push(isFailure(error) ? error.code : String(error))
      })
    }
    await broker.received('produce')
    clock.advance(1000)
    await until('some are rejected', () => codes.length > 0)
    assert.ok(codes.every((code) => code === 'MR_PRODUCER_BUFFER_FULL'))
    assert.equal(codes.length, 4)
    const closing = client.close({ timeoutMs: 10 })
    await clock.advanceAsync(10)
    await closing
    assert.equal(codes.length, 8)
  })

  it('sends what lingers when others wait for its room', async () => {
    await using broker = await scriptedBroker({ topics })
    await using client = openClient({ brokers: [broker.address] })
    const producer = client.producer({ bufferBytes: 3000, lingerMs: 600_000 })
    const sends = Array.from({ length: 9 }, () => producer.send({ topic, value }))
    // The last ones find room, and linger until flush.
    await until('most are sent', () => producer.buffered.messages <= 3)
    await producer.flush()
    await Promise.all(sends)
  })
})

describe('flush', { timeout: 30_000 }, () => {
  it('sends what lingers and waits for what was sent before it, not after', async () => {
    const gate = deferred()
    await using broker = await scriptedBroker({
      topics: { orders: { partitions: 2 } },
      on: {
        produce: async (request) => {
          const index = request.topicData[0]?.partitionData[0]?.index
          if (index === 1) await gate.promise
          return undefined
        },
      },
    })
    await using client = openClient({ brokers: [broker.address] })
    const producer = client.producer({ lingerMs: 600_000 })
    let isSettled = false
    const first = producer.send({ topic, partition: 0, value: 'before' }).then(() => {
      isSettled = true
      return isSettled
    })
    await producer.flush()
    assert.ok(isSettled)
    await first

    const held = producer.send({ topic, partition: 1, value: 'held' })
    await assert.rejects(producer.flush({ timeoutMs: 20 }), (error) =>
      isFailure(error, 'MR_CLIENT_TIMEOUT'),
    )
    gate.resolve()
    await held
    await producer.flush()
  })
})

describe('close', { timeout: 30_000 }, () => {
  it('delivers what was sent, then refuses', async () => {
    await using broker = await scriptedBroker({ topics })
    await using client = openClient({ brokers: [broker.address] })
    const producer = client.producer({ lingerMs: 600_000 })
    const send = producer.send({ topic, value })
    await Promise.all([producer.close(), producer.close()])
    assert.equal((await send).offset, 0)
    await assert.rejects(producer.send({ topic, value }), (error) =>
      isFailure(error, 'MR_PRODUCER_CLOSED'),
    )
  })

  it('rejects what it could not deliver within its bound, and tells how much', async () => {
    const lost: number[] = []
    const stop = events.producerUndelivered.subscribe(({ messages }) => lost.push(messages))
    await using broker = await scriptedBroker({ topics, on: { produce: () => silence } })
    await using client = openClient({ brokers: [broker.address] })
    const producer = client.producer()
    const send = producer.send({ topic, value })
    const rejected = assert.rejects(send, (error) => isFailure(error, 'MR_PRODUCER_CLOSED'))
    await broker.received('produce')
    await producer.close({ timeoutMs: 10 })
    await rejected
    stop()
    assert.deepEqual(lost, [1])
  })

  it('does not wait for a cluster that is not there', async () => {
    const client = openClient({ brokers: ['127.0.0.1:1'] })
    const send = client.producer({ maxBlockMs: 60_000 }).send({ topic, value })
    const rejected = assert.rejects(send)
    await client.close({ timeoutMs: 10 })
    await rejected
  })
})

describe('acks', { timeout: 30_000 }, () => {
  it('0 asks for no answer: offsets are -1', async () => {
    await using broker = await scriptedBroker({ topics })
    await using client = openClient({ brokers: [broker.address] })
    const producer = client.producer({ acks: 0 })
    const { offset } = await producer.send({ topic, value })
    assert.equal(offset, -1)
    assert.equal((await broker.received('produce')).body.acks, 0)
    assert.equal(broker.asked('initProducerId').length, 0)
  })

  it('1 asks the leader alone, without sequence numbers', async () => {
    await using broker = await scriptedBroker({ topics })
    await using client = openClient({ brokers: [broker.address] })
    const { offset } = await client.producer({ acks: 1 }).send({ topic, value })
    assert.equal(offset, 0)
    assert.equal((await broker.received('produce')).body.acks, 1)
    assert.equal(broker.asked('initProducerId').length, 0)
  })
})
