/** A 900 KiB JSON message is stored whole; one above the topic's limit is refused whole, and nothing of it is stored. */
import assert from 'node:assert/strict'
import { scenario } from '../../harness/scenario.ts'

const lines = Array.from({ length: 9_000 }, (_, line) => ({ line, text: 'x'.repeat(84) }))
const order = JSON.stringify({ id: 'order-1', lines })

await scenario({ topics: { orders: {} } }, async ({ client, topic, send, log }) => {
  assert.ok(order.length > 900 * 1024)
  await send('orders', [{ key: 'order-1', value: order }])
  const stored = await log('orders')
  assert.equal(stored.records.length, 1)
  assert.deepEqual(JSON.parse(String(stored.records[0]?.value)), { id: 'order-1', lines })

  const careless = client.producer({ maxMessageBytes: 64 * 1024 * 1024 })
  await assert.rejects(careless.send({ topic: topic('orders'), value: order.repeat(3) }), {
    code: 'MR_PRODUCER_MESSAGE_TOO_LARGE',
  })
  assert.equal((await log('orders')).highWatermark, 1)
})
