import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { isFailure, type ErrorCode } from '../errors/index.ts'
import { manualClock } from '../kit/index.ts'
import { hasValidCrc, readBatchHeader } from '../protocol/index.ts'
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
  type TimedText,
} from './fixtures.test.ts'
import { memoryFileSystem, openLogStore } from './index.ts'

describe('log store: append and read', () => {
  it('gives offsets, and shows only what is written', async () => {
    await using store = await openMemory()
    const log = await makeLog(store, 'orders')
    assert.deepEqual(append(log, batchOf(['a', 'b'])), appended(0))
    assert.deepEqual(append(log, batchOf(['c'])), appended(2))
    assert.equal(log.logEndOffset, 3)
    assert.equal(log.highWatermark, 0)
    assert.equal((await log.read(0, anything)).length, 0)
    const written = store.written()
    assert.equal(store.written(), written, 'one promise per turn')
    await written
    assert.equal(log.highWatermark, 3)
    assert.deepEqual(textsOf(await log.read(0, anything)), ['0:a', '1:b', '2:c'])
    assert.deepEqual(textsOf(await log.read(1, anything)), ['0:a', '1:b', '2:c'], 'whole batches')
    assert.deepEqual(textsOf(await log.read(2, anything)), ['2:c'])
    assert.equal((await log.read(3, anything)).length, 0)
  })

  it('stores a batch byte for byte but for its place', async () => {
    await using store = await openMemory()
    const log = await makeLog(store, 'orders')
    append(log, batchOf(['before']))
    const sent = batchOf(['a', 'b'], { partitionLeaderEpoch: 5 })
    const kept = Buffer.from(sent)
    append(log, sent)
    await store.written()
    const read = Buffer.from(await log.read(1, anything))
    assert.equal(readBatchHeader(read).baseOffset, 1)
    assert.equal(readBatchHeader(read).partitionLeaderEpoch, 0)
    assert.ok(hasValidCrc(read, 0, read.length))
    assert.deepEqual(read.subarray(16), kept.subarray(16))
  })

  it('answers near the tail at once, and further back through the thread pool', async () => {
    await using store = await openMemory()
    const log = await makeLog(store, 'orders')
    for (let round = 0; round < 5; round++) {
      append(log, batchOf(['x'.repeat(400_000)]))
      await store.written()
    }
    assert.ok(log.read(0, anything) instanceof Promise)
    assert.ok(Buffer.isBuffer(log.read(4, anything)))
    assert.equal((await readAll(log)).length, 5)
  })

  it('cuts at batch borders only, and gives the first batch whole when asked', async () => {
    await using store = await openMemory({ indexIntervalBytes: 300 })
    const log = await makeLog(store, 'orders')
    for (let at = 0; at < 50; at++) append(log, batchOf([`text ${at}`]))
    await store.written()
    const size = batchOf(['text 10']).length
    for (const maxBytes of [0, 1, size - 1]) {
      assert.equal((await log.read(10, { maxBytes, minOneBatch: false })).length, 0)
      assert.deepEqual(textsOf(await log.read(10, { maxBytes, minOneBatch: true })), ['10:text 10'])
    }
    for (const batches of [1, 2, 3, 5, 20]) {
      const read = await log.read(10, { maxBytes: size * batches + 3, minOneBatch: false })
      assert.equal(textsOf(read).length, batches)
      assert.equal(read.length, size * batches)
    }
  })

  it('reads below a bound only', async () => {
    await using store = await openMemory()
    const log = await makeLog(store, 'orders')
    for (const texts of [['a', 'b'], ['c'], ['d', 'e']]) append(log, batchOf(texts))
    await store.written()
    assert.deepEqual(textsOf(await log.read(0, { ...anything, upTo: 3 })), ['0:a', '1:b', '2:c'])
    assert.equal((await log.read(3, { ...anything, upTo: 3 })).length, 0)
    assert.deepEqual(textsOf(await log.read(2, { ...anything, upTo: 99 })), ['2:c', '3:d', '4:e'])
  })

  it('does not keep what a read was cut from', async () => {
    await using store = await openMemory()
    const log = await makeLog(store, 'orders')
    append(log, batchOf(['small']))
    append(log, batchOf(['x'.repeat(100_000)]))
    await store.written()
    const read = await log.read(0, { maxBytes: 90_000, minOneBatch: true })
    assert.deepEqual(textsOf(read), ['0:small'])
    assert.ok(read.buffer.byteLength < 10_000, String(read.buffer.byteLength))
  })

  it('stamps the time of append where the topic says so, and only there', async () => {
    const clock = manualClock(startMs)
    await using store = await openMemory({ clock })
    const log = await makeLog(store, 'orders', { 'message.timestamp.type': 'LogAppendTime' })
    clock.advance(5000)
    assert.deepEqual(append(log, batchOf(['a'])), {
      kind: 'appended',
      baseOffset: 0,
      logAppendTimeMs: startMs + 5000,
    })
    await store.written()
    const read = await log.read(0, anything)
    assert.equal(readBatchHeader(read).maxTimestamp, startMs + 5000)
    assert.ok(hasValidCrc(read, 0, read.length))
    assert.equal((await log.offsetForTime(startMs + 1))?.timestampMs, startMs + 5000)
  })

  it('tells listeners after the high watermark moved', async () => {
    await using store = await openMemory()
    const log = await makeLog(store, 'orders')
    const seen: number[] = []
    const stop = log.onAdvance(() => seen.push(log.highWatermark))
    append(log, batchOf(['a']))
    append(log, batchOf(['b']))
    await store.written()
    assert.deepEqual(seen, [2])
    stop()
    append(log, batchOf(['c']))
    await store.written()
    assert.deepEqual(seen, [2])
  })

  it('refuses a batch whose length is not what it says', async () => {
    await using store = await openMemory()
    const log = await makeLog(store, 'orders')
    const bytes = batchOf(['a'])
    const cut = bytes.subarray(0, -1)
    assert.deepEqual(log.append(cut, readBatchHeader(cut)), { kind: 'refused', errorCode: 2 })
  })
})

describe('log store: segments', () => {
  const small = { 'segment.bytes': '500' }

  it('rolls by size and reads across segments', async () => {
    const fs = memoryFileSystem()
    await using store = await openMemory({ fs, indexIntervalBytes: 100 })
    const log = await makeLog(store, 'orders', small)
    for (let at = 0; at < 40; at++) {
      append(log, batchOf([`text ${at}`]))
      if (at % 3 === 0) await store.written()
    }
    await store.written()
    assert.ok(fs.files().filter((path) => path.endsWith('.log')).length >= 6)
    assert.deepEqual(
      await readAll(log),
      Array.from({ length: 40 }, (_, at) => `${at}:text ${at}`),
    )
    for (let at = 0; at < 40; at++)
      assert.equal(textsOf(await log.read(at, anything))[0], `${at}:text ${at}`)
  })

  it('rolls by age', async () => {
    const fs = memoryFileSystem()
    const clock = manualClock(startMs)
    await using store = await openMemory({ fs, clock })
    const log = await makeLog(store, 'orders', { 'segment.ms': '1000' })
    append(log, batchOf(['a']))
    await store.written()
    clock.advance(1000)
    append(log, batchOf(['b']))
    await store.written()
    assert.equal(fs.files().filter((path) => path.endsWith('.log')).length, 2)
    assert.deepEqual(await readAll(log), ['0:a', '1:b'])
  })

  it('takes a batch larger than a segment', async () => {
    await using store = await openMemory()
    const log = await makeLog(store, 'orders', small)
    for (const text of ['a', 'x'.repeat(2000), 'b']) append(log, batchOf([text]))
    await store.written()
    assert.equal((await readAll(log)).length, 3)
  })

  it('rebuilds indexes that are missing, torn or full of zeros', async () => {
    const fs = memoryFileSystem()
    {
      await using store = await openMemory({ fs, indexIntervalBytes: 100 })
      const log = await makeLog(store, 'orders', { 'segment.bytes': '2000' })
      for (let at = 0; at < 60; at++)
        append(log, batchOf([{ text: `text ${at}`, timestamp: startMs + at }]))
      await store.written()
    }
    const indexes = fs.files().filter((path) => path.endsWith('index'))
    assert.ok(indexes.length >= 4)
    for (const damage of ['missing', 'short', 'odd', 'zeros'] as const) {
      const twin = fs.copy()
      for (const path of indexes) {
        const size = twin.size(path) ?? 0
        const file = twin.open(path, 'write')
        if (damage === 'missing') twin.remove(path)
        else if (damage === 'zeros') file.write([Buffer.alloc(size)], 0)
        else file.truncate(damage === 'odd' ? size - 1 : Math.floor(size / 48) * 24)
        file.close()
      }
      await using store = await openMemory({ fs: twin, indexIntervalBytes: 100 })
      const log = logOf(store, 'orders')
      for (let at = 0; at < 60; at++) {
        assert.equal(textsOf(await log.read(at, anything))[0], `${at}:text ${at}`, damage)
        assert.equal((await log.offsetForTime(startMs + at))?.offset, at, `${damage} by time`)
      }
    }
  })
})

describe('log store: time', () => {
  it('finds the first record at or after a time, within batches and across segments', async () => {
    await using store = await openMemory({ indexIntervalBytes: 100 })
    const log = await makeLog(store, 'orders', { 'segment.bytes': '800' })
    const times = [5, 3, 9, 9, 1, 12, 12, 40, 2, 41]
    for (let at = 0; at < times.length; at += 2)
      append(
        log,
        batchOf(
          times.slice(at, at + 2).map((time) => ({ text: '', timestamp: startMs + time * 1000 })),
        ),
      )
    await store.written()
    for (let time = 0; time <= 42; time++) {
      const expected = times.findIndex((one) => one >= time)
      const found = await log.offsetForTime(startMs + time * 1000)
      assert.equal(found?.offset ?? -1, expected, `at ${time}`)
    }
    assert.deepEqual(await log.offsetOfMaxTimestamp(), {
      offset: 9,
      timestampMs: startMs + 41_000,
      leaderEpoch: 0,
    })
  })

  it('knows nothing of what was trimmed off the head', async () => {
    await using store = await openMemory()
    const log = await makeLog(store, 'orders')
    append(log, batchOf([stamped(90), stamped(50), stamped(70)]))
    append(log, batchOf([stamped(60)]))
    await store.written()
    assert.equal((await log.offsetOfMaxTimestamp())?.offset, 0)
    await store.deleteRecords('orders', 0, 1)
    assert.equal((await log.offsetOfMaxTimestamp())?.offset, 2)
    assert.equal((await log.offsetForTime(0))?.offset, 1)
    assert.equal(await log.offsetForTime(71), undefined)
    await store.deleteRecords('orders', 0, -1)
    assert.equal(await log.offsetOfMaxTimestamp(), undefined)
  })

  it('answers nothing in an empty log', async () => {
    await using store = await openMemory()
    const log = await makeLog(store, 'orders')
    assert.equal(await log.offsetForTime(0), undefined)
    assert.equal(await log.offsetOfMaxTimestamp(), undefined)
  })
})

describe('log store: idempotence', () => {
  it('answers an exact repeat with its first offset, also within the turn', async () => {
    await using store = await openMemory()
    const log = await makeLog(store, 'orders')
    append(log, batchOf(['other']))
    assert.deepEqual(append(log, sequenced(['a', 'b'], 0)), appended(1))
    const repeat = { kind: 'duplicate', baseOffset: 1, timestampMs: startMs }
    assert.deepEqual(append(log, sequenced(['a', 'b'], 0)), repeat)
    await store.written()
    assert.deepEqual(append(log, sequenced(['a', 'b'], 0)), repeat)
    assert.deepEqual(append(log, sequenced(['d'], 3)), { kind: 'refused', errorCode: 45 })
    assert.deepEqual(append(log, sequenced(['c'], 2)), appended(3))
    await store.written()
    assert.deepEqual(await readAll(log), ['0:other', '1:a', '2:b', '3:c'])
  })

  it('never gives a producer id twice, restarts and kills included', async () => {
    const fs = memoryFileSystem()
    const seen = new Set<number>()
    for (let life = 0; life < 3; life++) {
      const store = await openMemory({ fs })
      const ids = await Promise.all(Array.from({ length: 1500 }, () => store.nextProducerId()))
      for (const id of ids) {
        assert.ok(!seen.has(id))
        seen.add(id)
      }
      if (life === 0) fs.kill()
      else await store.close()
    }
  })
})

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

  it('goes on at the log start when a power failure took all the rest', async () => {
    const fs = memoryFileSystem()
    const store = await openMemory({ fs })
    const log = await makeLog(store, 'orders')
    for (const text of ['a', 'b', 'c']) append(log, batchOf([text]))
    await store.written()
    await store.deleteRecords('orders', 0, 2)
    fs.cutPower()
    await using again = await openMemory({ fs })
    const found = logOf(again, 'orders')
    assert.deepEqual([found.logStartOffset, found.highWatermark], [2, 2])
    assert.deepEqual(append(found, batchOf(['next'])), appended(2))
    await again.written()
    assert.deepEqual(await readAll(found), ['2:next'])
  })
})

describe('log store: the folder', () => {
  it('has one owner at a time', async () => {
    const fs = memoryFileSystem()
    await using owner = await openMemory({ fs })
    await assert.rejects(openMemory({ fs }), isCode('MR_STORAGE_LOCKED'))
    assert.deepEqual(owner.topics(), [], 'who goes on undisturbed')
  })

  it('does not settle among foreign files', async () => {
    const fs = memoryFileSystem()
    fs.makeFolder('/data/thesis')
    fs.open('/data/thesis/final.doc', 'write').close()
    await assert.rejects(openMemory({ fs }), isCode('MR_STORAGE_FOREIGN_FOLDER'))
    assert.deepEqual(fs.files(), ['/data/thesis/final.doc'])
  })

  it('leaves a newer format and a broken cluster.json alone', async () => {
    const fs = memoryFileSystem()
    fs.makeFolder('/data')
    const write = (text: string): void => {
      const file = fs.open('/data/cluster.json', 'write')
      file.truncate(0)
      file.write([Buffer.from(text)], 0)
      file.close()
    }
    write('{"format":99}')
    await assert.rejects(openMemory({ fs }), isCode('MR_STORAGE_NEWER_FORMAT'))
    for (const text of [
      '{',
      '[]',
      'null',
      '{"format":1}',
      '{"format":1,"clusterId":"a","nodeId":1,"topics":[{"name":"../x"}]}',
    ]) {
      write(text)
      await assert.rejects(openMemory({ fs }), isCode('MR_STORAGE_CORRUPT'), text)
    }
    assert.deepEqual(fs.files(), ['/data/cluster.json'])
  })

  it('can be looked at without changing a byte, also beside its owner', async () => {
    const fs = memoryFileSystem()
    const owner = await openMemory({ fs })
    const log = await makeLog(owner, 'orders')
    append(log, batchOf(['a']))
    await owner.written()
    const file = fs.open('/data/orders-0/00000000000000000000.log', 'write')
    file.write([Buffer.from('torn')], file.size())
    const before = fs.files().map((path) => [path, fs.readFile(path)])
    fs.fault = (operation) =>
      ['write', 'rename', 'remove', 'truncate', 'sync'].includes(operation)
        ? { code: 'EIO' }
        : undefined
    const store = await openMemory({ fs, isReadOnly: true })
    assert.equal(store.repairs.length, 1)
    assert.deepEqual(await readAll(logOf(store, 'orders')), ['0:a'])
    assert.deepEqual(append(logOf(store, 'orders'), batchOf(['b'])), {
      kind: 'refused',
      errorCode: 56,
    })
    await assert.rejects(
      store.createTopic({ name: 'x', partitions: 1 }),
      isCode('MR_STORAGE_READ_ONLY'),
    )
    await store.close()
    assert.deepEqual(
      fs.files().map((path) => [path, fs.readFile(path)]),
      before,
    )
  })

  it('takes no calls after close, and closes once', async () => {
    const store = await openMemory()
    const log = await makeLog(store, 'orders')
    await Promise.all([store.close(), store.close()])
    await assert.rejects(
      store.createTopic({ name: 'x', partitions: 1 }),
      isCode('MR_STORAGE_CLOSED'),
    )
    assert.deepEqual(append(log, batchOf(['a'])), { kind: 'refused', errorCode: 56 })
  })

  it('says what is wrong with a path that cannot be a folder', async () => {
    const fs = memoryFileSystem()
    fs.fault = (operation) => (operation === 'list' ? { code: 'EIO' } : undefined)
    await assert.rejects(openLogStore({ folder: '/data', fs }), isCode('MR_STORAGE_FOLDER'))
  })
})

function isCode(code: ErrorCode) {
  return (error: unknown): boolean => isFailure(error, code)
}

function stamped(timestamp: number): TimedText {
  return { text: '', timestamp }
}
