/**
 * A group commits message after message while its broker is killed (-9) twice. What the broker has acknowledged
 * is committed afterwards, and the member goes on without losing or skipping a message.
 */
import assert from 'node:assert/strict'
import { openClient } from '../../../packages/millrace/src/client/index.ts'
import { onlyOurs, startBrokerCommand } from '../../harness/broker-command.ts'
import { scenario } from '../../harness/scenario.ts'
import { createTopics } from '../../harness/topics.ts'

const kills = 2
const perLife = 50

await scenario({ skipOn: onlyOurs }, async ({ until, watch }) => {
  await using broker = await startBrokerCommand()
  await using client = openClient({ brokers: [broker.address], requestTimeoutMs: 5000 })
  await createTopics(client, { orders: {} })
  await client
    .producer()
    .sendMany(
      Array.from({ length: 10_000 }, (_, index) => ({ topic: 'orders', value: `${index}` })),
    )
  const member = client.joinGroup({
    groupId: 'billing',
    topics: ['orders'],
    heartbeatIntervalMs: 100,
  })
  let acknowledged = 0
  const handled: number[] = []
  watch('acknowledged', () => acknowledged)
  const stopping = new AbortController()
  const run = async (): Promise<void> => {
    while (!stopping.signal.aborted) {
      const [partition] = member.owned
      const [message] = partition?.take(1) ?? []
      if (partition === undefined || message === undefined) {
        await new Promise(setImmediate)
        continue
      }
      handled.push(message.offset)
      const [outcome] = await member.commit([{ partition, offset: message.offset + 1 }])
      if (outcome === 'committed') acknowledged = message.offset + 1
    }
  }
  const running = run()
  for (let life = 0; life <= kills; life++) {
    const before = acknowledged
    await until('some more are committed', () => acknowledged >= before + perLife)
    if (life === kills) break
    await broker.kill()
    const promised = acknowledged
    await broker.start()
    const [stored] = await client.admin.committedOffsets('billing')
    assert.ok(
      (stored?.offset ?? -1) >= promised,
      `${stored?.offset} is stored, ${promised} was acknowledged`,
    )
  }
  stopping.abort()
  await running
  const skipped = handled.filter((offset, index) => index > 0 && offset > handled[index - 1]! + 1)
  assert.deepEqual(skipped, [], 'none was skipped')
  assert.equal(handled[0], 0)
  await member.close()
})
