import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { isFailure } from '../errors/index.ts'
import { manualClock } from '../kit/index.ts'
import {
  anything,
  append,
  appended,
  batchOf,
  logOf,
  makeLog,
  openMemory,
  readAll,
  sequenced,
  startMs,
  textsOf,
} from './fixtures.test.ts'
import { memoryFileSystem, type StorageReport } from './index.ts'

const refused = { kind: 'refused', errorCode: 56 }

describe('a full disk', () => {
  it('takes no records, serves the rest, says so once, and goes on by itself', async () => {
    const fs = memoryFileSystem()
    const clock = manualClock(startMs)
    const reports: StorageReport[] = []
    await using store = await openMemory({
      fs,
      clock,
      reserveBytes: 10_000,
      onReport: (report) => reports.push(report),
    })
    const log = await makeLog(store, 'orders')
    const offsets = await makeLog(store, '__consumer_offsets')
    append(log, sequenced(['a'], 0))
    await store.written()
    await new Promise(setImmediate)
    assert.equal(fs.size('/data/reserve'), 10_000)

    fs.capacityBytes = fs.usedBytes + 100
    append(log, sequenced(['b'.repeat(500)], 1))
    append(log, sequenced(['c'], 2))
    await assert.rejects(store.written(), (error) => isFailure(error, 'MR_STORAGE_DISK_FULL'))
    assert.equal(store.isDiskFull, true)
    assert.equal(log.hasFailed, false)
    assert.deepEqual([log.logEndOffset, log.highWatermark], [1, 1])
    assert.equal(fs.size('/data/orders-0/00000000000000000000.log'), log.sizeInBytes)

    assert.deepEqual(append(log, sequenced(['d'], 1)), refused)
    assert.deepEqual(append(offsets, batchOf(['commit'])), appended(0))
    await store.written()
    assert.deepEqual(textsOf(await log.read(0, anything)), ['0:a'])
    await store.deleteRecords('orders', 0, 1)
    await clock.advanceAsync(15_000)
    assert.equal(store.isDiskFull, true)
    assert.deepEqual(
      reports.map(({ kind }) => kind),
      ['disk-full'],
    )

    fs.capacityBytes += 40_000
    await clock.advanceAsync(5000)
    assert.equal(store.isDiskFull, false)
    assert.equal(fs.size('/data/reserve'), 10_000, 'refilled before writes are let in')
    assert.deepEqual(
      reports.map(({ kind }) => kind),
      ['disk-full', 'disk-free'],
    )
    assert.deepEqual(
      append(log, sequenced(['b'.repeat(500)], 1)),
      appended(1),
      'a new try, no repeat',
    )
    assert.deepEqual(append(log, sequenced(['c'], 2)), appended(2))
    await store.written()
    assert.deepEqual(await readAll(log), [`1:${'b'.repeat(500)}`, '2:c'])
  })

  it('does not wait with deletions while there is no room', async () => {
    const fs = memoryFileSystem()
    const clock = manualClock(startMs)
    await using store = await openMemory({ fs, clock, reserveBytes: 1000 })
    const log = await makeLog(store, 'orders', { 'segment.bytes': '4000' })
    for (let at = 0; at < 20; at++) append(log, batchOf(['x'.repeat(1000)]))
    await store.written()
    fs.capacityBytes = fs.usedBytes + 500
    append(log, batchOf(['x'.repeat(3000)]))
    await assert.rejects(store.written())
    await store.deleteRecords('orders', 0, 15)
    await store.retain()
    await clock.advanceAsync(5000)
    assert.equal(store.isDiskFull, false)
    assert.ok(!fs.files().some((path) => path.endsWith('.deleted')))
  })

  it('keeps what was written before the wall within the same turn', async () => {
    const fs = memoryFileSystem()
    await using store = await openMemory({ fs, reserveBytes: 0 })
    const log = await makeLog(store, 'orders', { 'segment.bytes': '300' })
    const other = await makeLog(store, 'other')
    fs.capacityBytes = fs.usedBytes + 700
    const fates = Array.from({ length: 10 }, (_, at) =>
      append(log, sequenced(['x'.repeat(100)], at)),
    )
    append(other, batchOf(['tiny']))
    let confirmed = 0
    await store.written().catch(() => {
      confirmed = fates.filter(
        (fate) => fate.kind === 'appended' && fate.baseOffset < log.highWatermark,
      ).length
    })
    assert.ok(confirmed > 0 && confirmed < 10, String(confirmed))
    assert.equal((await readAll(log)).length, confirmed)
    fs.capacityBytes += 10_000
  })

  it('does not make a topic that it cannot save', async () => {
    const fs = memoryFileSystem()
    await using store = await openMemory({ fs, reserveBytes: 0 })
    fs.capacityBytes = fs.usedBytes + 30
    await assert.rejects(store.createTopic({ name: 'orders', partitions: 3 }), (error) =>
      isFailure(error, 'MR_STORAGE_DISK_FULL'),
    )
    assert.equal(store.topic('orders'), undefined)
    assert.ok(!fs.files().some((path) => path.includes('orders')))
    fs.capacityBytes += 100_000
    await store.createTopic({ name: 'orders', partitions: 3 })
  })
})

describe('a failing disk', () => {
  it('fails the partition after a write error, and that one alone', async () => {
    const fs = memoryFileSystem()
    const reports: StorageReport[] = []
    const store = await openMemory({ fs, onReport: (report) => reports.push(report) })
    const log = await makeLog(store, 'orders')
    const other = await makeLog(store, 'other')
    append(log, sequenced(['a'], 0))
    await store.written()
    fs.fault = (operation, path) =>
      operation === 'write' && path.includes('orders') ? { code: 'EIO' } : undefined
    append(log, sequenced(['b'], 1))
    append(other, batchOf(['fine']))
    await assert.rejects(store.written(), (error) => isFailure(error, 'MR_STORAGE_WRITE_FAILED'))
    assert.equal(other.highWatermark, 1)
    assert.equal(log.highWatermark, 1)
    assert.equal(log.hasFailed, true)
    fs.fault = undefined
    assert.deepEqual(append(log, sequenced(['b'], 1)), refused, 'until it has recovered')
    assert.deepEqual(await readAll(log), ['0:a'])
    assert.deepEqual(
      reports.map(({ kind }) => kind),
      ['partition-failed'],
    )
    await store.close()
    assert.equal(fs.size('/data/clean'), undefined, 'so that the next start checks')

    await using again = await openMemory({ fs })
    assert.deepEqual(append(logOf(again, 'orders'), sequenced(['b'], 1)), appended(1))
    await again.written()
  })

  it('never believes a second sync after a failed one', async () => {
    const fs = memoryFileSystem()
    const store = await openMemory({ fs })
    const log = await makeLog(store, 'orders')
    append(log, batchOf(['a']))
    await store.written()
    let syncs = 0
    fs.fault = (operation, path) => {
      if (operation !== 'sync' || !path.includes('orders')) return undefined
      syncs++
      return { code: 'EIO' }
    }
    await store.sync()
    assert.equal(log.hasFailed, true)
    await store.sync()
    await store.close()
    assert.equal(syncs, 1)
    assert.deepEqual(append(log, batchOf(['b'])), refused)
  })

  it('carries a short write on', async () => {
    const fs = memoryFileSystem()
    await using store = await openMemory({ fs })
    const log = await makeLog(store, 'orders')
    let short = 3
    fs.fault = (operation, path) =>
      operation === 'write' && path.endsWith('.log') && short-- > 0 ? { writeOnly: 50 } : undefined
    for (const text of ['a', 'b', 'c']) append(log, batchOf([text]))
    await store.written()
    assert.deepEqual(await readAll(log), ['0:a', '1:b', '2:c'])
  })

  it('reports a read error with the file', async () => {
    const fs = memoryFileSystem()
    await using store = await openMemory({ fs })
    const log = await makeLog(store, 'orders')
    append(log, batchOf(['x'.repeat(2_000_000)]))
    append(log, batchOf(['x']))
    await store.written()
    fs.fault = (operation, path) =>
      operation === 'read' && path.endsWith('.log') ? { code: 'EIO' } : undefined
    assert.throws(() => log.read(1, anything), isUnreadable)
    await assert.rejects(async () => log.read(0, anything), isUnreadable)
    await assert.rejects(log.offsetForTime(0), isUnreadable)
    fs.fault = undefined
    assert.equal((await readAll(log)).length, 2)
  })

  it('syncs in the background after an interval or many bytes, and moves the recovery point', async () => {
    const fs = memoryFileSystem()
    const clock = manualClock(startMs)
    await using store = await openMemory({ fs, clock, syncBytes: 5000 })
    const log = await makeLog(store, 'orders', { 'segment.bytes': '3000' })
    let synced: string[] = []
    fs.fault = (operation, path) => {
      if (operation === 'sync' && path.includes('orders')) synced.push(path)
      return undefined
    }
    append(log, batchOf(['a']))
    await store.written()
    await clock.advanceAsync(999)
    assert.deepEqual(synced, [])
    await clock.advanceAsync(1)
    assert.deepEqual(synced, ['/data/orders-0/00000000000000000000.log'])
    synced = []
    for (let at = 0; at < 6; at++) append(log, batchOf(['x'.repeat(1000)]))
    await store.written()
    await new Promise(setImmediate)
    await clock.advanceAsync(0)
    assert.ok(synced.some((path) => path.endsWith('.producers')))
    assert.match(fs.readFile('/data/recovery-points')?.toString() ?? '', /-0 5 0\n$/)
  })
})

function isUnreadable(error: unknown): boolean {
  return isFailure(error, 'MR_STORAGE_READ_FAILED') && /0\.log/.test(error.message)
}

describe('a process out of file descriptors', () => {
  it('refuses what it cannot write, and goes on when there are some again', async () => {
    const fs = memoryFileSystem()
    const clock = manualClock(startMs)
    const reports: StorageReport[] = []
    const store = await openMemory({ fs, clock, onReport: (report) => reports.push(report) })
    const log = await makeLog(store, 'orders', { 'segment.bytes': '150' })
    const long = 'd'.repeat(100)
    fs.fault = (operation) => (operation === 'open' ? { code: 'EMFILE' } : undefined)
    append(log, sequenced(['a'], 0))
    await assert.rejects(store.written(), (error) => isFailure(error, 'MR_STORAGE_WRITE_FAILED'))
    assert.deepEqual([log.hasFailed, log.highWatermark], [false, 0])

    fs.fault = undefined
    append(log, sequenced(['a'], 0))
    append(log, sequenced(['b'], 1))
    append(log, sequenced(['c'], 2))
    await store.written()
    fs.fault = (operation) => (operation === 'open' ? { code: 'EMFILE' } : undefined)
    append(log, sequenced([long], 3))
    await assert.rejects(store.written())
    await store.sync()
    assert.equal(log.hasFailed, false)

    fs.fault = undefined
    append(log, sequenced([long], 3))
    await store.written()
    await store.sync()
    await store.close()
    fs.cutPower()
    await using again = await openMemory({ fs, clock })
    assert.deepEqual(await readAll(logOf(again, 'orders')), ['0:a', '1:b', '2:c', `3:${long}`])
    assert.deepEqual(
      reports.filter(({ kind }) => kind === 'partition-failed'),
      [],
    )
  })

  it('refuses producers whose state it cannot read, and knows their repeats afterwards', async () => {
    const fs = memoryFileSystem()
    {
      await using store = await openMemory({ fs })
      const log = await makeLog(store, 'orders')
      append(log, sequenced(['a'], 0))
      await store.written()
    }
    await using store = await openMemory({ fs })
    const log = logOf(store, 'orders')
    fs.fault = (operation) =>
      operation === 'open' || operation === 'read' ? { code: 'EMFILE' } : undefined
    assert.deepEqual(append(log, sequenced(['a'], 0)), refused)
    fs.fault = undefined
    assert.equal(append(log, sequenced(['a'], 0)).kind, 'duplicate')
  })
})

describe('records that are to be deleted', () => {
  it('stay when what is kept cannot be synced', async () => {
    const fs = memoryFileSystem()
    await using store = await openMemory({ fs })
    const log = await makeLog(store, 'orders')
    append(log, batchOf(['a', 'b']))
    await store.written()
    fs.fault = (operation) => (operation === 'sync' ? { code: 'EIO' } : undefined)
    await assert.rejects(store.deleteRecords('orders', 0, 1), (error) =>
      isFailure(error, 'MR_STORAGE_SYNC_FAILED'),
    )
    fs.fault = undefined
    assert.equal(log.logStartOffset, 0)
  })
})

describe('files that cannot be removed', () => {
  it('are told of, and hurt nothing else', async () => {
    const fs = memoryFileSystem()
    const clock = manualClock(startMs)
    const reports: StorageReport[] = []
    await using store = await openMemory({ fs, clock, onReport: (report) => reports.push(report) })
    await makeLog(store, 'orders')
    const other = await makeLog(store, 'other')
    await store.deleteTopic('orders')
    fs.fault = (operation) => (operation === 'remove' ? { code: 'EIO' } : undefined)
    clock.advance(60_000)
    fs.fault = undefined
    await Promise.resolve()
    assert.deepEqual(
      reports.map(({ kind }) => kind),
      ['removal-failed'],
    )
    append(other, batchOf(['a']))
    await store.written()
  })

  it('of one partition do not keep retention from the others', async () => {
    const fs = memoryFileSystem()
    const clock = manualClock(startMs)
    await using store = await openMemory({ fs, clock })
    const configs = { 'segment.bytes': '150', 'retention.ms': '1000' }
    const logs = [await makeLog(store, 'bad', configs), await makeLog(store, 'good', configs)]
    for (const log of logs) for (const text of ['a', 'b', 'c', 'd']) append(log, batchOf([text]))
    await store.written()
    clock.advance(5000)
    fs.fault = (operation, path) =>
      operation === 'rename' && path.includes('/bad-0/') ? { code: 'EIO' } : undefined
    await assert.rejects(store.retain(), AggregateError)
    fs.fault = undefined
    assert.ok(fs.files().some((path) => path.includes('/good-0/') && path.endsWith('.deleted')))
    assert.deepEqual(
      logs.map(({ logStartOffset }) => logStartOffset),
      [4, 4],
    )
  })
})

describe('a log file that somebody has removed', () => {
  it('is not made anew, and its partition fails', async () => {
    const fs = memoryFileSystem()
    await using store = await openMemory({ fs, openFiles: 1 })
    const log = await makeLog(store, 'orders')
    const other = await makeLog(store, 'other')
    append(log, batchOf(['a']))
    await store.written()
    await store.sync()
    append(other, batchOf(['b']))
    await store.written()
    const path = '/data/orders-0/00000000000000000000.log'
    fs.remove(path)
    assert.throws(() => log.read(0, anything), isReadFailure)
    append(log, batchOf(['c']))
    await assert.rejects(store.written(), (error) => isFailure(error, 'MR_STORAGE_WRITE_FAILED'))
    assert.equal(log.hasFailed, true)
    assert.equal(fs.size(path), undefined)
  })
})

function isReadFailure(error: unknown): boolean {
  return isFailure(error, 'MR_STORAGE_READ_FAILED')
}
