/**
 * `kafka_consumers.yml` with names and scales is taken as it is: 0 and absent are off; unknown names, duplicates (`_` and
 * `-` are equal) and negative scales are named all at once, and nothing starts.
 */
import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { appFolder } from '../../harness/app-folder.ts'
import { scenario } from '../../harness/scenario.ts'

await scenario({ topics: { drops: { partitions: 2 } } }, async (scene) => {
  await using app = await appFolder(scene, {
    'millrace.config.ts': `
      import { defineApp, defineConfig, defineConsumer, defineTopic } from SOURCES
      const drops = defineTopic('drops')
      const consumer = (name) => defineConsumer({ topic: drops, name, each() {} })
      export default defineConfig({
        clientId: 'shop',
        ...UNIQUE,
        app: defineApp({ consumers: ['price_drops', 'mail', 'search'].map(consumer) }),
      })`,
  })
  const scale = (text: string): Promise<void> =>
    writeFile(join(app.path, 'kafka_consumers.yml'), text)
  const groups = async (): Promise<readonly string[]> => {
    const names = ['price_drops', 'mail', 'search'].map(scene.group)
    const described = await scene.client.admin.describeGroups(names)
    return described.map(({ members }, index) => `${index} ${members.length}`)
  }

  await scale('price_drop: 1\nmail: -1\nprice-drops: 1\nprice_drops: 2\nsearch: many\n')
  const refused = await app.run('worker', '--scale', 'kafka_consumers.yml')
  assert.equal(refused.code, 1)
  for (const fault of [
    'kafka_consumers.yml:1: there is no consumer price_drop; did you mean price_drops?',
    'kafka_consumers.yml:2: mail has the scale -1',
    'kafka_consumers.yml:4: price_drops stands in line 3 already',
    'kafka_consumers.yml:5: search has the scale many',
  ])
    assert.ok(refused.stderr.includes(fault), refused.stderr)
  assert.deepEqual(await groups(), ['0 0', '1 0', '2 0'])

  await scale('- name: price_drops\n  scale: 2\n- name: mail\n  scale: 0\n')
  const parent = app.start('worker', '--scale', 'kafka_consumers.yml')
  await scene.until('two have joined', async () => (await groups())[0] === '0 2', {
    lastSeen: () => parent.stdout + parent.stderr,
  })
  assert.deepEqual(await groups(), ['0 2', '1 0', '2 0'])
  parent.child.kill('SIGTERM')
  const { code, stdout, stderr } = await parent.ended
  assert.equal(code, 0, stdout + stderr)
})
