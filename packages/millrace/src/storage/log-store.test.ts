import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { manualClock } from '../kit/index.ts'
import {
  encodeBatch,
  readBatchHeader,
  splitBatches,
  type BatchFields,
  type BatchHeader,
} from '../protocol/index.ts'
import {
  memoryFileSystem,
  openLogStore,
  type AppendResult,
  type LogStore,
  type LogStoreOptions,
  type PartitionLog,
} from './index.ts'

const startMs = 1_700_000_000_000

describe('log store', () => {
  it('gives offsets, and shows only what is written', async () => {
    await using store = await open()
    const log = await topic(store, 'orders')
    assert.deepEqual(append(log, batch(['a', 'b'])), appended(0))
    assert.deepEqual(append(log, batch(['c'])), appended(2))
    assert.equal(log.logEndOffset, 3)
    assert.equal(log.highWatermark, 0)
    assert.equal((await log.read(0, anything)).length, 0)
    const written = store.written()
    assert.equal(store.written(), written, 'one promise per turn')
    await written
    assert.equal(log.highWatermark, 3)
    assert.deepEqual(await values(log, 0), ['0:a', '1:b', '2:c'])
    assert.deepEqual(await values(log, 1), ['0:a', '1:b', '2:c'], 'whole batches')
    assert.deepEqual(await values(log, 2), ['2:c'])
    assert.deepEqual(await values(log, 3), [])
  })

  it('finds everything again after a clean stop and after a kill', async () => {
    const fs = memoryFileSystem()
    {
      await using store = await open({ fs })
      const log = await topic(store, 'orders')
      append(log, batch(['a', 'b']))
      await store.written()
    }
    const store = await open({ fs })
    const log = store.partition('orders', 0) as PartitionLog
    assert.equal(log.highWatermark, 2)
    assert.deepEqual(await values(log, 0), ['0:a', '1:b'])
    append(log, batch(['c']))
    await store.written()
    fs.kill()
    await using again = await open({ fs })
    assert.deepEqual(again.repairs, [])
    assert.equal(again.clusterId, store.clusterId)
    assert.deepEqual(await values(again.partition('orders', 0) as PartitionLog, 0), [
      '0:a',
      '1:b',
      '2:c',
    ])
  })
})

const anything = { maxBytes: 1_000_000, minOneBatch: true } as const

function open(options: Partial<LogStoreOptions> = {}): Promise<LogStore> {
  return openLogStore({
    folder: '/data',
    fs: memoryFileSystem(),
    clock: manualClock(startMs),
    ...options,
  })
}

async function topic(
  store: LogStore,
  name: string,
  configs: Record<string, string> = {},
): Promise<PartitionLog> {
  await store.createTopic({ name, partitions: 1, configs })
  return store.partition(name, 0) as PartitionLog
}

function batch(texts: readonly string[], fields: BatchFields = {}): Buffer {
  return encodeBatch(
    { producerId: -1, producerEpoch: -1, baseSequence: -1, ...fields },
    texts.map((text, offset) => ({ key: null, value: text, timestamp: startMs, offset })),
  )
}

function append(log: PartitionLog, bytes: Buffer): AppendResult {
  const header: BatchHeader = readBatchHeader(bytes)
  return log.append(bytes, header)
}

function appended(baseOffset: number): AppendResult {
  return { kind: 'appended', baseOffset, logAppendTimeMs: -1 }
}

async function values(log: PartitionLog, offset: number): Promise<string[]> {
  const { decodeRecords } = await import('../protocol/index.ts')
  const bytes = await log.read(offset, anything)
  return splitBatches(bytes).flatMap((one) =>
    decodeRecords(one).map((record) => `${record.offset}:${record.value?.toString() ?? ''}`),
  )
}
