/** `app/consumers/price-drops-consumer.ts` is `price_drops` in the scale file, in status, for brokers and in events. */
import assert from 'node:assert/strict'
import { hostname } from 'node:os'
import { appFolder } from '../../harness/app-folder.ts'
import { scenario } from '../../harness/scenario.ts'

await scenario({ topics: { drops: { partitions: 2 } } }, async (scene) => {
  await using app = await appFolder(scene, {
    'app/consumers/price-drops-consumer.ts': `
      import { ApplicationConsumer } from SOURCES
      export class PriceDropsConsumer extends ApplicationConsumer {
        consume() { console.log('handled by', this.consumer) }
      }`,
    'millrace.config.ts': `
      import { defineApp, defineConfig, defineConsumer, defineTopic } from SOURCES
      import { PriceDropsConsumer } from './app/consumers/price-drops-consumer.ts'
      export default defineConfig({
        clientId: 'shop',
        fetch: { maxWait: '50ms' },
        swarm: { reportEvery: '100ms' },
        ...UNIQUE,
        app: defineApp({ consumers: [defineConsumer({ topic: defineTopic('drops'), use: PriceDropsConsumer })] }),
      })`,
    'kafka_consumers.yml': 'price_drops: 1\n',
  })
  const parent = app.start('worker', '--scale', 'kafka_consumers.yml')
  const group = scene.group('price-drops')
  await scene.until(
    'it has joined',
    async () => (await scene.client.admin.describeGroups([group]))[0]?.members.length === 1,
    { lastSeen: () => parent.stdout + parent.stderr },
  )
  const [described] = await scene.client.admin.describeGroups([group])
  assert.equal(described?.members[0]?.clientId, `${hostname()}-price_drops-1`)
  await scene.send('drops', [{ partition: 0, value: '1' }])
  await scene.until('it is handled', () => parent.stdout.includes('handled by price-drops'))
  for (const name of ['price_drops:1', 'price-drops']) {
    const { stdout } = await app.run('status', name)
    assert.match(stdout, /^=== price_drops:1$/m)
    assert.match(stdout, /^price-drops +drops +0 +waiting +1 +0 /m)
  }
  parent.child.kill('SIGTERM')
  assert.equal((await parent.ended).code, 0)
})
