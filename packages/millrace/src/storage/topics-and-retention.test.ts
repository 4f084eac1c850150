import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { isFailure, type ErrorCode } from '../errors/index.ts'
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
import { memoryFileSystem } from './index.ts'

describe('log store: topics', () => {
  it('creates, grows, configures and finds them again', async () => {
    const fs = memoryFileSystem()
    {
      await using store = await openMemory({ fs })
      const made = await store.createTopic({ name: 'orders', partitions: 2, configs: { a: '1' } })
      assert.match(made.id, /^[\w-]{22}$/)
      await store.addPartitions('orders', 3)
      await store.setConfigs('orders', { 'retention.ms': '5' })
      assert.deepEqual(store.topicById(made.id), store.topic('orders'))
      append(logOf(store, 'orders', 2), batchOf(['x']))
      await store.written()
    }
    await using store = await openMemory({ fs })
    assert.equal(store.topics().length, 1)
    assert.equal(store.topic('orders')?.partitions, 3)
    assert.deepEqual(store.topic('orders')?.configs, { 'retention.ms': '5' })
    assert.equal(logOf(store, 'orders', 2).highWatermark, 1)
    assert.equal(store.partition('orders', 3), undefined)
    assert.equal(store.topic('none'), undefined)
  })

  it('refuses what cannot be', async () => {
    await using store = await openMemory()
    await store.createTopic({ name: 'orders', partitions: 2 })
    const make = (name: string, partitions = 1) => store.createTopic({ name, partitions })
    for (const name of ['', '.', '..', '../up', 'a/b', 'a b', 'x'.repeat(250)])
      await assert.rejects(make(name), isCode('MR_STORAGE_TOPIC_NAME'))
    await assert.rejects(make('orders'), isCode('MR_STORAGE_TOPIC_EXISTS'))
    await assert.rejects(make('other', 0), isCode('MR_STORAGE_PARTITIONS'))
    await assert.rejects(store.addPartitions('orders', 1), isCode('MR_STORAGE_PARTITIONS'))
    await assert.rejects(store.deleteTopic('none'), isCode('MR_STORAGE_TOPIC_UNKNOWN'))
    const [one, two] = await Promise.allSettled([make('twin'), make('twin')])
    assert.equal(one.status, 'fulfilled')
    assert.equal(two.status, 'rejected', 'one of two at once')
  })

  it('touches nothing any more once closed, whatever was going on', async () => {
    const fs = memoryFileSystem()
    const clock = manualClock(startMs)
    const store = await openMemory({ fs, clock })
    const configs = { 'segment.bytes': '150', 'retention.ms': '1000' }
    for (const name of ['orders', 'more', 'most']) {
      const log = await makeLog(store, name, configs)
      for (const text of ['a', 'b', 'c', 'd']) append(log, batchOf([text]))
    }
    await makeLog(store, 'other')
    await store.written()
    clock.advance(5000)
    const open = fs.open.bind(fs)
    fs.open = (path, mode) => {
      const file = open(path, mode)
      const sync = file.sync.bind(file)
      file.sync = async () => {
        for (let turn = 0; turn < 5; turn++) await new Promise(setImmediate)
        await sync()
      }
      return file
    }
    const changes = Promise.allSettled([
      store.retain(),
      store.deleteTopic('other'),
      store.createTopic({ name: 'new', partitions: 1 }),
    ])
    await store.close()
    const late: string[] = []
    fs.fault = (operation, path) => void late.push(`${operation} ${path}`)
    for (const { status } of await changes) assert.equal(status, 'fulfilled')
    assert.deepEqual(late, [])
    fs.fault = undefined
    await using again = await openMemory({ fs, clock })
    assert.deepEqual(again.repairs, [])
    assert.deepEqual(
      again.topics().map(({ name }) => name),
      ['orders', 'more', 'most', 'new'],
    )
    assert.equal(logOf(again, 'most').logStartOffset, 4)
  })

  it('does changes of one topic one after another', async () => {
    await using store = await openMemory()
    await store.createTopic({ name: 'orders', partitions: 1 })
    await Promise.all([
      store.addPartitions('orders', 3),
      store.setConfigs('orders', { a: '1' }),
      store.addPartitions('orders', 3),
      store.addPartitions('orders', 5),
    ])
    assert.equal(store.topic('orders')?.partitions, 5)
    assert.deepEqual(store.topic('orders')?.configs, { a: '1' })
    for (let index = 0; index < 5; index++) append(logOf(store, 'orders', index), batchOf(['x']))
    await store.written()
    const [one, two] = await Promise.allSettled([
      store.deleteTopic('orders'),
      store.deleteTopic('orders'),
    ])
    assert.deepEqual([one.status, two.status], ['fulfilled', 'rejected'])
  })

  it('deletes a topic at once, and the next of that name starts anew', async () => {
    const fs = memoryFileSystem()
    const clock = manualClock(startMs)
    await using store = await openMemory({ fs, clock })
    const old = await makeLog(store, 'orders')
    const { id } = store.topic('orders') ?? {}
    append(old, sequenced(['a'], 0))
    await store.written()
    let told = 0
    old.onAdvance(() => told++)
    await store.deleteTopic('orders')
    assert.equal(old.isDeleted, true)
    assert.equal(told, 1)
    assert.deepEqual(append(old, batchOf(['late'])), { kind: 'refused', errorCode: 3 })
    assert.equal(store.topic('orders'), undefined)

    const log = await makeLog(store, 'orders')
    assert.notEqual(store.topic('orders')?.id, id)
    assert.deepEqual(append(log, sequenced(['new'], 5)), appended(0), 'producers are forgotten')
    await store.written()
    assert.equal((await old.read(0, anything)).length, 0, 'the old log sees nothing of the new')
    assert.ok(fs.files().some((path) => path.includes('.deleted/')))
    clock.advance(60_000)
    assert.ok(!fs.files().some((path) => path.includes('.deleted')))
    assert.deepEqual(await readAll(log), ['0:new'])
  })

  it('finishes a deletion that a kill interrupted', async () => {
    const fs = memoryFileSystem()
    const store = await openMemory({ fs })
    append(await makeLog(store, 'orders'), batchOf(['a']))
    await store.written()
    fs.fault = (operation, path) =>
      operation === 'rename' && path.endsWith('orders-0') ? { code: 'EIO' } : undefined
    await assert.rejects(store.deleteTopic('orders'))
    fs.kill()
    fs.fault = undefined
    await using again = await openMemory({ fs })
    assert.equal(again.topic('orders'), undefined)
    assert.ok(!fs.files().some((path) => path.includes('orders')))
  })

  it('removes what an interrupted creation left, and nothing that is not its own', async () => {
    const fs = memoryFileSystem()
    await (await openMemory({ fs })).close()
    for (const path of ['half-0/leader-epoch-checkpoint', 'backup-1/notes.txt', 'file-2']) {
      fs.makeFolder(`/data/${path}`.replace(/\/[^/]+$/, ''))
      fs.open(`/data/${path}`, 'write').close()
    }
    const strays: string[] = []
    await using store = await openMemory({
      fs,
      onReport: (report) => report.kind === 'stray-folder' && strays.push(report.path),
    })
    assert.deepEqual(strays.toSorted(), ['/data/backup-1', '/data/file-2'])
    assert.ok(!fs.files().some((path) => path.includes('half')))
    assert.ok(fs.files().includes('/data/backup-1/notes.txt'))
    assert.equal(store.topics().length, 0)
  })

  it('moves records of an unknown topic aside instead of mixing them in', async () => {
    const fs = memoryFileSystem()
    const reports: string[] = []
    {
      await using store = await openMemory({ fs })
      append(await makeLog(store, 'orders'), batchOf(['a']))
      await store.written()
    }
    const twin = memoryFileSystem()
    await (await openMemory({ fs: twin })).close()
    twin.makeFolder('/data/orders-0')
    for (const name of ['leader-epoch-checkpoint', '00000000000000000000.log']) {
      const file = twin.open(`/data/orders-0/${name}`, 'write')
      file.write([fs.readFile(`/data/orders-0/${name}`) ?? Buffer.alloc(0)], 0)
    }
    await using store = await openMemory({ fs: twin, onReport: ({ kind }) => reports.push(kind) })
    const log = await makeLog(store, 'orders')
    assert.equal(log.highWatermark, 0)
    assert.deepEqual(reports, ['stray-folder', 'stray-folder'])
    assert.ok(twin.files().some((path) => path.includes('.stray/')))
  })
})

describe('log store: retention', () => {
  it('drops old segments, log start first, files a minute later', async () => {
    const fs = memoryFileSystem()
    const clock = manualClock(startMs)
    await using store = await openMemory({ fs, clock })
    const log = await makeLog(store, 'orders', { 'segment.bytes': '150', 'retention.ms': '10000' })
    for (let at = 0; at < 4; at++)
      append(log, batchOf([{ text: `${at}${'-'.repeat(50)}`, timestamp: startMs + at * 1000 }]))
    await store.written()
    clock.advance(12_500)
    const before = log.sizeInBytes
    const report = await store.retain()
    assert.equal(report.segments, 3)
    assert.deepEqual(report.partitions, [{ topic: 'orders', partition: 0, logStartOffset: 3 }])
    assert.equal(log.logStartOffset, 3)
    assert.equal(log.sizeInBytes, before - report.bytes)
    assert.match(fs.readFile('/data/recovery-points')?.toString() ?? '', / 3\n$/)
    assert.equal(fs.files().filter((path) => path.endsWith('.log.deleted')).length, 3)
    clock.advance(60_000)
    assert.equal(fs.files().filter((path) => path.includes('.deleted')).length, 0)
    assert.equal((await readAll(log)).length, 1)
    assert.equal((await store.retain()).segments, 1, 'the active one goes too')
    assert.equal(log.logStartOffset, 4)
    assert.deepEqual(append(log, batchOf(['next'])), appended(4))
    await store.written()
  })

  it('goes on with other partitions when one cannot be read', async () => {
    const fs = memoryFileSystem()
    const clock = manualClock(startMs)
    {
      await using store = await openMemory({ fs, clock })
      for (const name of ['bad', 'good']) {
        const log = await makeLog(store, name, { 'retention.ms': '1', 'segment.bytes': '100' })
        for (const text of ['a', 'b']) append(log, batchOf([text]))
        await store.written()
      }
    }
    await using store = await openMemory({ fs, clock })
    clock.advance(1000)
    fs.fault = (operation, path) =>
      operation === 'read' && path.includes('bad-0') ? { code: 'EIO' } : undefined
    await assert.rejects(store.retain(), AggregateError)
    assert.equal(logOf(store, 'good').logStartOffset, 2)
    assert.equal(logOf(store, 'bad').logStartOffset, 0)
    fs.fault = undefined
    assert.equal((await store.retain()).segments, 2)
  })

  it('keeps what producers sent in segments that are gone', async () => {
    const fs = memoryFileSystem()
    const clock = manualClock(startMs)
    const store = await openMemory({ fs, clock })
    const log = await makeLog(store, 'orders', { 'retention.ms': '1000' })
    append(log, sequenced(['a'], 0))
    await store.written()
    clock.advance(2000)
    await store.retain()
    assert.equal(log.logStartOffset, 1)
    fs.cutPower()
    await using again = await openMemory({ fs, clock })
    assert.equal(append(logOf(again, 'orders'), sequenced(['a'], 0)).kind, 'duplicate')
  })

  it('lets a reader of a dropped segment finish', async () => {
    const fs = memoryFileSystem()
    await using store = await openMemory({ fs })
    const log = await makeLog(store, 'orders', {
      'retention.bytes': '0',
      'segment.bytes': '1000000',
    })
    for (let at = 0; at < 3; at++) append(log, batchOf(['x'.repeat(900_000)]))
    await store.written()
    const slow = log.read(0, anything)
    assert.ok(slow instanceof Promise)
    await store.retain()
    assert.equal(log.logStartOffset, 2)
    assert.equal(textsOf(await slow).length, 1)
  })

  it('keeps the log start over a kill, and never moves it back', async () => {
    const fs = memoryFileSystem()
    const store = await openMemory({ fs })
    const log = await makeLog(store, 'orders')
    for (const text of ['a', 'b', 'c']) append(log, batchOf([text]))
    await store.written()
    assert.equal(await store.deleteRecords('orders', 0, 2), 2)
    assert.equal(await store.deleteRecords('orders', 0, 1), 2)
    await assert.rejects(
      store.deleteRecords('orders', 0, 4),
      isCode('MR_STORAGE_OFFSET_OUT_OF_RANGE'),
    )
    fs.kill()
    await using again = await openMemory({ fs })
    assert.equal(logOf(again, 'orders').logStartOffset, 2)
    assert.deepEqual(await readAll(logOf(again, 'orders')), ['2:c'])
  })

  it('syncs what stands behind before records are deleted', async () => {
    const fs = memoryFileSystem()
    const store = await openMemory({ fs })
    const log = await makeLog(store, 'orders')
    for (const text of ['a', 'b', 'c']) append(log, batchOf([text]))
    await store.written()
    await store.deleteRecords('orders', 0, 2)
    fs.cutPower()
    await using again = await openMemory({ fs })
    assert.deepEqual(await readAll(logOf(again, 'orders')), ['2:c'])
  })

  it('goes on at the log start when all the rest is lost', async () => {
    const fs = memoryFileSystem()
    const store = await openMemory({ fs })
    const log = await makeLog(store, 'orders')
    for (const text of ['a', 'b', 'c']) append(log, batchOf([text]))
    await store.written()
    await store.deleteRecords('orders', 0, 2)
    fs.kill()
    fs.open('/data/orders-0/00000000000000000000.log', 'write').truncate(100)
    await using again = await openMemory({ fs })
    const found = logOf(again, 'orders')
    assert.deepEqual([found.logStartOffset, found.highWatermark], [2, 2])
    assert.deepEqual(append(found, batchOf(['next'])), appended(2))
    await again.written()
    assert.deepEqual(await readAll(found), ['2:next'])
  })
})

function isCode(code: ErrorCode) {
  return (error: unknown): boolean => isFailure(error, code)
}
