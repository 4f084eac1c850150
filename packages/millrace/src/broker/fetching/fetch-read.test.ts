import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { manualClock, type ManualClock } from '../../kit/index.ts'
import { BatchBuilder, readBatchHeader } from '../../protocol/index.ts'
import {
  memoryFileSystem,
  openLogStore,
  type LogStore,
  type PartitionLog,
} from '../../storage/index.ts'
import { brokerSettings } from '../options.ts'
import { Topics } from '../topics/topics.ts'
import { FetchRead } from './fetch-read.ts'

interface Bench extends AsyncDisposable {
  readonly clock: ManualClock
  readonly store: LogStore
  readonly log: PartitionLog
  /** Bytes read from files so far. */
  bytesRead(): number
  append(text: string): Promise<number>
  fetch(options?: { readonly maxBytes?: number; readonly partitionMaxBytes?: number }): FetchRead
  wait(read: FetchRead, minBytes: number): { isOver(): Promise<boolean>; abort(): void }
}

async function bench(): Promise<Bench> {
  const clock = manualClock()
  const fs = memoryFileSystem()
  let bytesRead = 0
  fs.fault = (operation, path, bytes) => {
    if (operation === 'read' && path.endsWith('.log')) bytesRead += bytes
    return undefined
  }
  const store = await openLogStore({ folder: '/memory', fs, clock, reserveBytes: 0 })
  await store.createTopic({ name: 'orders', partitions: 1 })
  const log = store.partition('orders', 0)
  assert.ok(log)
  return {
    clock,
    store,
    log,
    bytesRead: () => bytesRead,
    async append(text) {
      const builder = new BatchBuilder()
      builder.append({ key: null, value: text, timestamp: clock.now() })
      const batch = builder.build({
        compression: 'none',
        producerId: -1,
        producerEpoch: -1,
        baseSequence: -1,
      })
      log.append(batch, readBatchHeader(batch))
      await store.written()
      return batch.length
    },
    fetch: ({ maxBytes = 1_000_000, partitionMaxBytes = 1_000_000 } = {}) =>
      new FetchRead({
        wanted: [
          {
            topic: 'orders',
            topicId: '',
            partition: 0,
            currentLeaderEpoch: -1,
            fetchOffset: 0,
            lastFetchedEpoch: -1,
            partitionMaxBytes,
          },
        ],
        source: new Topics(store, brokerSettings()),
        usesIds: false,
        isCommitted: false,
        maxBytes,
        onReadFailure: () => undefined,
      }),
    wait(read, minBytes) {
      const abort = new AbortController()
      const over = read
        .waitFor(minBytes, {
          after: (fire) => clock.after(60_000, fire),
          signal: abort.signal,
        })
        .then(() => true)
      const aTurn = (): Promise<false> =>
        new Promise((resolve) => setImmediate(() => resolve(false)))
      return {
        isOver: () => Promise.race([over, aTurn()]),
        abort: () => abort.abort(),
      }
    },
    [Symbol.asyncDispose]: () => store.close(),
  }
}

describe('a fetch that waits for many bytes', () => {
  it('reads them once, not again with every batch', async () => {
    await using b = await bench()
    const size = await b.append('first')
    const read = b.fetch()
    await read.readAll()
    const wait = b.wait(read, 100 * size)
    for (let batch = 1; batch < 99; batch++) await b.append('first')
    assert.equal(await wait.isOver(), false)
    await b.append('first')
    assert.equal(await wait.isOver(), true)
    await read.readMoved()
    assert.equal(read.bytes, 100 * size)
    assert.ok(b.bytesRead() < 102 * size + 10_000, `${b.bytesRead()} bytes were read`)
  })

  it('does not count on more of a partition than it may take', async () => {
    await using b = await bench()
    const size = await b.append('first')
    const read = b.fetch({ partitionMaxBytes: 3 * size })
    await read.readAll()
    const wait = b.wait(read, 10 * size)
    for (let batch = 0; batch < 50; batch++) await b.append('first')
    assert.equal(await wait.isOver(), false)
    wait.abort()
    assert.equal(await wait.isOver(), true)
  })

  it('wakes when the topic goes, when the log start moves, and when its time is over', async () => {
    await using b = await bench()
    const size = await b.append('first')
    const late = b.fetch()
    await late.readAll()
    const timed = b.wait(late, 10 * size)
    await b.clock.advanceAsync(60_000)
    assert.equal(await timed.isOver(), true)

    const read = b.fetch()
    await read.readAll()
    const trimmed = b.wait(read, 10 * size)
    assert.equal(await trimmed.isOver(), false)
    await b.store.deleteRecords('orders', 0, -1)
    assert.equal(await trimmed.isOver(), true)

    const again = b.fetch()
    await b.append('second')
    await again.readAll()
    assert.equal(again.hasError, true)
    const deleted = b.wait(read, 10 * size)
    await b.store.deleteTopic('orders')
    assert.equal(await deleted.isOver(), true)
  })
})
