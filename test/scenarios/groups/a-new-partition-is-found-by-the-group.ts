/** A topic grows under a running group: within a minute of the members' clocks somebody reads the new partitions from their start. */
import assert from 'node:assert/strict'
import { systemClock, type Clock } from '../../../packages/millrace/src/kit/index.ts'
import { collect } from '../../harness/collect.ts'
import { scenario } from '../../harness/scenario.ts'

/** Timers of a minute fire after a second and a half. */
const fastClock: Clock = {
  ...systemClock,
  after: (delayMs, fire, options) => systemClock.after(delayMs / 40, fire, options),
}

await scenario(
  { topics: { orders: { partitions: 1 } } },
  async ({ client, openClient, topic, group, send, until }) => {
    const common = { groupId: group('billing'), topics: [topic('orders')] }
    const bounds = { clock: fastClock, requestTimeoutMs: 600_000, apiTimeoutMs: 600_000 }
    await using first = collect(openClient(bounds), common)
    await using second = collect(openClient(bounds), common)
    const held = (): readonly string[] => [...first.held(), ...second.held()]
    await until('one of two holds the only partition', async () => {
      const [described] = await client.admin.describeGroups([common.groupId])
      return described?.members.length === 2 && held().length === 1
    })

    const [grown] = await client.admin.createPartitions([{ name: topic('orders'), count: 4 }])
    assert.equal(grown?.error, undefined)
    await until('it has grown', async () => {
      await client.metadata.refresh([topic('orders')], { reason: 'it has grown' })
      return client.metadata.peek(topic('orders'))?.partitions.length === 4
    })
    await send(
      'orders',
      [1, 2, 3].map((partition) => ({ partition, value: `first of ${partition}` })),
    )
    const read = (): readonly string[] =>
      [...first.messages, ...second.messages].map(({ value }) => String(value)).toSorted()
    await until('all four are held and read', () => held().length === 4 && read().length === 3, {
      lastSeen: () => ({ held: held(), read: read() }),
    })
    assert.deepEqual([first.held().length, second.held().length], [2, 2])
    assert.deepEqual(read(), ['first of 1', 'first of 2', 'first of 3'])
  },
)
