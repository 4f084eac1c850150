/** `millrace worker` prints versions, client id, boot file, environment, brokers and groups, then runs; `--include group:a` runs only that one. */
import assert from 'node:assert/strict'
import { appFolder } from '../../harness/app-folder.ts'
import { scenario } from '../../harness/scenario.ts'

await scenario({ topics: { left: {}, right: {} } }, async (scene) => {
  await using app = await appFolder(
    scene,
    {
      'millrace.config.ts': `
        import { defineApp, defineConfig, defineConsumer, defineTopic } from SOURCES
        const handler = (name) => ({ value }) => console.log(name, 'handled', value)
        export default defineConfig({
          clientId: 'shop',
          fetch: { maxWait: '50ms' },
          ...UNIQUE,
          app: defineApp({ consumers: [
            defineConsumer({ topic: defineTopic('left'), group: 'a', each: handler('a') }),
            defineConsumer({ topic: defineTopic('right'), group: 'b', each: handler('b') }),
          ] }),
        })`,
    },
    { NODE_ENV: 'staging' },
  )
  const worker = app.start('worker', '--include', 'group:a')
  await scene.until('it runs', () => /Worker \d+ running/.test(worker.stdout), {
    lastSeen: () => worker.stderr,
  })
  const address = scene.brokers[0]?.replaceAll('.', String.raw`\.`)
  for (const line of [
    /^=== millrace \d+\.\d+\.\d+ worker, Node \d+\.\d+\.\d+$/m,
    /^Client id: +shop$/m,
    /^Boot file: +\S+\/millrace\.config\.ts$/m,
    /^Environment: +staging$/m,
    new RegExp(`^Brokers: +${address}$`, 'm'),
    /^Groups: +a \(left\)$/m,
  ])
    assert.match(worker.stderr, line)
  await scene.send('right', [{ value: '1' }])
  await scene.send('left', [{ value: '2' }])
  await scene.until('its own is handled', () => worker.stdout.includes('a handled 2'))
  const ids = (await scene.client.admin.listGroups()).map(({ groupId }) => groupId)
  assert.ok(ids.includes(scene.group('a')))
  assert.ok(!ids.includes(scene.group('b')), 'the other group was not joined')
  assert.ok(!worker.stdout.includes('b handled'))
  worker.child.kill('SIGTERM')
  assert.equal((await worker.ended).code, 0)
})
