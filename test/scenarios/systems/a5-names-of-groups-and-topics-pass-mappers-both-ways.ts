/**
 * A consumer without a group has one of its own name, Kafka knows it as `<clientId>_<group>`; both that and the names of
 * topics pass mappers, on the way out and on the way in. Settings of a consumer beat its group's, those the app's.
 */
import assert from 'node:assert/strict'
import {
  ApplicationConsumer,
  defineApp,
  defineConsumer,
  defineTopic,
  startWorker,
  type MillraceConfig,
} from '../../../packages/millrace/src/app/index.ts'
import { scenario } from '../../harness/scenario.ts'

const drops = defineTopic('price_drops')
const alerts = defineTopic('alerts')
const seen: string[] = []

class PriceDropsConsumer extends ApplicationConsumer<typeof drops> {
  async consume(): Promise<void> {
    seen.push(`${this.group} ${this.message.topic} ${this.topic.name}`)
    await this.send(alerts, { value: this.message.value })
  }
}

const sizes = new Map<string, number>()
const counting = (name: string, own?: number) =>
  defineConsumer({
    topic: alerts,
    group: name,
    ...(own === undefined ? {} : { maxMessages: own }),
    batch: ({ size }) => void sizes.set(name, Math.max(size, sizes.get(name) ?? 0)),
  })

await scenario({ topics: { price_drops: {}, alerts: {} } }, async (scene) => {
  const clientId = scene.group('shop')
  const committed = async (groupId: string, name: string): Promise<number | undefined> => {
    const all = await scene.client.admin.committedOffsets(groupId)
    return all.find(({ topic }) => topic === scene.topic(name))?.offset
  }
  const config: MillraceConfig = {
    brokers: scene.brokers,
    clientId,
    fetch: { maxWait: '100ms' },
    topicName: scene.topic,
    app: defineApp({ consumers: [defineConsumer({ topic: drops, use: PriceDropsConsumer })] }),
  }
  const quiet = { signals: false, log: false, env: {} } as const
  await scene.send('price_drops', [{ value: '1' }])
  {
    await using worker = await startWorker(config, { ...quiet, include: ['price_drops'] })
    await scene.until('it came', () => seen.length === 1)
    assert.deepEqual(seen, ['price-drops price_drops price_drops'], 'declared names inside')
    assert.equal(worker.partitions[0]?.topic, 'price_drops')
    assert.equal(worker.partitions[0]?.group, 'price-drops')
  }
  assert.equal(await committed(`${clientId}_price-drops`, 'price_drops'), 1)
  assert.equal((await scene.log('alerts')).records.length, 1, 'sent to the name on the wire')

  const own = { ...config, groupId: (id: string, group: string) => `${group}.${id}` }
  {
    await using worker = await startWorker(own, quiet)
    assert.equal(worker.state, 'running')
    await scene.until('a group of another name begins anew', () => seen.length === 2)
  }
  assert.equal(await committed(`price-drops.${clientId}`, 'price_drops'), 1)

  await scene.send(
    'alerts',
    Array.from({ length: 10 }, (_, index) => ({ value: `${index}` })),
  )
  const app = defineApp({
    consumers: [counting('own', 2), counting('grouped'), counting('plain')],
    defaults: { maxMessages: 4 },
    groups: { own: { maxMessages: 3 }, grouped: { maxMessages: 3 } },
  })
  await using worker = await startWorker({ ...own, app }, quiet)
  await scene.until('all have come', () => worker.partitions.every(({ lag }) => lag === 0), {
    lastSeen: () => worker.partitions,
  })
  await scene.until('all were handled', () => sizes.size === 3)
  await worker.stop()
  assert.deepEqual(Object.fromEntries(sizes), { own: 2, grouped: 3, plain: 4 })
})
