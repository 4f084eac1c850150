/**
 * A topic gets more partitions; what is there stays where it is, and whoever opens a reader afterwards reads the new ones
 * too, also where the topic was known before. Fewer, or as many, is refused.
 */
import assert from 'node:assert/strict'
import { scenario } from '../../harness/scenario.ts'

await scenario(
  { topics: { orders: { partitions: 2 } } },
  async ({ client, openClient, topic, log, until }) => {
    const name = topic('orders')
    const producer = openClient().producer()
    await producer.sendMany(
      Array.from({ length: 20 }, (_, index) => ({ topic: name, key: `${index}`, value: 'before' })),
    )
    const before = [await log('orders', 0), await log('orders', 1)]

    const { admin } = openClient()
    const [grown] = await admin.createPartitions([{ name, count: 5 }])
    assert.equal(grown?.error, undefined)
    await until('there are five', async () => {
      return (await admin.describeTopics([name]))[0]?.partitions.length === 5
    })
    for (const count of [5, 4, 0]) {
      const [refused] = await admin.createPartitions([{ name, count }])
      assert.match(String(refused?.error), /INVALID_PARTITIONS/, `${count}`)
    }
    assert.deepEqual([await log('orders', 0), await log('orders', 1)], before)

    const newcomer = openClient().producer()
    for (let partition = 2; partition < 5; partition++) {
      const { offset } = await newcomer.send({ topic: name, partition, value: 'after' })
      assert.equal(offset, 0)
    }
    const read = await Array.fromAsync(client.reader({ topics: [name] }))
    assert.equal(read.length, 20 + 3)
  },
)
