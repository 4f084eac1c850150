/** Without a key a partition is kept for a batch, not for ever: after a while every one has had its share. */
import assert from 'node:assert/strict'
import { scenario } from '../../harness/scenario.ts'

const partitions = 4
const rounds = 200

await scenario({ topics: { clicks: { partitions } } }, async ({ client, topic }) => {
  const producer = client.producer()
  const counts = Array.from({ length: partitions }, () => 0)
  for (let round = 0; round < rounds; round++) {
    const batch = await producer.sendMany(
      Array.from({ length: 5 }, (_, index) => ({ topic: topic('clicks'), value: `${index}` })),
    )
    const chosen = new Set(batch.map(({ partition }) => partition))
    assert.equal(chosen.size, 1, 'the messages of one batch stay together')
    for (const partition of chosen) counts[partition]! += 1
  }
  // With even chances a partition gets fewer than 20 of 200 once in a hundred million runs.
  assert.ok(Math.min(...counts) >= 20, `batches per partition: ${counts.join(' ')}`)
})
