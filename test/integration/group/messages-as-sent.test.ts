import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { openClient, type ClientMessage } from '../../../packages/millrace/src/client/index.ts'
import { encodeBatch } from '../../../packages/millrace/src/protocol/index.ts'
import { scriptedBroker } from '../../../packages/millrace/src/testing/index.ts'
import { listing, serving, topic } from './support/scripting.ts'

const compressions = ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const

async function readBack(attributes: number, maxTimestamp?: number): Promise<ClientMessage[]> {
  const headers = [
    ['trace', Buffer.from('1')],
    ['trace', Buffer.from('2')],
    ['none', null],
    ['empty', Buffer.alloc(0)],
  ] as const
  const batch = encodeBatch(
    {
      baseOffset: 10,
      attributes,
      partitionLeaderEpoch: 3,
      ...(maxTimestamp ? { maxTimestamp } : {}),
    },
    [
      { offset: 10, timestamp: 1000, key: Buffer.from('k'), value: Buffer.from('v'), headers },
      { offset: 11, timestamp: 990, key: Buffer.alloc(0), value: null, headers: [] },
      { offset: 14, timestamp: 2000, key: null, value: Buffer.alloc(0), headers: [] },
    ],
  )
  const logs = [{ batches: [batch] }]
  await using broker = await scriptedBroker({
    topics: { [topic]: { partitions: 1 } },
    on: { fetch: serving(logs), listOffsets: listing(logs) },
  })
  await using client = openClient({ brokers: [broker.address] })
  const messages: ClientMessage[] = []
  for await (const message of client.reader({ topics: [topic] })) messages.push(message)
  return messages
}

describe('a message', () => {
  it('keeps repeated headers, nulls, empty bytes and its time, under every compression', async () => {
    for (const attributes of compressions.keys()) {
      const [first, second, third] = await readBack(attributes)
      assert.ok(first && second && third)
      assert.deepEqual(
        first.headers.map(([name, value]) => [name, value?.toString() ?? null]),
        [
          ['trace', '1'],
          ['trace', '2'],
          ['none', null],
          ['empty', ''],
        ],
      )
      assert.equal(first.value?.toString(), 'v')
      assert.equal(second.key?.length, 0)
      assert.equal(second.value, null)
      assert.equal(third.key, null)
      assert.equal(third.value?.length, 0)
      assert.deepEqual(
        [first, second, third].map(({ offset, timestamp }) => [offset, timestamp]),
        [
          [10, 1000],
          [11, 990],
          [14, 2000],
        ],
      )
      assert.equal(first.timestampType, 'create')
      assert.equal(first.leaderEpoch, 3)
    }
  })

  it('carries the time of appending where the broker set it', async () => {
    const messages = await readBack(0x08, 5555)
    assert.deepEqual(
      messages.map(({ timestamp, timestampType }) => [timestamp, timestampType]),
      Array.from({ length: 3 }, () => [5555, 'append']),
    )
  })
})
