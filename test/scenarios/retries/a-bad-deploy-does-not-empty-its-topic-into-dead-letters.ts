/**
 * Everything fails at once: after as many letters as the storm guard allows, the partition pauses and says so, and what is left
 * waits for somebody. Repaired and resumed, it goes on where it stood; other partitions never stopped.
 */
import assert from 'node:assert/strict'
import { defineConsumer, defineTopic, monitor } from '../../../packages/millrace/src/app/index.ts'
import { scenarioApp } from '../../harness/app.ts'
import { scenario } from '../../harness/scenario.ts'

const orders = defineTopic<number>('orders')
const limit = 20
const count = 300

await scenario(
  { topics: { orders: { partitions: 2 }, 'orders-dlt': { partitions: 2 } } },
  async (scene) => {
    let isBroken = true
    const handled: number[] = []
    const storms: number[] = []
    const unsubscribe = monitor.subscribe({
      onDeadletterStorm: ({ letters }) => storms.push(letters),
    })
    const consumer = defineConsumer({
      topic: orders,
      group: 'billing',
      retries: 0,
      deadLetter: { storm: { limit, per: '1m', pause: '1h' } },
      each({ value, partition }) {
        if (isBroken && partition === 0) throw new TypeError('total is not a function')
        handled.push(value)
      },
    })
    const { start, committed } = scenarioApp(scene, { consumers: [consumer] })
    await using worker = await start()
    await scene.send(
      'orders',
      Array.from({ length: count }, (_, value) => ({ partition: 0, value: String(value) })),
    )
    await scene.until('the guard has closed', () => storms.length === 1)
    await scene.send('orders', [{ partition: 1, value: '1000' }])
    await scene.until('the other partition goes on', () => handled.includes(1000))
    const state = worker.partitions.find(({ partition }) => partition === 0)?.state
    assert.partialDeepStrictEqual(state, { kind: 'paused', reason: 'storm' })
    assert.equal((await scene.log('orders-dlt', 0)).records.length, limit + 1)

    isBroken = false
    worker.resume('orders', 0)
    await scene.until('the rest was handled', () => handled.length === count - limit)
    await worker.commit()
    unsubscribe()
    assert.equal(await committed('billing', 'orders', 0), count)
    assert.deepEqual(storms, [limit + 1])
    assert.equal((await scene.log('orders-dlt', 0)).records.length, limit + 1)
  },
)
