import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { joinMetadata, splitMetadata } from '../../../packages/millrace/src/app/offsets/metadata.ts'
import {
  readCommittedText,
  writeCommittedText,
} from '../../../packages/millrace/src/gateway/streams/acknowledged-ahead.ts'
import { until } from '../../harness/until.ts'
import { openStreams } from './streams-harness.ts'

const runsOf = fc
  .array(fc.tuple(fc.integer({ min: 1, max: 90 }), fc.integer({ min: 1, max: 90 })), {
    maxLength: 100,
  })
  .map((list) => {
    let end = 1000
    return list.flatMap(([gap, length]) => {
      const from = end + gap
      end = from + length
      return [from, end]
    })
  })

describe('a Streams consumer', () => {
  it('and a Millrace worker read what the other has committed', () => {
    fc.assert(
      fc.property(runsOf, fc.string({ maxLength: 20 }), (runs, user) => {
        const ours = writeCommittedText(1000, { user, runs })
        assert.deepEqual(splitMetadata(ours, 1000), { user, runs })
        const theirs = joinMetadata(user, 1000, runs)
        assert.deepEqual(readCommittedText(1000, theirs), { user, runs })
      }),
    )
  })

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
