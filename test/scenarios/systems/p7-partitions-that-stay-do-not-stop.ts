/** Assignment is cooperative: a newcomer takes its share, and what stays is neither revoked nor paused, in the middle of a handler too. */
import assert from 'node:assert/strict'
import {
  ApplicationConsumer,
  defineConsumer,
  defineTopic,
} from '../../../packages/millrace/src/app/index.ts'
import { deferred } from '../../../packages/millrace/src/kit/index.ts'
import { scenarioApp } from '../../harness/app.ts'
import { scenario } from '../../harness/scenario.ts'

const orders = defineTopic('orders')
const revoked: number[] = []
const made: number[] = []
const gate = deferred()
const handled: string[] = []

class WorkConsumer extends ApplicationConsumer<typeof orders> {
  override assigned(): void {
    made.push(this.partition)
  }
  override revoked(): void {
    revoked.push(this.partition)
  }
  async consume(): Promise<void> {
    // One that holds its partition over the whole rebalance.
    if (this.message.value === 'long') await gate.promise
    handled.push(`${this.message.partition} ${String(this.message.value)}`)
  }
}

await scenario({ topics: { orders: { partitions: 4 } } }, async (scene) => {
  const consumer = defineConsumer({ topic: orders, group: 'work', use: WorkConsumer })
  const app = scenarioApp(scene, { consumers: [consumer] }, { heartbeat: '200ms' })
  await using first = await app.start()
  await scene.until('it has all', () => first.partitions.length === 4)
  const before = new Set(made)
  await using second = await app.start()
  await scene.until('they share', () => {
    return first.partitions.length === 2 && second.partitions.length === 2
  })
  assert.equal(before.size, 4)
  assert.equal(revoked.length, 2, 'two moved')
  const stayed = first.partitions.map(({ partition }) => partition)
  assert.ok(stayed.every((partition) => !revoked.includes(partition)))
  assert.equal(
    made.filter((partition) => stayed.includes(partition)).length,
    2,
    'and were not made anew',
  )

  // A third comes while a handler of a partition that stays, or goes, takes its time: the others go on.
  const [busy = 0] = stayed
  await scene.send('orders', [{ partition: busy, value: '"long"' }])
  await scene.until('it runs', () => first.partitions.some(({ jobs }) => jobs.length > 0))
  await using third = await app.start()
  const others = [0, 1, 2, 3].filter((partition) => partition !== busy)
  await scene.send(
    'orders',
    others.map((partition) => ({ partition, value: '"short"' })),
  )
  await scene.until('the others go on', () => handled.length === 3, { lastSeen: () => handled })
  gate.resolve()
  await scene.until('the long one ends', () => handled.includes(`${busy} long`))
  await scene.until('all have some', () => third.partitions.length > 0)
  for (const worker of [third, second, first]) assert.equal(await worker.stop(), 0)
})
