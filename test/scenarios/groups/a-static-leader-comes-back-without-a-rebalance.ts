/**
 * Static membership (KIP-345, KIP-814): also the member that leads its group restarts within its session without a
 * rebalance; it is told that it leads and need not assign.
 */
import assert from 'node:assert/strict'
import { collect, type Collector } from '../../harness/collect.ts'
import { scenario } from '../../harness/scenario.ts'

await scenario(
  { topics: { orders: { partitions: 4 } } },
  async ({ openClient, topic, group, send, until }) => {
    const join = (instanceId: string): Collector =>
      collect(openClient(), {
        groupId: group('billing'),
        topics: [topic('orders')],
        instanceId,
        heartbeatIntervalMs: 100,
      })
    const isSteady = ({ member, held }: Collector, partitions: number): boolean =>
      member.state === 'steady' && held().length === partitions

    const leads = join('leader')
    await until('it leads, alone', () => isSteady(leads, 4) && leads.member.isLeader)
    await using follows = join('follower')
    const isSettled = (): boolean =>
      isSteady(leads, 2) &&
      isSteady(follows, 2) &&
      leads.member.generation === follows.member.generation
    await until('each has two', isSettled)
    const { generation } = follows.member
    const held = leads.held()
    await leads.close()

    await using back = join('leader')
    await until('it leads again', () => isSteady(back, 2) && back.member.isLeader)
    assert.deepEqual(back.held(), held)
    // By the time it reads it knows its topic; learning of it was once taken for a change.
    const values = [0, 1, 2, 3].map((partition) => ({ partition, value: 'there' }))
    await send('orders', values)
    await until('it reads', () => back.messages.length === 2)
    assert.deepEqual(
      [back.member.generation, follows.member.generation],
      [generation, generation],
      'there was no rebalance',
    )
  },
)
