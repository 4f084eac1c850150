/**
 * Pain list 1. By hand: a message that fails is tried for ever, and what lies behind it in its partition waits for ever. Here it
 * goes to the dead letter topic after its retries, and the next one is handled.
 */
import assert from 'node:assert/strict'
import { defineConsumer, defineTopic } from '../../../packages/millrace/src/app/index.ts'
import { scenarioApp } from '../../harness/app.ts'
import { startNaive } from '../../harness/naive-consumer.ts'
import { scenario } from '../../harness/scenario.ts'

const orders = defineTopic<string>('orders')

await scenario(
  { topics: { orders: { partitions: 1 }, 'orders-dlt': { partitions: 1 } } },
  async (scene) => {
    await scene.send('orders', [{ value: '"bad"' }, { value: '"good"' }])
    {
      const seen: string[] = []
      scene.watch('by hand', () => seen)
      await using _ = await startNaive(scene, {
        group: 'by-hand',
        topics: ['orders'],
        run: () => ({
          eachMessage({ message }) {
            const value = JSON.parse(String(message.value)) as string
            seen.push(value)
            return value === 'bad' ? Promise.reject(new Error('no')) : Promise.resolve()
          },
        }),
      })
      await scene.until('it was tried over and over', () => seen.length >= 4)
      assert.ok(!seen.includes('good'), 'the one behind it waits')
    }

    const seen: string[] = []
    scene.watch('with millrace', () => seen)
    const consumer = defineConsumer({
      topic: orders,
      group: 'billing',
      retries: 2,
      backoff: '20ms',
      deadLetter: true,
      each({ value }) {
        seen.push(value)
        if (value === 'bad') throw new Error('no')
      },
    })
    const { start } = scenarioApp(scene, { consumers: [consumer] })
    await using _ = await start()
    await scene.until('the one behind it was handled', () => seen.includes('good'))
    assert.deepEqual(seen, ['bad', 'bad', 'bad', 'good'])
    const [letter, ...more] = (await scene.log('orders-dlt')).records
    assert.equal(String(letter?.value), '"bad"')
    assert.deepEqual(more, [])
  },
)
