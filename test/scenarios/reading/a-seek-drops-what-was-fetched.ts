/** After a seek, back or forth, the next message is the one asked for: nothing that was buffered or on its way comes first. */
import assert from 'node:assert/strict'
import { scenario } from '../../harness/scenario.ts'

const total = 1000

await scenario({ topics: { orders: {} } }, async ({ client, topic, send }) => {
  const firstMs = Date.now() - total
  await send(
    'orders',
    Array.from({ length: total }, (_, index) => ({
      value: 'x'.repeat(100),
      timestamp: firstMs + index,
    })),
  )
  await using reader = client.reader({
    topics: [topic('orders')],
    to: 'forever',
    // Several answers are needed, so that some are always on their way.
    fetch: { perPartitionBytes: 5000, maxBytes: 5000, maxWaitMs: 50 },
  })
  await reader.ready()
  const [partition] = reader.partitions
  assert.ok(partition)
  for (const target of [
    500,
    3,
    0,
    1,
    750,
    749,
    { timestampMs: firstMs + 321 },
    'earliest',
    999,
  ] as const) {
    await reader.available()
    partition.take(7)
    await partition.seek(target)
    const expected = typeof target === 'number' ? target : target === 'earliest' ? 0 : 321
    assert.equal(partition.position, expected)
    const offsets: number[] = []
    while (offsets.length < Math.min(40, total - expected)) {
      await reader.available()
      offsets.push(...partition.take(10).map(({ offset }) => offset))
    }
    assert.deepEqual(
      offsets,
      Array.from(offsets, (_, index) => expected + index),
    )
  }
})
