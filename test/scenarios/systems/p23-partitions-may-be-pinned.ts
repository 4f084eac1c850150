/**
 * A consumer takes the partitions that it was given, joins nothing, and keeps its place: two processes with different
 * partitions share a topic without a rebalance, and a restart goes on where its partition stood.
 */
import assert from 'node:assert/strict'
import { defineConsumer, defineTopic } from '../../../packages/millrace/src/app/index.ts'
import { keptLog, scenarioApp } from '../../harness/app.ts'
import { scenario } from '../../harness/scenario.ts'

const topics = { orders: { partitions: 4 } }

await scenario({ topics }, async (scene) => {
  const seen: string[] = []
  const orders = defineTopic('orders')
  const consumer = (more: object): ReturnType<typeof defineConsumer> =>
    defineConsumer({
      topic: orders,
      group: 'pinned',
      commit: { interval: '20ms' },
      each: ({ partition, value }) => void seen.push(`${partition} ${String(value)}`),
      ...more,
    })
  const app = scenarioApp(scene, { consumers: [consumer({})] })
  scene.watch('handled', () => seen)
  const send = async (value: string): Promise<void> =>
    void (await scene.send(
      'orders',
      [0, 1, 2, 3].map((partition) => ({ partition, value: `"${value}"` })),
    ))
  const { until } = scene

  // Two processes of one consumer, each with its partitions.
  const first = await app.start({ assign: [{ topic: 'orders', partitions: [0, 1] }] })
  const second = await app.start({ assign: [{ topic: 'orders', partitions: [2, 3] }] })
  await send('a')
  await until('each has its own', () => seen.length === 4)
  assert.equal(first.health().isReady, true)
  assert.deepEqual(
    first.partitions.map(({ partition }) => partition),
    [0, 1],
  )
  await until('all is committed', async () => {
    const positions = await Promise.all([0, 3].map((one) => app.committed('pinned', 'orders', one)))
    return positions.every((position) => position === 1)
  })
  const [group] = await scene.client.admin.describeGroups([scene.group('pinned')])
  assert.equal(group?.members.length, 0, 'nobody has joined')

  // One stops: nobody gets its partitions. It starts again where it stood.
  assert.equal(await second.stop(), 0)
  seen.length = 0
  await send('b')
  await until('the first goes on', () => seen.length === 2)
  await using again = await app.start({ assign: [{ topic: 'orders', partitions: [2, 3] }] })
  await until('the second has caught up', () => seen.length === 4)
  assert.deepEqual(seen.toSorted(), ['0 b', '1 b', '2 b', '3 b'])
  assert.equal(await again.stop(), 0)
  assert.equal(await first.stop(), 0)

  // Declared: all partitions, and positions that nobody keeps.
  const everything = scenarioApp(scene, {
    consumers: [consumer({ assign: 'all', positions: 'none' })],
  })
  for (let start = 0; start < 2; start++) {
    seen.length = 0
    await using worker = await everything.start()
    await until('it begins at the earliest', () => seen.length === 8)
    assert.equal(await worker.stop(), 0)
  }

  // A group that is joined refuses the positions of others, and says so.
  const log = keptLog()
  await using joined = await app.start()
  seen.length = 0
  await using pinned = await app.start({
    assign: [{ topic: 'orders', partitions: [0] }],
    log: log.logger,
  })
  await send('c')
  await until('both have it', () => seen.length === 5)
  await pinned.commit()
  await until('it is told', () =>
    log.lines.some(({ level, text }) => level === 'error' && text.includes('it has members')),
  )
  assert.equal(await pinned.stop(), 0)
  assert.equal(await joined.stop(), 0)
})
