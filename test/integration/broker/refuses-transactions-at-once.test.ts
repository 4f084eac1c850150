import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { Kafka, logLevel } from 'kafkajs'
import { apis } from '../../../packages/millrace/src/protocol/index.ts'
import { startTestBroker } from '../../../packages/millrace/src/testing/index.ts'
import { connectRaw } from './raw-client.ts'

describe('a transactional producer', () => {
  it('is told for good that there are no transactions, in words', async () => {
    await using broker = await startTestBroker()
    await using client = await connectRaw(broker.port)
    const many = await client.ask(apis.findCoordinator, 4, { keyType: 1, coordinatorKeys: ['tx'] })
    const [row] = many.coordinators
    assert.deepEqual([row?.key, row?.errorCode, row?.nodeId], ['tx', 35, -1])
    assert.match(row?.errorMessage ?? '', /transactions/)
    const one = await client.ask(apis.findCoordinator, 2, { keyType: 1, key: 'tx' })
    assert.equal(one.errorCode, 35)
    const id = await client.ask(apis.initProducerId, 4, {
      transactionalId: 'tx',
      transactionTimeoutMs: 1000,
    })
    assert.deepEqual([id.errorCode, id.producerId], [35, -1])
  })

  it('of kafkajs fails without trying again', async () => {
    await using broker = await startTestBroker({ topics: { orders: 1 } })
    let retries = 0
    const kafka = new Kafka({
      brokers: [broker.address],
      logLevel: logLevel.ERROR,
      logCreator: () => () => {
        retries++
      },
    })
    const producer = kafka.producer({ transactionalId: 'tx', idempotent: true })
    await producer.connect()
    try {
      await assert.rejects(producer.transaction(), { name: 'KafkaJSGroupCoordinatorNotFound' })
      assert.ok(retries <= 1, `${retries} errors logged`)
    } finally {
      await producer.disconnect()
    }
  })
})
