/** Kafka's own 1,000 key vectors, sent by our client and by kafkajs: each lies where the Java client would put it. */
import assert from 'node:assert/strict'
import kafkajs, { logLevel } from 'kafkajs'
import { goldenRows } from '../../conformance/golden-rows.ts'
import { scenario } from '../../harness/scenario.ts'

interface GoldenKey {
  readonly keyHex: string
  readonly partitionOf: { readonly '12': number }
}

const partitions = 12
const vectors = goldenRows('murmur2') as readonly GoldenKey[]
const keys = vectors.map(({ keyHex }) => Buffer.from(keyHex, 'hex'))
const expected = vectors.map(({ partitionOf }) => partitionOf[partitions])

await scenario(
  { topics: { ours: { partitions }, theirs: { partitions } } },
  async ({ send, log, topic, brokers }) => {
    const results = await send(
      'ours',
      keys.map((key, index) => ({ key, value: String(index) })),
    )
    assert.deepEqual(
      results.map(({ partition }) => partition),
      expected,
    )

    const producer = new kafkajs.Kafka({
      clientId: 'k3',
      brokers: [...brokers],
      logLevel: logLevel.NOTHING,
    }).producer({ createPartitioner: kafkajs.Partitioners.DefaultPartitioner })
    await producer.connect()
    await producer.send({
      topic: topic('theirs'),
      messages: keys.map((key, index) => ({ key, value: String(index) })),
    })
    await producer.disconnect()

    const found: number[] = []
    for (let partition = 0; partition < partitions; partition++) {
      for (const { value } of (await log('theirs', partition)).records) {
        found[Number(value)] = partition
      }
    }
    // kafkajs spreads messages whose key is empty; the Java client and ours take it for a key.
    const isEmpty = (index: number): boolean => keys[index]?.length === 0
    assert.deepEqual(
      found.filter((_, index) => !isEmpty(index)),
      expected.filter((_, index) => !isEmpty(index)),
    )
  },
)
