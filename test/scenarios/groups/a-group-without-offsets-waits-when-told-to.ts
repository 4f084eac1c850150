/** With `start: 'fail'` a partition without a committed offset stands still and says so, instead of guessing; a seek decides, and a commit holds. */
import assert from 'node:assert/strict'
import { collect } from '../../harness/collect.ts'
import { scenario } from '../../harness/scenario.ts'

await scenario({ topics: { orders: {} } }, async ({ client, topic, group, send, until }) => {
  await send(
    'orders',
    Array.from({ length: 10 }, (_, index) => ({ value: `${index}` })),
  )
  const groupId = group('billing')
  const told: string[] = []
  const options = { groupId, topics: [topic('orders')], start: 'fail' } as const
  {
    await using member = client.joinGroup({ ...options, onError: ({ code }) => told.push(code) })
    await member.ready()
    const [partition] = member.owned
    assert.ok(partition)
    await assert.rejects(partition.available(), { code: 'MR_OFFSET_MISSING' })
    assert.deepEqual(told, ['MR_OFFSET_MISSING'])
    assert.deepEqual(partition.take(10), [])

    await partition.seek(4)
    await partition.available()
    assert.equal(partition.take(1)[0]?.offset, 4)
    await member.commit([{ partition, offset: 5 }])
  }
  await using next = collect(client, options)
  await until('the rest came', () => next.messages.length === 5)
  assert.equal(next.messages[0]?.offset, 5)
})
