/**
 * Automatic: after kill -9 the group goes on at its commit. By hand: what was not committed comes again, what was
 * does not.
 */
import assert from 'node:assert/strict'
import { collect } from '../../harness/collect.ts'
import { scenario } from '../../harness/scenario.ts'
import { startMember } from '../../harness/start-member.ts'

await scenario(
  { topics: { orders: {} } },
  async ({ brokers, client, topic, group, send, until }) => {
    const topics = [topic('orders')]
    const round = (from: number, to: number): Promise<unknown> =>
      send(
        'orders',
        Array.from({ length: to - from }, (_, index) => ({ value: String(from + index) })),
      )
    const committed = async (groupId: string): Promise<number> =>
      (await client.admin.committedOffsets(groupId))[0]?.offset ?? -1
    await round(0, 100)

    const automatic = group('automatic')
    {
      await using killed = startMember({ brokers, groupId: automatic, topics })
      await until('its commit is stored', async () => (await committed(automatic)) === 100, {
        lastSeen: () => killed.messages.length,
      })
      await killed.kill()
    }
    await round(100, 120)
    {
      await using next = startMember({ brokers, groupId: automatic, topics })
      await until('the next one has the rest', () => next.messages.length >= 20, {
        lastSeen: () => next.messages,
      })
      assert.deepEqual(
        next.messages.map(({ offset }) => offset),
        Array.from({ length: 20 }, (_, index) => 100 + index),
      )
      await next.stop()
    }

    const byHand = group('by-hand')
    const read = async (until_: number): Promise<readonly number[]> => {
      await using collector = collect(client, { groupId: byHand, topics, commits: 'never' })
      await until('all have come', () => collector.messages.at(-1)?.offset === until_, {
        lastSeen: () => collector.messages.length,
      })
      return collector.messages.map(({ offset }) => offset)
    }
    assert.equal((await read(119)).length, 120)
    assert.equal((await read(119))[0], 0, 'nothing was committed, so all come again')
    {
      await using collector = collect(client, { groupId: byHand, topics, commits: 'never' })
      await until('all have come', () => collector.messages.length === 120)
      await collector.commit()
      await round(120, 130)
      await until('ten more have come', () => collector.messages.length === 130)
    }
    assert.deepEqual(
      await read(129),
      Array.from({ length: 10 }, (_, index) => 120 + index),
      'committed ones do not come again, the others do',
    )
  },
)
