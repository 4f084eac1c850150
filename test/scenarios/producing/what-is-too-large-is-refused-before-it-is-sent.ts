/** A message above the producer's limit costs no request; the error names its size and the limit. */
import assert from 'node:assert/strict'
import { isFailure } from '../../../packages/millrace/src/errors/index.ts'
import { scenario } from '../../harness/scenario.ts'
import { watchRequests } from '../../harness/watch-requests.ts'

const maxMessageBytes = 10_000

await scenario({ topics: { orders: {} } }, async ({ openClient, topic, log }) => {
  const requests = watchRequests()
  const producer = openClient({ dial: requests.dial }).producer({ maxMessageBytes })
  await assert.rejects(
    producer.send({ topic: topic('orders'), value: Buffer.alloc(maxMessageBytes) }),
    (error) => {
      assert.ok(isFailure(error, 'MR_PRODUCER_MESSAGE_TOO_LARGE'))
      assert.match(error.message, /10000/)
      assert.ok(error.message.includes(topic('orders')))
      return true
    },
  )
  assert.equal(requests.sent('Produce'), 0)
  await producer.send({ topic: topic('orders'), value: Buffer.alloc(maxMessageBytes - 200) })
  assert.deepEqual(
    (await log('orders')).records.map(({ value }) => value?.length),
    [maxMessageBytes - 200],
  )
})
