/** A paused partition stays owned and paused while others come and go; other partitions flow; after `resume` nothing is missing. */
import assert from 'node:assert/strict'
import { collect } from '../../harness/collect.ts'
import { scenario } from '../../harness/scenario.ts'

const partitions = [0, 1, 2, 3]

await scenario(
  { topics: { orders: { partitions: 4 } } },
  async ({ openClient, topic, group, send, until }) => {
    const common = {
      groupId: group('billing'),
      topics: [topic('orders')],
      heartbeatIntervalMs: 100,
    }
    const fill = (value: string): Promise<unknown> =>
      send(
        'orders',
        partitions.map((partition) => ({ partition, value })),
      )
    const member = openClient().joinGroup(common)
    await member.ready()
    for (const owned of member.owned) owned.pause()
    await fill('while paused')

    const newcomer = collect(openClient(), common)
    await until('two are left', () => member.owned.length === 2 && newcomer.held().length === 2)
    await until('the newcomer is not paused', () => newcomer.messages.length === 2)
    const kept = member.owned.slice()
    assert.ok(kept.every(({ isPaused }) => isPaused))
    await newcomer.close()
    await until('all are back', () => member.owned.length === 4)
    assert.ok(kept.every(({ isPaused, isOwned }) => isPaused && isOwned))
    const returned = member.owned.filter((owned) => !kept.includes(owned))
    assert.ok(
      returned.every(({ isPaused }) => !isPaused),
      'a new tenure is nobody’s pause',
    )

    await fill('after')
    await Promise.all(returned.map((owned) => owned.available()))
    assert.deepEqual(
      kept.flatMap((owned) => owned.take(10)),
      [],
    )
    for (const owned of kept) {
      owned.resume()
      const taken: string[] = []
      await until('both have come', async () => {
        await owned.available()
        taken.push(...owned.take(10).map(({ value }) => String(value)))
        return taken.length === 2
      })
      assert.deepEqual(taken, ['while paused', 'after'])
    }
    await member.close()
  },
)
