import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { openClient } from '../../../packages/millrace/src/client/index.ts'
import { isFailure } from '../../../packages/millrace/src/errors/index.ts'
import { manualClock } from '../../../packages/millrace/src/kit/index.ts'
import {
  decodeRecords,
  errorCodes,
  readBatchHeader,
} from '../../../packages/millrace/src/protocol/index.ts'
import { events } from '../../../packages/millrace/src/telemetry/index.ts'
import { scriptedBroker, silence } from '../../../packages/millrace/src/testing/index.ts'
import { until } from '../../harness/until.ts'

const topics = { orders: { partitions: 2 } }
const topic = 'orders'

const answer = (index: number, errorCode: number, more = {}) => ({
  responses: [{ name: topic, partitionResponses: [{ index, errorCode, baseOffset: -1, ...more }] }],
})

describe('a message that does not fit', { timeout: 30_000 }, () => {
  it('is refused before it is sent when it is above the limit here', async () => {
    await using broker = await scriptedBroker({ topics })
    await using client = openClient({ brokers: [broker.address] })
    const producer = client.producer({ maxMessageBytes: 1000 })
    await assert.rejects(
      producer.send({ topic, value: 'x'.repeat(1000) }),
      (error) =>
        isFailure(error, 'MR_PRODUCER_MESSAGE_TOO_LARGE') && error.context['limit'] === 1000,
    )
    await producer.send({ topic, value: 'x'.repeat(900) })
    // Few bytes in many UTF-16 units and many bytes in few: only bytes count.
    await producer.send({ topic, value: 'é'.repeat(450) })
    await assert.rejects(producer.send({ topic, value: 'é'.repeat(500) }))
    assert.equal(broker.asked('produce').length, 2)
  })

  it('rejects alone: a batch that is too large is cut until the others fit', async () => {
    const sizes: number[] = []
    const log: string[] = []
    await using broker = await scriptedBroker({
      topics,
      on: {
        produce: (request) => {
          const part = request.topicData[0]?.partitionData[0]
          assert.ok(part?.records)
          const values = decodeRecords(part.records).map(({ value }) => String(value))
          sizes.push(values.length)
          const isTooLarge = part.records.length > 300
          if (isTooLarge) return answer(part.index, errorCodes.MESSAGE_TOO_LARGE)
          const baseOffset = log.length
          log.push(...values)
          return answer(part.index, 0, { baseOffset })
        },
      },
    })
    await using client = openClient({ brokers: [broker.address] })
    const producer = client.producer()
    const values = Array.from({ length: 8 }, (_, at) => `${at}`.repeat(at === 5 ? 400 : 50))
    const fates = await Promise.allSettled(
      values.map((value) => producer.send({ topic, partition: 0, value })),
    )
    assert.deepEqual(
      fates.map(({ status }) => status === 'fulfilled'),
      [true, true, true, true, true, false, true, true],
    )
    assert.deepEqual(
      log,
      values.filter((_, at) => at !== 5),
    )
    const [first] = sizes
    assert.equal(first, 8)
    assert.equal(producer.buffered.bytes, 0)
  })
})

describe('a message the broker refuses for good', { timeout: 30_000 }, () => {
  it('rejects with its own words; its neighbours with the reason that they share a batch', async () => {
    await using broker = await scriptedBroker({
      topics,
      on: {
        produce: (_, { count }) =>
          count > 1
            ? undefined
            : answer(0, errorCodes.INVALID_RECORD, {
                recordErrors: [{ batchIndex: 1, batchIndexErrorMessage: 'one has no key' }],
              }),
      },
    })
    await using client = openClient({ brokers: [broker.address] })
    const producer = client.producer()
    const sends = ['a', 'b'].map((value) => producer.send({ topic, partition: 0, value }))
    const [first, second] = await Promise.allSettled(sends)
    assert.ok(first?.status === 'rejected' && /another message of its batch/.test(first.reason))
    assert.ok(second?.status === 'rejected' && /one has no key/.test(second.reason))
    // The numbers were not used, so the next batch takes them.
    await producer.send({ topic, partition: 0, value: 'c' })
    const sequences = broker
      .asked('produce')
      .map(({ body }) => body.topicData[0]?.partitionData[0]?.records)
      .map((records) => records && readBatchHeader(records).baseSequence)
    assert.deepEqual(sequences, [0, 0])
  })

  it('rejects where the topic may not be written', async () => {
    await using broker = await scriptedBroker({
      topics,
      on: { produce: () => answer(1, errorCodes.TOPIC_AUTHORIZATION_FAILED) },
    })
    await using client = openClient({ brokers: [broker.address] })
    await assert.rejects(
      client.producer().send({ topic, partition: 1, value: 'x' }),
      (error) =>
        isFailure(error, 'MR_KAFKA_ERROR') &&
        error.context['name'] === 'TOPIC_AUTHORIZATION_FAILED' &&
        !error.retriable,
    )
  })
})

describe('a message that cannot be sent', { timeout: 30_000 }, () => {
  it('says what is wrong with it', async () => {
    await using broker = await scriptedBroker({ topics })
    await using client = openClient({ brokers: [broker.address] })
    const producer = client.producer()
    const wrong = [
      [{ topic: '', value: 'x' }, /names no topic/],
      [{ topic, value: undefined }, /value is missing/],
      [{ topic, value: 7 }, /value is of type number/],
      [{ topic, value: 'x', partition: -1 }, /partition is -1/],
      [{ topic, value: 'x', headers: [['a', 5]] }, /headers/],
    ] as const
    for (const [message, expected] of wrong)
      await assert.rejects(producer.send(message as never), expected)
    await assert.rejects(producer.send({ topic, value: 'x', partition: 2 }), (error) =>
      isFailure(error, 'MR_PARTITION_UNKNOWN'),
    )
  })

  it('waits for an unknown topic no longer than the news of one can take', async () => {
    const clock = manualClock()
    await using broker = await scriptedBroker({ topics })
    await using client = openClient({ brokers: [broker.address], clock })
    const send = client.producer().send({ topic: 'typo', value: 'x' })
    let error: unknown
    send.catch((reason: unknown) => (error = reason))
    await until('the send is rejected', async () => {
      await clock.advanceAsync(100)
      return error !== undefined
    })
    assert.ok(isFailure(error, 'MR_TOPIC_UNKNOWN'), String(error))
    const creating = broker.asked('metadata').filter(({ body }) => body.allowAutoTopicCreation)
    assert.ok(creating.length > 0 && creating.every(({ body }) => body.topics?.length === 1))
  })
})

describe('the delivery timeout', { timeout: 30_000 }, () => {
  it('calls the outcome of a sent message unknown, and of an unsent one failed', async () => {
    const clock = manualClock()
    const undelivered: boolean[] = []
    const stop = events.producerFailed.subscribe((event) => undelivered.push(event.isOutcomeKnown))
    await using broker = await scriptedBroker({ topics, on: { produce: () => silence } })
    const client = openClient({ brokers: [broker.address], clock, requestTimeoutMs: 20_000 })
    const producer = client.producer({ deliveryTimeoutMs: 5000 })
    const codes: string[] = []
    const note = (error: unknown): void => void codes.push(isFailure(error) ? error.code : '?')
    producer.send({ topic, partition: 0, value: 'sent' }).catch(note)
    await broker.received('produce')
    producer.send({ topic, partition: 0, value: 'behind it' }).catch(note)
    await until('both are settled', async () => {
      await clock.advanceAsync(500)
      return codes.length === 2
    })
    stop()
    assert.deepEqual(codes, ['MR_PRODUCER_OUTCOME_UNKNOWN', 'MR_PRODUCER_EXPIRED'])
    assert.deepEqual(undelivered, [false, true])
    await client.close()
  })
})
