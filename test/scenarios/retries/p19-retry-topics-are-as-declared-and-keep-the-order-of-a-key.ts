/**
 * Pain list 19. By hand: what fails is written to a retry topic and the rest goes on, so a later message of its key is handled
 * first; and each stage makes one more topic out of the name of the last. Here there is one topic for each declared delay,
 * named from source, group and delay, and with `order: 'key'` a key keeps its order.
 */
import assert from 'node:assert/strict'
import { defineConsumer, defineTopic } from '../../../packages/millrace/src/app/index.ts'
import { scenarioApp } from '../../harness/app.ts'
import { startNaive } from '../../harness/naive-consumer.ts'
import { scenario } from '../../harness/scenario.ts'

const orders = defineTopic<string>('orders')
/** All of one key. */
const values = ['created', 'paid', 'shipped']

await scenario(
  {
    topics: {
      orders: { partitions: 1 },
      'orders-retry': { partitions: 1 },
      'orders-retry-retry': { partitions: 1 },
    },
  },
  async (scene) => {
    await scene.send(
      'orders',
      values.map((value) => ({ key: 'order-1', value: JSON.stringify(value) })),
    )
    {
      const handled: string[] = []
      let failures = 0
      scene.watch('by hand', () => handled)
      await using _ = await startNaive(scene, {
        group: 'by-hand',
        topics: ['orders', 'orders-retry', 'orders-retry-retry'],
        run: (producer) => ({
          async eachMessage({ topic, message }) {
            const value = JSON.parse(String(message.value)) as string
            if (value === 'created' && failures++ < 2) {
              const next = topic.replace('orders', 'orders-retry')
              await producer.send({ topic: next, messages: [message] })
            } else handled.push(value)
          },
        }),
      })
      await scene.until('all are handled', () => handled.length === 3)
      assert.notDeepEqual(handled, values, 'out of order')
    }

    const handled: string[] = []
    let failures = 0
    const consumer = defineConsumer({
      topic: orders,
      group: 'billing',
      retryTopics: { delays: ['100ms', '200ms'], order: 'key' },
      exhausted: 'block',
      each({ value }) {
        if (value === 'created' && failures++ < 2) throw new Error('no')
        handled.push(value)
      },
    })
    const { start } = scenarioApp(scene, { consumers: [consumer] })
    await using worker = await start({ createTopics: true })
    scene.watch('with millrace', () => [handled, worker.partitions])
    await scene.until('all are handled', () => handled.length === 3)
    assert.deepEqual(handled, values)
    const made = (await scene.client.admin.describeTopics())
      .map(({ name }) => name)
      .filter((name) => name.startsWith('orders-retry-') && name.endsWith(scene.topic('')))
      .filter((name) => name !== scene.topic('orders-retry'))
      .filter((name) => name !== scene.topic('orders-retry-retry'))
    const wanted = ['100ms', '200ms', 'parked'].map((end) =>
      scene.topic(`orders-retry-billing-${end}`),
    )
    await scene.client.admin.deleteTopics(wanted)
    assert.deepEqual(made.toSorted(), wanted.toSorted())
  },
)
