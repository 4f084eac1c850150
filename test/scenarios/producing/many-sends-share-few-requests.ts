/** A thousand sends of one loop turn do not cost a thousand requests. */
import assert from 'node:assert/strict'
import { scenario } from '../../harness/scenario.ts'
import { watchRequests } from '../../harness/watch-requests.ts'

await scenario({ topics: { orders: { partitions: 3 } } }, async ({ openClient, topic, log }) => {
  const requests = watchRequests()
  const producer = openClient({ dial: requests.dial }).producer()
  const results = await Promise.all(
    Array.from({ length: 1000 }, (_, index) =>
      producer.send({ topic: topic('orders'), key: `user ${index % 50}`, value: `${index}` }),
    ),
  )
  assert.equal(results.length, 1000)
  const count = requests.sent('Produce')
  assert.ok(count > 0 && count <= 10, `${count} requests`)
  const logs = await Promise.all([0, 1, 2].map((partition) => log('orders', partition)))
  assert.equal(logs.flatMap(({ records }) => records).length, 1000)
})
