/**
 * Pain list 3. By hand: one error path for every topic sends what fails among the dead letters back to the dead letters, and a
 * message that cannot be read is written again through the serialiser that cannot write it. Here bytes go unchanged, dead
 * letters are read as bytes, and a topic that would be its own dead letter topic, or lead back to itself, is refused at start.
 */
import assert from 'node:assert/strict'
import {
  deadLetterTopic,
  defineConsumer,
  defineTopic,
} from '../../../packages/millrace/src/app/index.ts'
import { isFailure } from '../../../packages/millrace/src/errors/index.ts'
import { scenarioApp } from '../../harness/app.ts'
import { startNaive } from '../../harness/naive-consumer.ts'
import { scenario } from '../../harness/scenario.ts'

const orders = defineTopic<{ readonly id: number }>('orders')
const poison = Buffer.from([0x00, 0xff, 0x7b])

await scenario(
  {
    topics: {
      orders: { partitions: 1 },
      'orders-dlt': { partitions: 1 },
      'by-hand-dlt': { partitions: 1 },
    },
  },
  async (scene) => {
    await scene.send('orders', [{ key: 'k', value: poison }])
    {
      let written = 0
      await using _ = await startNaive(scene, {
        group: 'by-hand',
        topics: ['orders', 'by-hand-dlt'],
        run: (producer) => ({
          async eachMessage({ message }) {
            try {
              JSON.parse(String(message.value))
            } catch {
              const value = String(message.value)
              await producer.send({ topic: scene.topic('by-hand-dlt'), messages: [{ value }] })
              written++
            }
          },
        }),
      })
      await scene.until('it goes round', () => written >= 4)
      const [copy] = (await scene.log('by-hand-dlt')).records
      assert.notDeepEqual(copy?.value, poison, 'and its bytes are gone')
    }

    const letters: (Buffer | null)[] = []
    const billing = defineConsumer({
      topic: orders,
      group: 'billing',
      deadLetter: true,
      each: ({ value }) => void value.id,
    })
    const watch = defineConsumer({
      topic: deadLetterTopic(orders),
      name: 'watch',
      each: ({ value }) => void letters.push(value),
    })
    const { start } = scenarioApp(scene, { consumers: [billing, watch] })
    await using _ = await start()
    await scene.until('the letter was looked at', () => letters.length > 0)
    assert.deepEqual(letters, [poison])
    assert.equal((await scene.log('orders-dlt')).records.length, 1)

    const refused = async (topic: string): Promise<string> => {
      const back = defineConsumer({
        topic: deadLetterTopic(orders),
        name: 'back',
        deadLetter: { topic },
        each: () => undefined,
      })
      try {
        await scenarioApp(scene, { consumers: [billing, back] }).start()
        return ''
      } catch (error) {
        if (!isFailure(error, 'MR_CONFIG_INVALID')) throw error
        return error.message
      }
    }
    assert.match(await refused('orders-dlt'), /orders-dlt would be its own dead letter topic/)
    assert.match(await refused('orders'), /would go round: orders -> orders-dlt -> orders/)
  },
)
