import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { until } from '../../harness/until.ts'
import { openStreams } from './streams-harness.ts'

describe('a Streams consumer', () => {
  it('is not given again what another process acknowledged out of order', async () => {
    await using streams = await openStreams()
    await streams.createTopics({ orders: 1 })
    const session = streams.connect()
    for (let n = 0; n < 6; n++) await session.run('XADD', 'orders', '*', 'n', n)
    await session.run('XGROUP', 'CREATE', 'orders', 'g', '0')
    {
      await using other = await openStreams({ beside: streams })
      const worker = other.connect()
      await worker.run('XREADGROUP', 'GROUP', 'g', 'a', 'STREAMS', 'orders', '>')
      await worker.run('XACK', 'orders', 'g', '0-1', '0-3', '0-5')
      await until('it is committed', async () => {
        const [committed] = await streams.client.admin.committedOffsets('g')
        return committed!.offset === 1 && committed!.metadata !== ''
      })
    }
    const read = (): Promise<unknown> =>
      session.run('XREADGROUP', 'GROUP', 'g', 'b', 'BLOCK', 10_000, 'STREAMS', 'orders', '>')
    const [[, entries]] = (await read()) as [[string, [string, string[]][]]]
    assert.deepEqual(
      entries.map(([id]) => id),
      ['0-2', '0-4', '0-6'],
    )
    assert.equal(await session.run('XACK', 'orders', 'g', '0-2', '0-4', '0-6'), 3)
    await until('all is committed', async () => {
      const [committed] = await streams.client.admin.committedOffsets('g')
      return committed!.offset === 6 && committed!.metadata === ''
    })
  })
})
