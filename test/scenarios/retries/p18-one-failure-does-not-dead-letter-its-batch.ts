/**
 * Pain list 18. By hand: a batch is handled as one, so when one message fails all of them are dead letters. Here the batch is
 * run again one by one, and only what still fails is given up; a handler that knows which one it was says so at once.
 */
import assert from 'node:assert/strict'
import { defineConsumer, defineTopic, failed } from '../../../packages/millrace/src/app/index.ts'
import { scenarioApp } from '../../harness/app.ts'
import { startNaive } from '../../harness/naive-consumer.ts'
import { scenario } from '../../harness/scenario.ts'

const orders = defineTopic<number>('orders')
const insert = (rows: readonly number[]): void => {
  if (rows.includes(3)) throw new Error('row refused')
}

await scenario(
  {
    topics: {
      orders: { partitions: 1 },
      'by-hand-dlt': { partitions: 1 },
      'blind-dlt': { partitions: 1 },
      'knowing-dlt': { partitions: 1 },
    },
  },
  async (scene) => {
    const lettersIn = async (topic: string): Promise<readonly string[]> =>
      (await scene.log(topic)).records.map(({ value }) => String(value))
    await scene.send(
      'orders',
      [1, 2, 3, 4, 5].map((value) => ({ value: String(value) })),
    )
    {
      await using _ = await startNaive(scene, {
        group: 'by-hand',
        topics: ['orders'],
        run: (producer) => ({
          async eachBatch({ batch }) {
            const { messages } = batch
            try {
              insert(messages.map(({ value }) => Number(value)))
            } catch {
              const copies = messages.map(({ value }) => ({ value }))
              await producer.send({ topic: scene.topic('by-hand-dlt'), messages: copies })
            }
          },
        }),
      })
      await scene.until('the batch was given up', async () => {
        return (await lettersIn('by-hand-dlt')).length >= 5
      })
    }
    assert.deepEqual(await lettersIn('by-hand-dlt'), ['1', '2', '3', '4', '5'])

    const inserted: number[] = []
    const blind = defineConsumer({
      topic: orders,
      name: 'blind',
      retries: 1,
      backoff: '10ms',
      deadLetter: { topic: 'blind-dlt' },
      batch(messages) {
        insert(messages.values)
        inserted.push(...messages.values)
      },
    })
    const knowing = defineConsumer({
      topic: orders,
      name: 'knowing',
      retries: 0,
      deadLetter: { topic: 'knowing-dlt' },
      batch: (messages) =>
        failed(
          [...messages].flatMap((message) =>
            message.value === 3 ? [{ message, error: new Error('row refused') }] : [],
          ),
        ),
    })
    const { start, committed } = scenarioApp(scene, { consumers: [blind, knowing] })
    await using worker = await start()
    scene.watch('inserted', () => inserted)
    await scene.until('both are through', async () => {
      await worker.commit()
      const positions = await Promise.all(
        ['blind', 'knowing'].map((group) => committed(group, 'orders')),
      )
      return positions.every((position) => position === 5)
    })
    assert.deepEqual(await lettersIn('blind-dlt'), ['3'])
    assert.deepEqual(await lettersIn('knowing-dlt'), ['3'])
    assert.deepEqual(inserted, [1, 2, 4, 5])
  },
)
