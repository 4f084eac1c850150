/**
 * Pain list 2. By hand: a message that does not fit its schema throws each time, for ever. Here it is seen once: without a dead
 * letter topic its partition is blocked and says why, with one the message goes there; other partitions go on.
 */
import assert from 'node:assert/strict'
import { z } from 'zod'
import { defineConsumer, defineTopic, monitor } from '../../../packages/millrace/src/app/index.ts'
import { scenarioApp } from '../../harness/app.ts'
import { startNaive } from '../../harness/naive-consumer.ts'
import { scenario } from '../../harness/scenario.ts'

const schema = z.object({ id: z.number() })
const orders = defineTopic('orders', { value: schema })

await scenario(
  { topics: { orders: { partitions: 2 }, 'orders-dlt': { partitions: 2 } } },
  async (scene) => {
    await scene.send('orders', [
      { partition: 0, value: '{"id":"one"}' },
      { partition: 0, value: '{"id":2}' },
      { partition: 1, value: '{"id":3}' },
    ])
    {
      let tries = 0
      await using _ = await startNaive(scene, {
        group: 'by-hand',
        topics: ['orders'],
        run: () => ({
          eachMessage({ message, partition }) {
            if (partition === 0) tries++
            schema.parse(JSON.parse(String(message.value)))
            return Promise.resolve()
          },
        }),
      })
      await scene.until('it was tried over and over', () => tries >= 4)
    }

    const handled: number[] = []
    const failed: string[] = []
    const unsubscribe = monitor.subscribe({
      onConsumerFailed: ({ consumer, attempt }) => failed.push(`${consumer} ${attempt}`),
    })
    const settings = { topic: orders, backoff: '10ms' } as const
    const each = ({ value }: { readonly value: { readonly id: number } }): void =>
      void handled.push(value.id)
    {
      const blocked = defineConsumer({ ...settings, name: 'blocked', each })
      const { start, committed } = scenarioApp(scene, { consumers: [blocked] })
      await using worker = await start()
      await scene.until('the other partition goes on', () => handled.includes(3))
      await scene.until('its own is blocked', () =>
        worker.partitions.some(({ state }) => state.kind === 'blocked'),
      )
      const state = worker.partitions.find(({ partition }) => partition === 0)?.state
      assert.partialDeepStrictEqual(state, { kind: 'blocked', code: 'MR_APP_SCHEMA_MISMATCH' })
      assert.equal(await committed('blocked', 'orders', 0), undefined)
    }
    const given = defineConsumer({ ...settings, name: 'given', deadLetter: true, each })
    const { start } = scenarioApp(scene, { consumers: [given] })
    await using _ = await start()
    await scene.until('the one behind it was handled', () => handled.includes(2))
    unsubscribe()
    assert.deepEqual(failed, ['blocked 1', 'given 1'], 'each saw it once')
    const [letter] = (await scene.log('orders-dlt', 0)).records
    assert.equal(String(letter?.value), '{"id":"one"}')
    const reason = letter?.headers.find(([name]) => name === 'millrace-reason')?.[1]
    assert.equal(String(reason), 'undecodable')
  },
)
