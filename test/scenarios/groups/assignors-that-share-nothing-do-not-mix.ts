/**
 * A member whose assignors nobody else in the group offers is refused with the reason, and the group does not notice.
 * One that offers both (the first step of a migration) may join.
 */
import assert from 'node:assert/strict'
import { cooperativeSticky, range } from '../../../packages/millrace/src/client/index.ts'
import { collect } from '../../harness/collect.ts'
import { scenario } from '../../harness/scenario.ts'

await scenario(
  { topics: { orders: { partitions: 2 } } },
  async ({ openClient, topic, group, until }) => {
    const common = { groupId: group('mixed'), topics: [topic('orders')], heartbeatIntervalMs: 100 }
    await using first = collect(openClient(), { ...common, assignors: [cooperativeSticky] })
    await first.member.ready()
    const { generation } = first.member

    const fatal: string[] = []
    const stranger = openClient().joinGroup({
      ...common,
      assignors: [range],
      onError: (error, isFatal) => void (isFatal && fatal.push(error.message)),
    })
    await assert.rejects(stranger.ready(), /INCONSISTENT_GROUP_PROTOCOL/)
    assert.match(fatal.join(), /INCONSISTENT_GROUP_PROTOCOL/)
    assert.deepEqual([first.member.generation, first.held().length], [generation, 2])

    await using both = collect(openClient(), { ...common, assignors: [cooperativeSticky, range] })
    await until('each has one', () => first.held().length === 1 && both.held().length === 1)
  },
)
