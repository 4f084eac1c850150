/** Two instances share four partitions; one is stopped, and the other has all four. */
import assert from 'node:assert/strict'
import { defineConsumer, defineTopic } from '../../../packages/millrace/src/app/index.ts'
import { scenarioApp } from '../../harness/app.ts'
import { scenario } from '../../harness/scenario.ts'

await scenario({ topics: { drops: { partitions: 4 } } }, async (scene) => {
  const drops = defineTopic('drops')
  const seen: number[] = []
  const consumer = defineConsumer({
    topic: drops,
    name: 'price_drops',
    each: ({ partition }) => void seen.push(partition),
  })
  const app = scenarioApp(scene, { consumers: [consumer] }, { heartbeat: '200ms' })
  await using one = await app.start({ name: 'price_drops:1' })
  await using two = await app.start({ name: 'price-drops:2' })
  const share = (): readonly number[] => [one.partitions.length, two.partitions.length]
  await scene.until('they share', () => share().join() === '2,2', { lastSeen: share })
  const [group] = await scene.client.admin.describeGroups([scene.group('price_drops')])
  assert.equal(group?.members.length, 2)
  assert.match(
    group?.members
      .map(({ clientId }) => clientId)
      .toSorted()
      .join() ?? '',
    /-price-drops-2,.*-price_drops-1$/,
  )
  assert.equal(await two.stop(), 0)
  await scene.until('the other has all', () => one.partitions.length === 4)
  await scene.send(
    'drops',
    [0, 1, 2, 3].map((partition) => ({ partition, value: '1' })),
  )
  await scene.until('and handles them', () => new Set(seen).size === 4)
  assert.equal(await one.stop(), 0)
})
