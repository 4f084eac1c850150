import assert from 'node:assert/strict'
import { connect } from 'node:net'
import { describe, it } from 'node:test'
import { openClient, type SendResult } from '../../../packages/millrace/src/client/index.ts'
import {
  ModelPartition,
  refusal,
  type ModelAnswer,
} from '../../../packages/millrace/src/client/producer/model-partition.contract.ts'
import { deferred } from '../../../packages/millrace/src/kit/index.ts'
import {
  apis,
  errorCodes,
  type RequestOf,
  type ResponseInput,
} from '../../../packages/millrace/src/protocol/index.ts'
import { events } from '../../../packages/millrace/src/telemetry/index.ts'
import {
  disconnect,
  scriptedBroker,
  type ScriptedBroker,
} from '../../../packages/millrace/src/testing/index.ts'

type ProduceRequest = RequestOf<typeof apis.produce>
type ProduceAnswer = ResponseInput<typeof apis.produce>

const topic = 'orders'

const recordsOf = (request: ProduceRequest): Buffer => {
  const records = request.topicData[0]?.partitionData[0]?.records
  assert.ok(records)
  return records
}

const answerWith = ({ errorCode, baseOffset }: ModelAnswer): ProduceAnswer => ({
  responses: [{ name: topic, partitionResponses: [{ index: 0, errorCode, baseOffset }] }],
})

/** `NOT_ENOUGH_REPLICAS` comes before anything is written, the other after. */
const before = errorCodes.NOT_ENOUGH_REPLICAS
const after = errorCodes.NOT_ENOUGH_REPLICAS_AFTER_APPEND

interface Run {
  readonly log: readonly string[]
  readonly results: readonly SendResult[]
  readonly broker: ScriptedBroker
}

/**
 * Three batches in flight at once, each met by a code or an appended answer by its index; what follows is answered
 * by the model. The first message makes the partition known to the broker.
 */
async function threeInFlight(
  codes: readonly (number | undefined)[],
  isOld = false,
  dropsAfter = false,
): Promise<Run> {
  const model = new ModelPartition()
  const allArrived = deferred()
  await using broker = await scriptedBroker({
    topics: { [topic]: { partitions: 1 } },
    isOld,
    on: {
      produce: async (request, { count }) => {
        const index = count - 2
        const code = index >= 0 ? codes[index] : undefined
        const answer = code === before ? refusal(code) : model.append(recordsOf(request))
        if (index === 2) allArrived.resolve()
        if (index >= 0 && index <= 2) await allArrived.promise
        if (dropsAfter && index >= 0 && index <= 2) return disconnect
        return answerWith(code === after ? refusal(code) : answer)
      },
    },
  })
  await using client = openClient({ brokers: [broker.address] })
  const producer = client.producer()
  await producer.send({ topic, value: 'warm-up' })
  const sends: Promise<SendResult>[] = []
  for (const [index, value] of ['a', 'b', 'c'].entries()) {
    sends.push(producer.send({ topic, value }))
    await broker.received('produce', index + 2)
  }
  const results = await Promise.all(sends)
  assert.deepEqual(broker.faults, [])
  return { log: model.log, results, broker }
}

const inOrder = ['warm-up', 'a', 'b', 'c']

describe('idempotent batches in flight', { timeout: 60_000 }, () => {
  it('keep their order when any of them, or any two, are refused for now', async () => {
    const patterns: readonly (readonly (number | undefined)[])[] = [
      [before],
      [undefined, before],
      [undefined, undefined, before],
      [before, before],
      [before, undefined, before],
      [undefined, before, before],
      [before, before, before],
      [after],
      [after, before],
      [after, undefined, after],
    ]
    for (const codes of patterns) {
      const { log, results } = await threeInFlight(codes)
      assert.deepEqual(log, inOrder, `codes ${codes.join()}`)
      assert.deepEqual(
        results.map(({ offset }) => offset),
        [1, 2, 3],
      )
    }
  })

  it('keep their order with a broker that speaks no flexible version', async () => {
    const { log } = await threeInFlight([before, undefined, undefined], true)
    assert.deepEqual(log, inOrder)
  })

  it('are there once when the connection ends after they were written', async () => {
    const { log, results } = await threeInFlight([], false, true)
    assert.deepEqual(log, inOrder)
    assert.deepEqual(
      results.map(({ offset }) => offset),
      [1, 2, 3],
    )
  })

  it('are there once when an answer cannot be read', async () => {
    const model = new ModelPartition()
    let isBroken = false
    await using broker = await scriptedBroker({
      topics: { [topic]: { partitions: 1 } },
      on: {
        produce: (request, { count }) => {
          isBroken = count === 2
          return answerWith(model.append(recordsOf(request)))
        },
      },
    })
    await using client = openClient({
      brokers: [broker.address],
      dial: ({ host, port }) =>
        new Promise((resolve) => {
          const socket = connect({ host, port })
          const push = socket.push.bind(socket)
          socket.push = (chunk: Buffer | null) => {
            if (isBroken) chunk?.fill(0x7f, 8)
            isBroken = false
            return push(chunk)
          }
          socket.once('connect', () => {
            resolve(socket)
          })
        }),
    })
    const producer = client.producer()
    for (const value of ['one', 'two', 'three']) await producer.send({ topic, value })
    assert.deepEqual(model.log, ['one', 'two', 'three'])
    assert.equal(broker.asked('produce').length, 4)
  })

  it('keep producer id, epoch and sequence over retries', async () => {
    const raised: unknown[] = []
    const stop = events.producerEpochRaised.subscribe((event) => raised.push(event))
    const { broker } = await threeInFlight([before])
    stop()
    assert.equal(broker.asked('initProducerId').length, 1)
    assert.deepEqual(raised, [])
  })
})

describe('a gap in the sequence', { timeout: 30_000 }, () => {
  it('is closed by a new epoch that starts at 0, told by an event', async () => {
    const model = new ModelPartition()
    const raised: { readonly epoch: number; readonly reason: string }[] = []
    const stop = events.producerEpochRaised.subscribe((event) => raised.push(event))
    await using broker = await scriptedBroker({
      topics: { [topic]: { partitions: 1 } },
      on: {
        produce: (request, { count }) =>
          count === 2
            ? answerWith(refusal(errorCodes.UNKNOWN_PRODUCER_ID))
            : answerWith(model.append(recordsOf(request))),
      },
    })
    await using client = openClient({ brokers: [broker.address] })
    const producer = client.producer()
    for (const value of ['one', 'two', 'three']) await producer.send({ topic, value })
    stop()
    assert.deepEqual(model.log, ['one', 'two', 'three'])
    assert.deepEqual(
      raised.map(({ epoch, reason }) => [epoch, reason]),
      [[1, 'UNKNOWN_PRODUCER_ID']],
    )
    assert.equal(broker.asked('initProducerId').length, 1, 'the raise is local')
  })

  it('after a refused epoch is closed by a fresh producer id', async () => {
    const model = new ModelPartition()
    await using broker = await scriptedBroker({
      topics: { [topic]: { partitions: 1 } },
      on: {
        produce: (request, { count }) =>
          count === 1
            ? answerWith(refusal(errorCodes.INVALID_PRODUCER_EPOCH))
            : answerWith(model.append(recordsOf(request))),
      },
    })
    await using client = openClient({ brokers: [broker.address] })
    const producer = client.producer()
    await Promise.all(['one', 'two'].map((value) => producer.send({ topic, value })))
    assert.deepEqual(model.log, ['one', 'two'])
    assert.equal(broker.asked('initProducerId').length, 2)
  })
})
