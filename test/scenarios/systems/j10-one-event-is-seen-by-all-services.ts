/** Three services that know nothing of each other: one event of the first is seen by all within a tenth of a second. */
import assert from 'node:assert/strict'
import { defineConsumer, defineTopic } from '../../../packages/millrace/src/app/index.ts'
import { scenarioApp } from '../../harness/app.ts'
import { scenario } from '../../harness/scenario.ts'

const orders = defineTopic<{ id: number }>('orders')
const services = ['mail', 'stock', 'statistics'] as const

await scenario({ topics: { orders: { partitions: 3 } } }, async (scene) => {
  const seenAt = new Map<string, number>()
  const latencies: number[] = []
  await using stack = new AsyncDisposableStack()
  const workers = await Promise.all(
    services.map(async (service) => {
      const consumer = defineConsumer({
        topic: orders,
        group: service,
        each: ({ value }) => void seenAt.set(`${service} ${value.id}`, performance.now()),
      })
      const { start } = scenarioApp(scene, { consumers: [consumer] })
      return stack.use(await start())
    }),
  )
  const [shop] = workers
  const isSeen = (id: number): boolean =>
    services.every((service) => seenAt.has(`${service} ${id}`))
  for (let id = 0; id < 20; id++) {
    const sentAt = performance.now()
    await shop?.producer.send(orders, { key: String(id), value: { id } })
    await scene.until('all have seen it', () => isSeen(id), { lastSeen: () => seenAt })
    const slowest = Math.max(...services.map((service) => seenAt.get(`${service} ${id}`) ?? 0))
    latencies.push(slowest - sentAt)
  }
  // A busy machine may delay some; what is usual is what counts.
  const usual = latencies.toSorted((left, right) => left - right)[10] ?? Infinity
  assert.ok(usual < 100, `${usual} ms`)
  assert.equal(seenAt.size, 20 * services.length)
})
