/**
 * Cooperative groups: a second member gets half. What the first keeps is the same tenure as before, with its position
 * and its buffer; only what moves is revoked. When the second leaves, the first has all again.
 */
import assert from 'node:assert/strict'
import type { OwnedPartition } from '../../../packages/millrace/src/client/index.ts'
import { collect } from '../../harness/collect.ts'
import { scenario } from '../../harness/scenario.ts'

await scenario(
  { topics: { orders: { partitions: 4 } } },
  async ({ client, openClient, topic, group, send, until }) => {
    const groupId = group('billing')
    const topics = [topic('orders')]
    await send(
      'orders',
      [0, 1, 2, 3].map((partition) => ({ partition, value: 'before' })),
    )
    const revoked: number[] = []
    const first = client.joinGroup({
      groupId,
      topics,
      heartbeatIntervalMs: 100,
      onRevoked: (partitions) => void revoked.push(...partitions.map(({ partition }) => partition)),
    })
    await first.ready()
    const before = new Map(first.owned.map((owned) => [owned.partition, owned]))
    assert.equal(before.size, 4)
    await Promise.all(first.owned.map((owned) => owned.available()))

    await using second = collect(openClient(), { groupId, topics, heartbeatIntervalMs: 100 })
    await until('each has two', () => first.owned.length === 2 && second.held().length === 2)
    const isKept = (owned: OwnedPartition): boolean => before.get(owned.partition) === owned
    assert.ok(first.owned.every(isKept), 'the tenures go on')
    assert.ok(
      first.owned.every(({ isOwned, buffered }) => isOwned && buffered === 1),
      'and so does what they had fetched',
    )
    const kept = first.owned.map(({ partition }) => partition)
    assert.deepEqual(
      revoked.toSorted((left, right) => left - right),
      [0, 1, 2, 3].filter((partition) => !kept.includes(partition)),
    )
    for (const partition of revoked) assert.equal(before.get(partition)?.isOwned, false)

    await second.close()
    await until('the first has all again', () => first.owned.length === 4)
    assert.equal(first.owned.filter(isKept).length, 2)
    assert.equal(revoked.length, 2)
    await first.close()
  },
)
