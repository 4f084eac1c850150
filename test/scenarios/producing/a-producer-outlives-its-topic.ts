/** A topic is deleted and made again under a running producer: what it sends afterwards lies in the new one, from 0, in order. */
import assert from 'node:assert/strict'
import { scenario } from '../../harness/scenario.ts'
import { makeAnew } from '../../harness/topics.ts'

await scenario({ topics: { orders: {} } }, async ({ client, openClient, topic, log }) => {
  const producer = openClient().producer()
  const send = (from: number): Promise<readonly { readonly offset: number }[]> =>
    Promise.all(
      Array.from({ length: 20 }, (_, index) =>
        producer.send({ topic: topic('orders'), value: `${from + index}` }),
      ),
    )
  await send(0)
  await makeAnew(client, topic('orders'), { partitions: 1 })
  const results = await send(100)
  assert.deepEqual(
    results.map(({ offset }) => offset),
    Array.from({ length: 20 }, (_, index) => index),
  )
  await send(120)
  const { records } = await log('orders')
  assert.deepEqual(
    records.map(({ value }) => Number(value)),
    Array.from({ length: 40 }, (_, index) => 100 + index),
  )
})
