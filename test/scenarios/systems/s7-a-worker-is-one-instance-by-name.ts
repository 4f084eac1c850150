/**
 * `millrace worker price_drops:1`: brokers see `<host>-price_drops-1`, the process title shows the state; a malformed
 * argument is refused before anything starts; TERM finishes what is in hand, commits, exit 0.
 */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { hostname } from 'node:os'
import { scenarioApp } from '../../harness/app.ts'
import { appFolder } from '../../harness/app-folder.ts'
import { scenario } from '../../harness/scenario.ts'

await scenario({ topics: { drops: {} } }, async (scene) => {
  await using app = await appFolder(scene, {
    'millrace.config.ts': `
      import { defineApp, defineConfig, defineConsumer, defineTopic } from SOURCES
      console.log('application loaded')
      export default defineConfig({
        clientId: 'shop',
        ...UNIQUE,
        app: defineApp({ consumers: [defineConsumer({
          topic: defineTopic('drops'),
          name: 'price-drops',
          commit: { interval: '1h' },
          async each({ offset }) {
            console.log('began', offset)
            await new Promise((resolve) => setTimeout(resolve, 500))
            console.log('finished', offset)
          },
        })] }),
      })`,
  })
  const refused = await app.run('worker', 'price_drops:one:two')
  assert.equal(refused.code, 2)
  assert.match(refused.stderr, /price_drops:one:two is no worker/)
  assert.ok(!refused.stdout.includes('application loaded'))

  const worker = app.start('worker', 'price_drops:1')
  await scene.send('drops', [{ value: '1' }, { value: '2' }])
  await scene.until('a handler runs', () => worker.stdout.includes('began 0'), {
    lastSeen: () => worker.stderr,
  })
  const [group] = await scene.client.admin.describeGroups([scene.group('price-drops')])
  assert.ok(group?.members[0]?.memberId.startsWith(`${hostname()}-price_drops-1-`))
  if (process.platform === 'linux') {
    const title = (): string =>
      execFileSync('ps', ['-o', 'args=', '-p', String(worker.child.pid)])
        .toString()
        .trim()
    assert.equal(title(), 'millrace price_drops:1 [running]')
    worker.child.kill('SIGTERM')
    await scene.until(
      'it says that it stops',
      () => title() === 'millrace price_drops:1 [stopping]',
    )
  } else worker.child.kill('SIGTERM')
  assert.equal((await worker.ended).code, 0)
  assert.ok(worker.stdout.includes('finished 0'))
  assert.ok(!worker.stdout.includes('began 1'))
  assert.equal(await scenarioApp(scene, {}).committed('price-drops', 'drops'), 1)
})
