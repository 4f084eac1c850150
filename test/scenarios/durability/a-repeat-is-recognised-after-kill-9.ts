/**
 * A producer's batch is written, the broker is killed (-9) before the answer is believed, and the batch comes again:
 * it is answered with the offset that it has, and is in the log once. The next one is taken, one with a gap is not.
 */
import assert from 'node:assert/strict'
import { openClient } from '../../../packages/millrace/src/client/index.ts'
import {
  apis,
  BatchBuilder,
  errorCodes,
  type ResponseOf,
} from '../../../packages/millrace/src/protocol/index.ts'
import { onlyOurs, startBrokerCommand } from '../../harness/broker-command.ts'
import { readLog } from '../../harness/read-log.ts'
import { scenario } from '../../harness/scenario.ts'
import { createTopics } from '../../harness/topics.ts'

const perBatch = 3
type Answer = ResponseOf<typeof apis.produce>['responses'][number]['partitionResponses'][number]

await scenario({ skipOn: onlyOurs }, async () => {
  await using broker = await startBrokerCommand()
  await using first = openClient({ brokers: [broker.address] })
  await createTopics(first, { orders: {} })
  const connection = await first.connections.connect('any', 'data')
  const { producerId, producerEpoch } = await connection.request(apis.initProducerId, {
    transactionalId: null,
    transactionTimeoutMs: 60_000,
    producerId: -1,
    producerEpoch: -1,
  })

  /** The batch that is the nth of this producer, sent on a fresh connection. */
  const produce = async (nth: number): Promise<Answer | undefined> => {
    await using client = openClient({ brokers: [broker.address] })
    const builder = new BatchBuilder()
    for (let index = 0; index < perBatch; index++)
      builder.append({ key: null, value: `${nth}/${index}`, timestamp: Date.now() })
    const baseSequence = nth * perBatch
    const records = builder.build({ compression: 'none', producerId, producerEpoch, baseSequence })
    const leader = await client.metadata.leader('orders', 0)
    const data = await client.connections.connect(leader, 'data')
    const answer = await data.request(
      apis.produce,
      {
        transactionalId: null,
        acks: -1,
        timeoutMs: 5000,
        topicData: [{ name: 'orders', partitionData: [{ index: 0, records }] }],
      },
      // The last version that names topics.
      { maxVersion: 12 },
    )
    return answer.responses[0]?.partitionResponses[0]
  }
  for (let nth = 0; nth < 7; nth++) assert.equal((await produce(nth))?.baseOffset, nth * perBatch)
  await broker.kill()
  await broker.start()

  // Brokers remember the last five batches of a producer.
  for (const nth of [6, 2]) {
    const repeated = await produce(nth)
    assert.deepEqual([repeated?.errorCode, repeated?.baseOffset], [0, nth * perBatch])
  }
  assert.equal((await produce(9))?.errorCode, errorCodes.OUT_OF_ORDER_SEQUENCE_NUMBER)
  assert.equal((await produce(7))?.baseOffset, 7 * perBatch)
  await using last = openClient({ brokers: [broker.address] })
  const { records } = await readLog(last, 'orders', 0)
  assert.deepEqual(
    records.map(({ value }) => String(value)),
    Array.from(
      { length: 8 * perBatch },
      (_, at) => `${Math.floor(at / perBatch)}/${at % perBatch}`,
    ),
  )
  const { producerId: another } = await (
    await last.connections.connect('any', 'data')
  ).request(apis.initProducerId, {
    transactionalId: null,
    transactionTimeoutMs: 60_000,
    producerId: -1,
    producerEpoch: -1,
  })
  assert.notEqual(another, producerId, 'a producer id is never given twice')
})
