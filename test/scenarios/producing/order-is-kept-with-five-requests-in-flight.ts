/**
 * Five requests of one partition are on their way when the connection breaks and every answer is lost. What the
 * client sends again is recognised: each message is there once, in the order of the sends.
 */
import assert from 'node:assert/strict'
import { scenario } from '../../harness/scenario.ts'
import { watchRequests } from '../../harness/watch-requests.ts'

const values = Array.from({ length: 200 }, (_, index) => `order ${index}`)

await scenario({ topics: { orders: {} } }, async ({ openClient, topic, log, until, watch }) => {
  const requests = watchRequests()
  const producer = openClient({ dial: requests.dial }).producer({ batchBytes: 250 })
  await producer.send({ topic: topic('orders'), value: 'first' })
  watch('unanswered', () => requests.unanswered('Produce'))

  for (const round of [0, 1]) {
    requests.hold()
    const sending = Promise.all(
      values
        .slice(round * 100, round * 100 + 100)
        .map((value) => producer.send({ topic: topic('orders'), value })),
    )
    await until('five requests are in flight', () => requests.unanswered('Produce') === 5)
    // Some of them are in the log already, whatever the client believes.
    await until('the log grew', async () => (await log('orders')).records.length > 1 + round * 100)
    requests.cut()
    const results = await sending
    assert.deepEqual(
      results.map(({ offset }) => offset),
      Array.from({ length: 100 }, (_, index) => 1 + round * 100 + index),
    )
  }
  const { records } = await log('orders')
  assert.deepEqual(
    records.map(({ value }) => String(value)),
    ['first', ...values],
  )
})
