/** A partition that is named is taken, whatever the key says; one that does not exist is refused before sending. */
import assert from 'node:assert/strict'
import { scenario } from '../../harness/scenario.ts'
import { watchRequests } from '../../harness/watch-requests.ts'

const partitions = 3

await scenario({ topics: { orders: { partitions } } }, async ({ openClient, topic, log }) => {
  const requests = watchRequests()
  const producer = openClient({ dial: requests.dial }).producer()
  for (let partition = 0; partition < partitions; partition++) {
    const result = await producer.send({
      topic: topic('orders'),
      partition,
      key: 'one key',
      value: `for ${partition}`,
    })
    assert.equal(result.partition, partition)
    const { records } = await log('orders', partition)
    assert.deepEqual(
      records.map(({ key, value }) => [String(key), String(value)]),
      [['one key', `for ${partition}`]],
    )
  }
  const sent = requests.sent('Produce')
  await assert.rejects(
    producer.send({ topic: topic('orders'), partition: partitions, value: 'nowhere' }),
    { code: 'MR_PARTITION_UNKNOWN', message: /3 partitions/ },
  )
  assert.equal(requests.sent('Produce'), sent)
})
