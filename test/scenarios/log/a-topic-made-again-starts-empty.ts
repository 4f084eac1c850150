/** A topic that was deleted and created again has another id, no messages, and offsets from 0. */
import assert from 'node:assert/strict'
import { scenario } from '../../harness/scenario.ts'

await scenario({ topics: { orders: {} } }, async ({ client, topic, send, log, until }) => {
  const name = topic('orders')
  await send('orders', [{ value: 'of the first life' }])
  const before = (await client.admin.describeTopics([name]))[0]
  const [deleted] = await client.admin.deleteTopics([name])
  assert.equal(deleted?.error, undefined)
  await until('the topic is gone', async () => {
    const [found] = await client.admin.describeTopics([name])
    return found?.error?.code === 'MR_TOPIC_UNKNOWN'
  })

  const [created] = await client.admin.createTopics([{ name, partitions: 1 }])
  assert.equal(created?.error, undefined)
  await until('the topic is back', async () => {
    const [found] = await client.admin.describeTopics([name])
    return found?.error === undefined && found?.id !== before?.id
  })
  const [result] = await send('orders', [{ value: 'of the second' }])
  assert.equal(result?.offset, 0)
  const { records } = await log('orders')
  assert.deepEqual(
    records.map(({ value }) => String(value)),
    ['of the second'],
  )
})
