/**
 * An empty key is a key: its messages stay together. An empty value is a value, and a tombstone (null) stays null,
 * on both the way in and the way out.
 */
import assert from 'node:assert/strict'
import { scenario } from '../../harness/scenario.ts'

await scenario({ topics: { users: { partitions: 8 } } }, async ({ client, topic, send }) => {
  const results = await send('users', [
    { key: '', value: 'a' },
    { key: Buffer.alloc(0), value: '' },
    { key: '', value: null },
  ])
  const placed = new Set(results.map(({ partition }) => partition))
  assert.equal(placed.size, 1, 'an empty key has one partition')
  for (let round = 0; round < 30; round++) {
    const [again] = await send('users', [{ key: '', value: 'again' }])
    assert.ok(placed.has(again?.partition ?? -1))
  }
  const [partition = -1] = placed
  const [none] = await send('users', [{ key: null, partition, value: null }])

  await using reader = client.reader({ partitions: [{ topic: topic('users'), partition }] })
  const messages = await Array.fromAsync(reader)
  const empty = Buffer.alloc(0)
  assert.deepEqual(
    messages.slice(0, 3).map(({ key, value }) => [key, value]),
    [
      [empty, Buffer.from('a')],
      [empty, empty],
      [empty, null],
    ],
  )
  const last = messages.find(({ offset }) => offset === none?.offset)
  assert.deepEqual([last?.key, last?.value], [null, null])
})
