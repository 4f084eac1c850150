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
