/**
 * Members of one group that subscribe to different topics get partitions of their own topics alone, every partition
 * has an owner, and no single move would make the shares more even.
 */
import assert from 'node:assert/strict'
import { collect, type Collector } from '../../harness/collect.ts'
import { scenario } from '../../harness/scenario.ts'

await scenario(
  { topics: { orders: { partitions: 3 }, users: { partitions: 3 } } },
  async ({ openClient, topic, group, until }) => {
    const orders = topic('orders')
    const users = topic('users')
    const join = (topics: readonly string[]): Collector =>
      collect(openClient(), { groupId: group('billing'), topics, heartbeatIntervalMs: 100 })
    await using both = join([orders, users])
    await until('one member has all six', () => both.held().length === 6)
    await using ofOrders = join([orders])
    await using ofUsers = join([users])
    const members = [both, ofOrders, ofUsers]
    const shares = (): readonly (readonly string[])[] => members.map(({ held }) => held())
    await until(
      'the shares are even',
      () => {
        const [left = [], ...others] = shares()
        return (
          new Set([...left, ...others.flat()]).size === 6 &&
          others.every((share) => share.length > 0 && Math.abs(share.length - left.length) <= 1)
        )
      },
      { lastSeen: shares },
    )
    assert.ok(ofOrders.held().every((one) => one.startsWith(orders)))
    assert.ok(ofUsers.held().every((one) => one.startsWith(users)))
  },
)
