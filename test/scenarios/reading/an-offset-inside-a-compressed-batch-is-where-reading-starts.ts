/** Brokers give whole batches; a reader that starts inside one gets the asked message first, whatever the codec. */
import assert from 'node:assert/strict'
import { compressionNames } from '../../../packages/millrace/src/protocol/index.ts'
import { scenario } from '../../harness/scenario.ts'

await scenario({ topics: { orders: {} } }, async ({ client, topic, group }) => {
  const place = { topic: topic('orders'), partition: 0 }
  let end = 0
  for (const compression of compressionNames) {
    const results = await client.producer({ compression }).sendMany(
      Array.from({ length: 100 }, (_, index) => ({
        ...place,
        value: `${compression} ${index} `.repeat(10),
      })),
    )
    const first = results[0]?.offset ?? 0
    for (const within of [1, 50, 99]) {
      const read = await Array.fromAsync(
        client.reader({ partitions: [place], from: first + within, to: first + 100 }),
      )
      assert.deepEqual(
        read.map(({ offset }) => offset),
        Array.from({ length: 100 - within }, (_, index) => first + within + index),
        compression,
      )
      assert.ok(String(read[0]?.value).startsWith(`${compression} ${within} `))
    }
    end = first + 100
  }
  // A group that has committed in mid-batch goes on there too.
  const groupId = group('billing')
  await client.admin.setOffsets(groupId, [{ ...place, offset: end - 30 }])
  await using member = client.joinGroup({ groupId, topics: [place.topic] })
  await member.ready()
  const [partition] = member.owned
  await partition?.available()
  assert.equal(partition?.take(1)[0]?.offset, end - 30)
})
