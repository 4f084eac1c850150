/** The text beside a committed offset comes back to the next owner and to the administration; one that is too long is refused. */
import assert from 'node:assert/strict'
import { scenario } from '../../harness/scenario.ts'

const metadata = JSON.stringify({ batch: 17, note: 'bis hierher, größer 💙' })

await scenario({ topics: { orders: {} } }, async ({ client, openClient, topic, group, send }) => {
  const groupId = group('billing')
  const topics = [topic('orders')]
  await send(
    'orders',
    Array.from({ length: 10 }, (_, index) => ({ value: `${index}` })),
  )
  {
    await using member = client.joinGroup({ groupId, topics })
    await member.ready()
    const [partition] = member.owned
    assert.ok(partition)
    assert.equal(partition.committed, null)
    assert.deepEqual(await member.commit([{ partition, offset: 7, metadata }]), ['committed'])
    await assert.rejects(
      member.commit([{ partition, offset: 8, metadata: 'x'.repeat(5000) }]),
      /OFFSET_METADATA_TOO_LARGE/,
    )
  }
  const [stored] = await client.admin.committedOffsets(groupId)
  assert.deepEqual([stored?.offset, stored?.metadata], [7, metadata])

  await using next = openClient().joinGroup({ groupId, topics })
  await next.ready()
  const [partition] = next.owned
  assert.deepEqual(partition?.committed, { offset: 7, metadata })
  await partition?.available()
  assert.equal(partition?.take(1)[0]?.offset, 7)
})
