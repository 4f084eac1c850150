/** Two producers write one partition at once: each one's messages stand in its own order, none twice, none lost. */
import assert from 'node:assert/strict'
import { scenario } from '../../harness/scenario.ts'

const each = 400

await scenario({ topics: { orders: {} } }, async ({ openClient, topic, log }) => {
  const names = ['a', 'b', 'c']
  await Promise.all(
    names.map(async (name) => {
      const producer = openClient({ clientId: name }).producer({ batchBytes: 500 })
      for (let sent = 0; sent < each; sent += 40) {
        await Promise.all(
          Array.from({ length: 40 }, (_, index) =>
            producer.send({ topic: topic('orders'), key: name, value: `${sent + index}` }),
          ),
        )
      }
    }),
  )
  const { records } = await log('orders')
  const order = records.map(({ key }) => String(key))
  for (const name of names) {
    const own = records.filter(({ key }) => String(key) === name)
    assert.deepEqual(
      own.map(({ value }) => Number(value)),
      Array.from({ length: each }, (_, index) => index),
      name,
    )
    // Else nothing would have been shown.
    assert.ok(order.lastIndexOf(name) - order.indexOf(name) >= each, `${name} met the others`)
  }
})
