/**
 * `millrace groups reset --to DATE` shows the plan, changes nothing without `--execute`, refuses while members read,
 * and moves a stopped group to the first message at or after the date.
 */
import assert from 'node:assert/strict'
import { collect } from '../../harness/collect.ts'
import { scenario } from '../../harness/scenario.ts'
import { runCli, type CliResult } from '../../integration/cli/run-cli.ts'

const dayMs = 86_400_000
const firstMs = Math.floor(Date.now() / dayMs) * dayMs - 5 * dayMs

await scenario(
  { topics: { orders: { partitions: 2 } } },
  async ({ engine, client, openClient, topic, group, send, until }) => {
    const groupId = group('billing')
    const to = new Date(firstMs + 2 * dayMs).toISOString()
    const reset = (...more: readonly string[]): Promise<CliResult> =>
      runCli(['groups', 'reset', groupId, '--to', to, ...more], {
        env: { KAFKA_URL: engine.address },
      })
    const committed = async (): Promise<readonly number[]> =>
      (await client.admin.committedOffsets(groupId))
        .toSorted((left, right) => left.partition - right.partition)
        .map(({ offset }) => offset)
    for (const partition of [0, 1]) {
      await send(
        'orders',
        Array.from({ length: 5 }, (_, day) => ({
          partition,
          value: `day ${day}`,
          timestamp: firstMs + day * dayMs - partition,
        })),
      )
    }
    const member = collect(openClient(), { groupId, topics: [topic('orders')] })
    await until('the group has read all', async () => {
      return (await committed()).join() === '5,5'
    })
    const live = await reset('--execute')
    assert.equal(live.code, 1)
    assert.match(live.stderr, /MR_CLI_GROUP_LIVE/)
    await member.close()

    const plan = await reset()
    assert.equal(plan.code, 0, plan.stderr)
    assert.match(plan.stderr, /--execute/)
    assert.deepEqual(await committed(), [5, 5])

    const moved = await reset('--execute')
    assert.equal(moved.code, 0, moved.stderr)
    // In partition 1 each message is a millisecond earlier.
    assert.deepEqual(await committed(), [2, 3])
    await using next = collect(openClient(), { groupId, topics: [topic('orders')] })
    await until('it reads from there', () => next.messages.length === 5)
    assert.deepEqual(
      next.messages.map(({ partition, value }) => `${partition} ${String(value)}`).toSorted(),
      ['0 day 2', '0 day 3', '0 day 4', '1 day 3', '1 day 4'],
    )
  },
)
