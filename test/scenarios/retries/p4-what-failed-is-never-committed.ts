/**
 * Pain list 4. By hand: a handler that nobody awaits fails, its offset is committed all the same, and after a restart the
 * message is gone. Here nothing that failed is committed: it comes again after the restart.
 */
import assert from 'node:assert/strict'
import { defineConsumer, defineTopic } from '../../../packages/millrace/src/app/index.ts'
import { scenarioApp } from '../../harness/app.ts'
import { startNaive } from '../../harness/naive-consumer.ts'
import { scenario } from '../../harness/scenario.ts'

const orders = defineTopic<string>('orders')
const charge = (isDown: boolean): Promise<void> =>
  isDown ? Promise.reject(new Error('the bank is away')) : Promise.resolve()

await scenario({ topics: { orders: { partitions: 1 } } }, async (scene) => {
  await scene.send('orders', [{ value: '"one"' }])
  {
    const seen: string[] = []
    const lost: unknown[] = []
    const run = (isDown: boolean): ReturnType<typeof startNaive> =>
      startNaive(scene, {
        group: 'by-hand',
        topics: ['orders'],
        run: () => ({
          eachMessage({ message }) {
            seen.push(String(message.value))
            void charge(isDown).catch((error: unknown) => lost.push(error))
            return Promise.resolve()
          },
        }),
      })
    {
      await using _ = await run(true)
      await scene.until('it failed', () => lost.length === 1)
    }
    await scene.send('orders', [{ value: '"two"' }])
    await using _ = await run(false)
    await scene.until('the next one comes', () => seen.includes('"two"'))
    assert.deepEqual(seen, ['"one"', '"two"'], 'the one that failed does not')
  }

  let isDown = true
  const charged: string[] = []
  const consumer = defineConsumer({
    topic: orders,
    group: 'billing',
    backoff: '20ms',
    async each({ value }) {
      tries++
      await charge(isDown)
      charged.push(value)
    },
  })
  let tries = 0
  const { start, committed } = scenarioApp(scene, { consumers: [consumer] })
  {
    await using _ = await start()
    await scene.until('it failed over and over', () => tries >= 3)
  }
  assert.ok(((await committed('billing', 'orders')) ?? 0) === 0)
  isDown = false
  await using _ = await start()
  await scene.until('both were charged', () => charged.length === 2)
  assert.deepEqual(charged, ['one', 'two'])
})
