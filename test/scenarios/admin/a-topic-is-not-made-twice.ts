/** Who makes a topic that is there already is told so, and it stays as it was; of five at once, one makes it. */
import assert from 'node:assert/strict'
import { scenario } from '../../harness/scenario.ts'

await scenario(
  { topics: { orders: { partitions: 2 } } },
  async ({ client, openClient, topic, send, log, until }) => {
    await send('orders', [{ partition: 0, value: 'kept' }])
    const [again] = await client.admin.createTopics([{ name: topic('orders'), partitions: 5 }])
    assert.match(String(again?.error), /TOPIC_ALREADY_EXISTS/)
    const [described] = await client.admin.describeTopics([topic('orders')])
    assert.equal(described?.partitions.length, 2)
    assert.equal((await log('orders')).records.length, 1)

    const name = topic('rush')
    const results = await Promise.all(
      Array.from({ length: 5 }, async (_, index) => {
        const [result] = await openClient().admin.createTopics([{ name, partitions: index + 1 }])
        return result
      }),
    )
    const winners = results.filter((result) => result?.error === undefined)
    assert.equal(winners.length, 1)
    assert.ok(
      results.every(
        (result) => winners.includes(result) || /TOPIC_ALREADY_EXISTS/.test(String(result?.error)),
      ),
    )
    await until('it is the topic of the one who made it', async () => {
      const [rush] = await client.admin.describeTopics([name])
      return rush?.partitions.length === winners[0]?.partitions
    })
    await client.admin.deleteTopics([name])
  },
)
