/** Where brokers create topics by themselves, ten first messages at once make one topic with the broker's own count of partitions; a bad name is refused. */
import assert from 'node:assert/strict'
import { scenario } from '../../harness/scenario.ts'

await scenario({}, async ({ client, openClient, topic }) => {
  const name = topic('signups')
  const results = await Promise.all(
    Array.from({ length: 10 }, (_, index) =>
      openClient()
        .producer()
        .send({ topic: name, key: 'k', value: `${index}` }),
    ),
  )
  assert.equal(new Set(results.map(({ partition }) => partition)).size, 1)
  assert.deepEqual(
    results.map(({ offset }) => offset).toSorted((left, right) => left - right),
    Array.from({ length: 10 }, (_, index) => index),
  )
  const [made] = await client.admin.describeTopics([name])
  assert.equal(made?.partitions.length, 4)
  await client.admin.deleteTopics([name])

  await assert.rejects(
    client.producer().send({ topic: 'sign ups!', value: 'x' }),
    /INVALID_TOPIC_EXCEPTION/,
  )
})
