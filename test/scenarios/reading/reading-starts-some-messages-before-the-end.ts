/** `from: -3` is the last three of each partition, or all of a shorter one; `latest` is nothing of what is there; an offset is that offset. */
import assert from 'node:assert/strict'
import type { ReadFrom } from '../../../packages/millrace/src/client/index.ts'
import { scenario } from '../../harness/scenario.ts'

await scenario({ topics: { orders: { partitions: 3 } } }, async ({ client, topic, send }) => {
  await send(
    'orders',
    Array.from({ length: 12 }, (_, index) => ({ partition: index < 10 ? 0 : 1, value: 'x' })),
  )
  const read = async (from: ReadFrom): Promise<readonly string[]> => {
    const messages = client.reader({ topics: [topic('orders')], from })
    return (
      await Array.fromAsync(messages, ({ partition, offset }) => `${partition}@${offset}`)
    ).toSorted()
  }
  assert.deepEqual(await read(-3), ['0@7', '0@8', '0@9', '1@0', '1@1'])
  assert.deepEqual(await read('latest'), [])
  assert.deepEqual(await read(8), ['0@8', '0@9'])
  assert.equal((await read('earliest')).length, 12)
})
