/** `millrace topics delete` and `groups delete` say what would be lost and leave it, until `--yes`. */
import assert from 'node:assert/strict'
import { runCli, type CliResult } from '../../integration/cli/run-cli.ts'
import { scenario } from '../../harness/scenario.ts'

await scenario(
  { topics: { orders: {} } },
  async ({ engine, client, topic, group, send, until }) => {
    const { admin } = client
    const name = topic('orders')
    const groupId = group('billing')
    const run = (...args: readonly string[]): Promise<CliResult> =>
      runCli(args, { env: { KAFKA_URL: engine.address } })
    await send('orders', [{ value: 'a' }, { value: 'b' }])
    await admin.setOffsets(groupId, [{ topic: name, partition: 0, offset: 1 }])

    const [plan, refused, kept] = await Promise.all([
      run('topics', 'delete', name, '--dry-run'),
      run('topics', 'delete', name),
      run('groups', 'delete', groupId),
    ])
    assert.deepEqual([plan.code, plan.stdout], [0, `${name}: 2 messages would be lost\n`])
    assert.equal(refused.code, 2)
    assert.match(refused.stderr, /2 messages[^]*--yes/)
    assert.equal(kept.code, 2)
    assert.match(kept.stderr, /--yes/)
    assert.equal((await admin.describeTopics([name]))[0]?.error, undefined)
    assert.equal((await admin.committedOffsets(groupId))[0]?.offset, 1)

    assert.equal((await run('groups', 'delete', groupId, '--yes')).code, 0)
    assert.deepEqual(await admin.committedOffsets(groupId), [])
    const deleted = await run('topics', 'delete', name, '--yes')
    assert.deepEqual([deleted.code, deleted.stdout], [0, `Deleted ${name}\n`])
    await until('it is gone', async () => {
      return (await admin.describeTopics([name]))[0]?.error?.code === 'MR_TOPIC_UNKNOWN'
    })
  },
)
