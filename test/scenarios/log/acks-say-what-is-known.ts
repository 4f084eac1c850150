/** acks 0 gives no offset and the message still arrives; acks 1 and all give it. */
import assert from 'node:assert/strict'
import { scenario } from '../../harness/scenario.ts'

await scenario({ topics: { orders: {} } }, async ({ client, topic, log, until }) => {
  const offsets: number[] = []
  for (const acks of [0, 1, -1] as const) {
    await using producer = client.producer({ acks })
    const { offset } = await producer.send({ topic: topic('orders'), value: `acks ${acks}` })
    offsets.push(offset)
    await until('it is in the log', async () => (await log('orders')).records.length > 0)
  }
  assert.deepEqual(offsets, [-1, 1, 2])
})
