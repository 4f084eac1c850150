/** With `validateOnly` the answer is the one that a change would get, and nothing is changed. */
import assert from 'node:assert/strict'
import { scenario } from '../../harness/scenario.ts'

await scenario({ topics: { orders: { partitions: 2 } } }, async ({ client, topic }) => {
  const { admin } = client
  const check = { validateOnly: true }
  const created = await admin.createTopics(
    [
      { name: topic('new'), partitions: 1 },
      { name: topic('orders'), partitions: 1 },
    ],
    check,
  )
  assert.equal(created[0]?.error, undefined)
  assert.match(String(created[1]?.error), /TOPIC_ALREADY_EXISTS/)
  const name = topic('orders')
  const [more] = await admin.createPartitions([{ name, count: 4 }], check)
  const [fewer] = await admin.createPartitions([{ name, count: 1 }], check)
  assert.equal(more?.error, undefined)
  assert.match(String(fewer?.error), /INVALID_PARTITIONS/)
  const alter = (value: string): ReturnType<typeof admin.alterConfigs> =>
    admin.alterConfigs([{ topic: name, set: { 'retention.ms': value } }], check)
  assert.equal((await alter('5000'))[0]?.error, undefined)
  assert.match(String((await alter('soon'))[0]?.error), /INVALID_CONFIG/)

  const [orders, none] = await admin.describeTopics([name, topic('new')])
  assert.equal(orders?.partitions.length, 2)
  assert.equal(none?.error?.code, 'MR_TOPIC_UNKNOWN')
  const [retention] = await admin.describeConfigs({ topic: name }, { names: ['retention.ms'] })
  assert.equal(retention?.source, 'default')
})
