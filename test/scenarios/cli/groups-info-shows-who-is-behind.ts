/** `millrace groups info`: the lag of each partition, while somebody reads and when nobody does. */
import assert from 'node:assert/strict'
import { runCli } from '../../integration/cli/run-cli.ts'
import { scenario } from '../../harness/scenario.ts'

interface Info {
  readonly state: string
  readonly partitions: readonly {
    readonly partition: number
    readonly committed: number | null
    readonly end: number
    readonly lag: number | null
    readonly member: string
  }[]
}

await scenario(
  { topics: { orders: { partitions: 2 } } },
  async ({ engine, client, topic, group, send }) => {
    const env = { KAFKA_URL: engine.address }
    const groupId = group('billing')
    const info = async (): Promise<Info> => {
      const { code, stdout, stderr } = await runCli(['groups', 'info', groupId, '--json'], { env })
      assert.equal(code, 0, stderr)
      return JSON.parse(stdout) as Info
    }
    await send(
      'orders',
      Array.from({ length: 12 }, (_, index) => ({ partition: index < 10 ? 0 : 1, value: 'x' })),
    )
    await client.admin.setOffsets(groupId, [{ topic: topic('orders'), partition: 0, offset: 3 }])
    const idle = await info()
    assert.equal(idle.state, 'Empty')
    assert.deepEqual(
      idle.partitions.map(({ partition, committed, end, lag }) => [partition, committed, end, lag]),
      [[0, 3, 10, 7]],
    )

    const member = client.joinGroup({ groupId, topics: [topic('orders')] })
    await member.ready()
    await member.commit(member.owned.map((partition) => ({ partition, offset: 2 })))
    const busy = await info()
    assert.equal(busy.state, 'Stable')
    assert.deepEqual(
      busy.partitions.map(({ committed, end, lag, member: id }) => [
        committed,
        end,
        lag,
        id === member.memberId,
      ]),
      [
        [2, 10, 8, true],
        [2, 2, 0, true],
      ],
    )
    await member.close()
    const unknown = await runCli(['groups', 'info', group('nobody')], { env })
    assert.equal(unknown.code, 1)
    assert.match(unknown.stderr, /nobody/)
  },
)
