/**
 * With `order: 'key'` messages of a key wait behind the one that failed, also when the worker is killed meanwhile and another
 * one goes on. Other keys do not wait.
 */
import assert from 'node:assert/strict'
import { defineConsumer, defineTopic } from '../../../packages/millrace/src/app/index.ts'
import { scenarioApp } from '../../harness/app.ts'
import { scenario } from '../../harness/scenario.ts'

const orders = defineTopic<string>('orders')
const parked = 'orders-retry-billing-parked'

await scenario(
  {
    topics: {
      orders: { partitions: 1 },
      'orders-retry-billing-300ms': { partitions: 1 },
      'orders-retry-billing-600ms': { partitions: 1 },
      [parked]: { partitions: 1, configs: { 'cleanup.policy': 'compact' } },
      'orders-dlt': { partitions: 1 },
    },
  },
  async (scene) => {
    const handled: string[] = []
    const failures: string[] = []
    let isBroken = true
    const consumer = defineConsumer({
      topic: orders,
      group: 'billing',
      retryTopics: { delays: ['300ms', '600ms'], order: 'key' },
      deadLetter: true,
      commit: { every: 1 },
      each({ value }) {
        if (value === 'a1' && isBroken) {
          failures.push(value)
          throw new Error('the ledger is closed')
        }
        handled.push(value)
      },
    })
    const { start } = scenarioApp(scene, { consumers: [consumer] })
    const message = (key: string, value: string): { key: string; value: string } => ({
      key,
      value: JSON.stringify(value),
    })
    scene.watch('handled', () => [handled, failures])
    {
      await using first = await start()
      await scene.send('orders', [message('a', 'a1'), message('a', 'a2'), message('b', 'b1')])
      await scene.until('the other key went on', () => handled.includes('b1'))
      await first.kill()
    }
    await using second = await start()
    scene.watch('partitions', () => second.partitions)
    await scene.send('orders', [message('a', 'a3'), message('b', 'b2')])
    await scene.until('the other key goes on', () => handled.includes('b2'))
    await scene.until('it has failed again', () => failures.length >= 2)
    assert.deepEqual(
      handled.filter((value) => value.startsWith('a')),
      [],
      'nothing overtook a1',
    )
    isBroken = false
    await scene.until('all of the key are done', () => handled.includes('a3'))
    const firsts = handled.filter((value, index) => handled.indexOf(value) === index)
    assert.deepEqual(
      firsts.filter((value) => value.startsWith('a')),
      ['a1', 'a2', 'a3'],
    )
    await scene.until('each parked message has its tombstone', async () => {
      const last = new Map<string, boolean>()
      for (const { key, value } of (await scene.log(parked)).records)
        last.set(String(key), value === null)
      return last.size > 0 && [...last.values()].every(Boolean)
    })
  },
)
