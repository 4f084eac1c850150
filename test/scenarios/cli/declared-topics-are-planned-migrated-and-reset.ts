/**
 * What is declared is compared, made and aligned: once, twice, and twice at once with the same end. More partitions where
 * messages have keys are refused, nothing shrinks, and what is not declared is left alone.
 */
import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { runCli, type CliResult } from '../../integration/cli/run-cli.ts'
import { scenario } from '../../harness/scenario.ts'

const sources = join(import.meta.dirname, '../../../packages/millrace/src/index.ts')

await scenario({ topics: { other: {} } }, async ({ engine, client, topic, send, until, watch }) => {
  const folder = await mkdtemp(join(tmpdir(), 'millrace-declared-'))
  const said: string[] = []
  watch('what the commands said', () => said)
  const run = async (...args: readonly string[]): Promise<CliResult> => {
    const result = await runCli(['topics', ...args], {
      cwd: folder,
      env: { KAFKA_URL: engine.address },
    })
    said.push(`${args.join(' ')}: ${result.code}\n${result.stdout}${result.stderr}`)
    return result
  }
  const declare = (orders: string): Promise<void> =>
    writeFile(
      join(folder, 'millrace.config.ts'),
      `import { defineApp, defineConfig, defineConsumer, defineTopic } from ${JSON.stringify(sources)}
       const orders = defineTopic('orders', ${orders})
       const mails = defineTopic('mails', { partitions: 2, compaction: true })
       export default defineConfig({
         topicName: (name) => name.replace('orders', '${topic('orders')}').replace('mails', '${topic('mails')}'),
         app: defineApp({
           topics: [mails],
           consumers: [defineConsumer({ topic: orders, group: 'billing', deadLetter: true, each() {} })],
         }),
       })`,
    )
  const { admin } = client
  const countOf = async (name: string): Promise<number> =>
    (await admin.describeTopics([topic(name)]))[0]?.partitions.length ?? 0
  const settingOf = async (name: string, setting: string): Promise<string | null | undefined> =>
    (await admin.describeConfigs({ topic: topic(name) })).find((one) => one.name === setting)?.value
  const letters = `${topic('orders')}-dlt`

  try {
    await declare("{ partitions: 2, retention: '7d' }")
    const plan = await run('plan', '--detailed-exit-code')
    assert.equal(plan.code, 2)
    assert.match(
      plan.stdout,
      new RegExp(
        `^\\+ ${topic('orders')}: create with 2 partitions, retention.ms 604800000 \\(7 days\\)$`,
        'm',
      ),
    )
    assert.match(
      plan.stdout,
      new RegExp(`^\\+ ${topic('mails')}: create with 2 partitions, cleanup`, 'm'),
    )
    assert.equal(await countOf('orders'), 0, 'a plan makes nothing')

    // Twice at once, and once more.
    const both = await Promise.all([run('migrate'), run('migrate')])
    assert.deepEqual(
      both.map(({ code }) => code),
      [0, 0],
    )
    await until('they are there', async () => (await countOf('orders')) === 2)
    assert.equal((await admin.describeTopics([letters]))[0]?.partitions.length, 2)
    assert.equal(await settingOf('mails', 'cleanup.policy'), 'compact')
    const again = await run('migrate', '--detailed-exit-code')
    assert.deepEqual([again.code, again.stdout], [0, ''])

    // Settings alone.
    await declare("{ partitions: 4, retention: '1d' }")
    assert.equal((await run('align', '--dry-run', '--detailed-exit-code')).code, 2)
    assert.equal(await settingOf('orders', 'retention.ms'), '604800000')
    assert.equal((await run('align', '--detailed-exit-code')).code, 2)
    assert.equal(await settingOf('orders', 'retention.ms'), '86400000')
    assert.equal(await countOf('orders'), 2)

    // Keys would move: not before it is said so, and then once.
    await send('orders', [{ partition: 0, key: 'a', value: '1' }])
    const refused = await run('migrate')
    assert.equal(refused.code, 1)
    assert.match(refused.stderr, /have keys[^]*--allow-key-move/)
    assert.equal(await countOf('orders'), 2)
    assert.equal((await run('repartition', '--allow-key-move')).code, 0)
    await until('it is wider', async () => (await countOf('orders')) === 4)

    // Fewer is told of, and not done.
    await declare("{ partitions: 3, retention: '1d' }")
    const shrunk = await run('migrate', '--allow-key-move', '--detailed-exit-code')
    assert.equal(shrunk.code, 2)
    assert.match(shrunk.stdout, /! \S+: has 4 partitions, declared are 3; a topic never shrinks/)
    assert.equal(await countOf('orders'), 4)

    const kept = await run('reset', topic('orders'))
    assert.equal(kept.code, 2)
    assert.match(kept.stderr, /with 1 messages cannot be undone[^]*--yes/)
    assert.equal((await run('reset', topic('other'), '--yes')).code, 1, 'it is not declared')
    assert.equal((await run('reset', topic('orders'), '--yes')).code, 0)
    await until('it is new', async () => (await countOf('orders')) === 3)
    const [end] = await admin.listOffsets([{ topic: topic('orders'), partition: 0, at: 'latest' }])
    assert.equal(end?.offset, 0)
    assert.equal(await countOf('other'), 1)
  } finally {
    await rm(folder, { recursive: true })
    await admin.deleteTopics([topic('orders'), topic('mails'), letters])
  }
})
