/**
 * Static membership (KIP-345): a member with an instance id restarts within its session and has the partitions it
 * had, at its commit; the others see no rebalance.
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
    const fill = (value: string): Promise<unknown> =>
      send(
        'orders',
        [0, 1, 2, 3].map((partition) => ({ partition, value })),
      )
    await using stays = join('worker-1')
    const restarts = join('worker-2')
    const isSettled = (): boolean =>
      [stays, restarts].every(({ member, held }) => {
        return member.state === 'steady' && held().length === 2
      }) && stays.member.generation === restarts.member.generation
    await until('each has two', isSettled)
    await fill('first')
    await until('both have read', () => stays.messages.length + restarts.messages.length === 4)
    const before = { held: restarts.held(), generation: stays.member.generation }
    await restarts.close()

    await fill('while it was away')
    await using back = join('worker-2')
    await until('it has its partitions', () => back.held().length === 2)
    assert.deepEqual(back.held(), before.held)
    await until('it has read what it missed', () => back.messages.length === 2)
    assert.deepEqual(
      back.messages.map(({ value }) => String(value)),
      ['while it was away', 'while it was away'],
    )
    assert.equal(stays.member.generation, before.generation, 'nobody else noticed')
    assert.equal(stays.held().length, 2)
  },
)
