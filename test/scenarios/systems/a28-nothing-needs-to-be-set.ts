/**
 * "Configuration overwhelms": an application with a client id, on a broker that the environment names, handles its first
 * message; and `millrace config` says of every other setting what it is, what it does and where that comes from.
 */
import assert from 'node:assert/strict'
import { appOptions } from '../../../packages/millrace/src/app/index.ts'
import { scenario } from '../../harness/scenario.ts'
import { runCli, startCli } from '../../integration/cli/run-cli.ts'
import { makeReaderFolder } from '../../integration/docs/reader-folder.ts'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'

await scenario({ topics: { users: {} } }, async (scene) => {
  await using folder = await makeReaderFolder()
  await writeFile(
    join(folder.path, 'millrace.config.ts'),
    `import { defineApp, defineConfig, defineConsumer, defineTopic } from 'millrace'

const users = defineTopic('${scene.topic('users')}')
const welcome = defineConsumer({ topic: users, each: ({ value }) => console.log('welcome', value) })

export default defineConfig({ clientId: 'shop', app: defineApp({ consumers: [welcome] }) })
`,
  )
  const options = { cwd: folder.path, env: { KAFKA_URL: scene.engine.address } }
  {
    await using worker = startCli(['worker'], options)
    scene.watch('the worker', () => worker.stderr)
    await scene.send('users', [{ value: '"ada"' }])
    await scene.until('it is handled', () => worker.stdout.includes('welcome ada'))
    worker.child.kill('SIGTERM')
    assert.equal((await worker.ended).code, 0)
  }

  const { code, stdout } = await runCli(['config', '--json'], options)
  assert.equal(code, 0)
  const rows = JSON.parse(stdout) as readonly {
    readonly option: string
    readonly origin: string
    readonly about: string
  }[]
  const set = rows
    .filter(({ origin }) => origin !== 'default' && origin !== 'unset')
    .map(({ option }) => option)
  assert.deepEqual(set.toSorted(), ['brokers', 'clientId'], 'nothing else was set')
  for (const option of Object.keys(appOptions)) {
    const row = rows.find((one) => one.option === option)
    assert.ok(row !== undefined && row.about.length > 10, `${option} is explained`)
  }
})
