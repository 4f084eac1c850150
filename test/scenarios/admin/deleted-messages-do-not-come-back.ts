/** Messages below an offset are deleted: reading and looking up start behind them, offsets stay as they were, and a second call goes no further back. */
import assert from 'node:assert/strict'
import { scenario } from '../../harness/scenario.ts'

await scenario(
  { topics: { orders: {} }, isDurable: true },
  async ({ engine, client, openClient, topic, send, log }) => {
    const place = { topic: topic('orders'), partition: 0 }
    await send(
      'orders',
      Array.from({ length: 10 }, (_, index) => ({ value: `${index}` })),
    )
    const before = async (offset: number | 'end'): Promise<unknown> => {
      const [result] = await client.admin.deleteRecords([{ ...place, before: offset }])
      return result?.error?.message.match(/OFFSET_OUT_OF_RANGE/)?.[0] ?? result?.logStartOffset
    }
    // All ten are in one batch, so this is in its midst.
    assert.equal(await before(4), 4)
    assert.equal(await before(2), 4)
    assert.equal(await before(11), 'OFFSET_OUT_OF_RANGE')
    if (engine.name === 'embedded') await engine.restart()

    const other = openClient()
    const [start] = await other.admin.listOffsets([{ ...place, at: 'earliest' }])
    assert.equal(start?.offset, 4)
    const read = await Array.fromAsync(
      other.reader({ topics: [place.topic] }),
      ({ offset }) => offset,
    )
    assert.deepEqual(read, [4, 5, 6, 7, 8, 9])
    assert.equal(await before('end'), 10)
    const [next] = await send('orders', [{ value: 'next' }])
    assert.equal(next?.offset, 10)
    const { logStartOffset, records } = await log('orders')
    assert.deepEqual([logStartOffset, records.length], [10, 1])
  },
)
