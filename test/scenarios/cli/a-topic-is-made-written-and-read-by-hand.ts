/** The first five minutes: `topics create`, `write`, `tail`, `topics info`, on whichever broker KAFKA_URL names. */
import assert from 'node:assert/strict'
import { runCli, type CliResult } from '../../integration/cli/run-cli.ts'
import { scenario } from '../../harness/scenario.ts'

await scenario({}, async ({ engine, client, topic }) => {
  const name = topic('orders')
  const run = (args: readonly string[], input?: string): Promise<CliResult> =>
    runCli(args, {
      env: { KAFKA_URL: `kafka://${engine.address}` },
      ...(input === undefined ? {} : { input }),
    })
  const created = await run(['topics', 'create', name, '--partitions', '2', '--retention', '7d'])
  assert.deepEqual([created.code, created.stdout], [0, `Created ${name} with 2 partitions\n`])

  const wrote = await run(['write', name, '--partition', '1'], 'one\ntwo\nthree\n')
  assert.deepEqual([wrote.code, wrote.stdout], [0, `${name} 1 0\n${name} 1 1\n${name} 1 2\n`])
  const [retention] = await client.admin.describeConfigs(
    { topic: name },
    { names: ['retention.ms'] },
  )
  assert.equal(retention?.value, '604800000')

  const [tailed, last, again] = await Promise.all([
    run(['tail', name, '--from', 'start', '--exit']),
    run(['tail', name, '--from', '-1', '--exit', '--format', '%o %s\\n']),
    run(['topics', 'create', name]),
  ])
  assert.deepEqual(
    [tailed.code, tailed.stdout],
    [0, `${name} 1 0 3 one\n${name} 1 1 3 two\n${name} 1 2 5 three\n`],
  )
  assert.equal(last.stdout, '2 three\n')
  assert.equal(again.code, 1)
  assert.match(again.stderr, /TOPIC_ALREADY_EXISTS/)
  await client.admin.deleteTopics([name])
})
