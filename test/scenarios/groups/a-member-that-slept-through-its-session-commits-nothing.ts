/**
 * A member is stopped in its tracks, as by a suspended machine, for longer than its session. Another one goes on with
 * its partitions. When it wakes up it may go on reading what it had, but its commits do not count: what the group has
 * committed never goes back.
 */
import assert from 'node:assert/strict'
import { collect } from '../../harness/collect.ts'
import { scenario } from '../../harness/scenario.ts'
import { startMember } from '../../harness/start-member.ts'

await scenario(
  { topics: { orders: {} } },
  async ({ brokers, client, openClient, topic, group, send, until, watch }) => {
    const groupId = group('billing')
    const topics = [topic('orders')]
    const committed = async (): Promise<number> =>
      (await client.admin.committedOffsets(groupId))[0]?.offset ?? -1
    const fill = (count: number): Promise<unknown> =>
      send(
        'orders',
        Array.from({ length: count }, (_, index) => ({ value: `${index}` })),
      )
    await using sleeper = startMember({ brokers, groupId, topics })
    await fill(10)
    await until('it has committed', async () => (await committed()) === 10)
    sleeper.freeze()
    // It has these in its socket when it wakes up.
    await fill(10)

    await using next = collect(openClient(), { groupId, topics, heartbeatIntervalMs: 200 })
    await until('the next one has taken over', () => next.messages.length === 10, {
      lastSeen: () => next.held(),
    })
    await fill(20)
    await until('it has committed more', async () => (await committed()) === 40)

    const seen: number[] = []
    watch('committed', () => seen)
    sleeper.thaw()
    await until('both are members', async () => {
      seen.push(await committed())
      const [described] = await client.admin.describeGroups([groupId])
      return described?.state === 'Stable' && described.members.length === 2
    })
    seen.push(await committed())
    assert.deepEqual(
      seen.filter((offset) => offset < 40),
      [],
      'no commit went back',
    )
    await sleeper.stop()
  },
)
