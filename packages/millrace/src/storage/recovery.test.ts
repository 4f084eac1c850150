import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { manualClock } from '../kit/index.ts'
import { batchSizeAt } from '../protocol/index.ts'
import {
  append,
  appended,
  batchOf,
  logOf,
  makeLog,
  openMemory,
  readAll,
  sequenced,
  startMs,
} from './fixtures.test.ts'
import { memoryFileSystem, type MemoryFileSystem } from './index.ts'

const log0 = '/data/orders-0/00000000000000000000.log'

/** Four batches of one producer, five records; the process is dead. */
async function killedLog(): Promise<MemoryFileSystem> {
  const fs = memoryFileSystem()
  const store = await openMemory({ fs })
  const log = await makeLog(store, 'orders')
  append(log, sequenced(['a'], 0))
  append(log, sequenced(['b', 'c'], 1))
  append(log, sequenced(['d'], 3))
  append(log, sequenced(['e'], 4))
  await store.written()
  fs.kill()
  return fs
}

describe('recovery', () => {
  it('keeps a prefix of whole batches wherever the tail is torn', async () => {
    const fs = await killedLog()
    const bytes = fs.readFile(log0) ?? Buffer.alloc(0)
    const borders = bordersOf(bytes)
    for (let at = 0; at <= bytes.length; at++) {
      const twin = fs.copy()
      const file = twin.open(log0, 'write')
      file.truncate(at)
      const whole = borders.filter((border) => border <= at).length - 1
      await checkPrefix(twin, whole, at - (borders[whole] ?? 0), `cut at ${at}`)
    }
  })

  it('ends before the first flipped bit under the checksum, and never serves what follows', async () => {
    const fs = await killedLog()
    const bytes = fs.readFile(log0) ?? Buffer.alloc(0)
    const borders = bordersOf(bytes)
    for (let at = 0; at < bytes.length; at++) {
      const start = borders.findLast((border) => border <= at) ?? 0
      if (at - start >= 12 && at - start < 16) continue // leader epoch: free to change
      if (at - start < 8) continue // base offset: judged by order alone, below
      const twin = fs.copy()
      const file = twin.open(log0, 'write')
      file.write([Buffer.of((bytes[at] ?? 0) ^ 0x10)], at)
      const whole = borders.indexOf(start)
      await checkPrefix(twin, whole, bytes.length - start, `flip at ${at}`)
    }
  })

  it('cuts a tail of zeros, and offsets that do not rise', async () => {
    const fs = await killedLog()
    const bytes = fs.readFile(log0) ?? Buffer.alloc(0)
    const zeros = fs.copy()
    zeros.open(log0, 'write').write([Buffer.alloc(5000)], bytes.length)
    await checkPrefix(zeros, 4, 5000, 'zeros')
    const twice = fs.copy()
    twice.open(log0, 'write').write([bytes], bytes.length)
    await checkPrefix(twice, 4, bytes.length, 'the same again')
  })

  it('changes nothing the second time', async () => {
    const fs = await killedLog()
    fs.open(log0, 'write').truncate(200)
    await openMemory({ fs })
    fs.kill()
    const before = fs.readFile(log0)
    const store = await openMemory({ fs })
    assert.deepEqual(store.repairs, [])
    assert.deepEqual(fs.readFile(log0), before)
    await store.close()
  })

  it('recognises repeats of the last five batches after a kill, over segments and snapshots', async () => {
    const fs = memoryFileSystem()
    for (let life = 0; life < 4; life++) {
      const store = await openMemory({ fs })
      const log =
        store.partition('orders', 0) ?? (await makeLog(store, 'orders', { 'segment.bytes': '250' }))
      const first = life * 7
      for (let sequence = Math.max(0, first - 5); sequence < first; sequence++) {
        assert.deepEqual(append(log, sequenced([`${sequence}`], sequence)), {
          kind: 'duplicate',
          baseOffset: sequence,
          timestampMs: startMs,
        })
      }
      for (let sequence = first; sequence < first + 7; sequence++)
        assert.deepEqual(append(log, sequenced([`${sequence}`], sequence)), appended(sequence))
      await store.written()
      if (life === 1) await store.close()
      else fs.kill()
    }
  })

  it('does not take a batch for a repeat that the crash took away', async () => {
    const fs = memoryFileSystem()
    const store = await openMemory({ fs })
    const log = await makeLog(store, 'orders', { 'segment.bytes': '250' })
    for (let sequence = 0; sequence < 3; sequence++) append(log, sequenced(['x'], sequence))
    await store.written()
    await store.sync()
    // One turn that rolls in its middle: the snapshot at the roll must not know what comes behind it.
    for (let sequence = 3; sequence < 10; sequence++) append(log, sequenced(['y'], sequence))
    await store.written()
    fs.cutPower((path, synced, bytes) => (path.endsWith('.log') ? synced : bytes))
    await using again = await openMemory({ fs })
    const found = logOf(again, 'orders')
    const end = found.highWatermark
    assert.deepEqual(append(found, sequenced(['y'], end)), appended(end))
    assert.equal(append(found, sequenced(['x'], end - 1)).kind, 'duplicate')
    await again.written()
  })

  it('syncs the snapshot that it found before it lets segments go', async () => {
    const fs = memoryFileSystem()
    const clock = manualClock(startMs)
    const store = await openMemory({ fs, clock })
    const log = await makeLog(store, 'orders', { 'segment.bytes': '100', 'retention.ms': '1000' })
    append(log, sequenced(['a'], 0))
    await store.written()
    fs.fault = (operation, path) =>
      operation === 'write' && path.endsWith('1.log') ? { code: 'EIO' } : undefined
    append(log, sequenced(['b'], 1))
    await assert.rejects(store.written())
    fs.kill()
    const second = fs.copy()
    const next = await openMemory({ fs: second, clock })
    clock.advance(2000)
    await next.retain()
    assert.equal(logOf(next, 'orders').logStartOffset, 1)
    second.cutPower()
    await using last = await openMemory({ fs: second.copy(), clock })
    assert.equal(append(logOf(last, 'orders'), sequenced(['a'], 0)).kind, 'duplicate')
  })

  it('reads from the recovery point on only', async () => {
    const fs = memoryFileSystem()
    const clock = manualClock(startMs)
    const store = await openMemory({ fs, clock })
    const log = await makeLog(store, 'orders', { 'segment.bytes': '300' })
    for (let at = 0; at < 20; at++) append(log, batchOf([`text ${at}`]))
    await store.written()
    await store.sync()
    fs.kill()
    const read = new Set<string>()
    fs.fault = (operation, path) => {
      if (operation === 'read' && path.endsWith('.log')) read.add(path)
      return undefined
    }
    await using again = await openMemory({ fs })
    const logs = fs.files().filter((path) => path.endsWith('.log'))
    assert.deepEqual([...read], [logs.at(-1)])
    assert.equal((await readAll(logOf(again, 'orders'))).length, 20)
  })

  it('reads nothing after a clean stop', async () => {
    const fs = memoryFileSystem()
    {
      await using store = await openMemory({ fs })
      append(await makeLog(store, 'orders'), sequenced(['a'], 0))
      await store.written()
    }
    let reads = 0
    fs.fault = (operation, path) => {
      if (path.includes('orders') && operation !== 'list') reads++
      return undefined
    }
    const store = await openMemory({ fs })
    assert.equal(reads, 0)
    fs.fault = undefined
    assert.equal(append(logOf(store, 'orders'), sequenced(['a'], 0)).kind, 'duplicate')
    fs.kill()
    await using again = await openMemory({ fs })
    assert.deepEqual(await readAll(logOf(again, 'orders')), ['0:a'])
  })

  it('checks a partition whose file is not as the clean mark says', async () => {
    const fs = memoryFileSystem()
    {
      await using store = await openMemory({ fs })
      append(await makeLog(store, 'orders'), batchOf(['a']))
      await store.written()
    }
    fs.open(log0, 'write').write([Buffer.from('appended by a stranger')], fs.size(log0) ?? 0)
    await using store = await openMemory({ fs })
    assert.equal(store.repairs[0]?.bytes, 22)
    assert.deepEqual(await readAll(logOf(store, 'orders')), ['0:a'])
  })

  it('drops whole segments behind a bad byte', async () => {
    const fs = memoryFileSystem()
    const store = await openMemory({ fs })
    const log = await makeLog(store, 'orders', { 'segment.bytes': '150' })
    for (let at = 0; at < 6; at++) append(log, batchOf([`text ${at}`]))
    await store.written()
    fs.kill()
    const second = '/data/orders-0/00000000000000000002.log'
    fs.open(second, 'write').write([Buffer.of(1)], 70)
    await using again = await openMemory({ fs })
    assert.deepEqual(await readAll(logOf(again, 'orders')), ['0:text 0', '1:text 1'])
    assert.equal(again.repairs.length, 1)
    assert.equal(fs.files().filter((path) => path.endsWith('.log')).length, 2)
    assert.deepEqual(append(logOf(again, 'orders'), batchOf(['next'])), appended(2))
    await again.written()
  })

  it('finishes what a crash left of a rename', async () => {
    const fs = await killedLog()
    fs.rename(log0, `${log0}.swap`)
    fs.open('/data/orders-0/00000000000000000009.log.deleted', 'write').close()
    fs.open('/data/orders-0/00000000000000000000.log.cleaned', 'write').close()
    await using store = await openMemory({ fs })
    assert.equal((await readAll(logOf(store, 'orders'))).length, 5)
    assert.ok(!fs.files().some((path) => /swap|cleaned|deleted/.test(path)))
  })

  it('makes a partition anew whose folder is gone', async () => {
    const fs = await killedLog()
    fs.remove('/data/orders-0')
    await using store = await openMemory({ fs })
    assert.deepEqual(append(logOf(store, 'orders'), batchOf(['a'])), appended(0))
    await store.written()
  })
})

function bordersOf(bytes: Buffer): number[] {
  const borders = [0]
  for (let at = 0; at < bytes.length;) {
    at += batchSizeAt(bytes, at) ?? Number.NaN
    borders.push(at)
  }
  return borders
}

/** The first `whole` batches are there, the rest was cut and reported, and the producer can go on. */
async function checkPrefix(
  fs: MemoryFileSystem,
  whole: number,
  lost: number,
  what: string,
): Promise<void> {
  const texts = ['0:a', '1:b', '2:c', '3:d', '4:e']
  const end = [0, 1, 3, 4, 5][whole] ?? 0
  await using store = await openMemory({ fs })
  const log = logOf(store, 'orders')
  assert.deepEqual(await readAll(log), texts.slice(0, end), what)
  assert.deepEqual(
    store.repairs.map(({ bytes, offset }) => ({ bytes, offset })),
    lost === 0 ? [] : [{ bytes: lost, offset: end }],
    what,
  )
  if (whole > 1) assert.equal(append(log, sequenced(['b', 'c'], 1)).kind, 'duplicate', what)
  assert.deepEqual(append(log, sequenced(['next'], end)), appended(end), what)
  await store.written()
  assert.equal((await readAll(log)).at(-1), `${end}:next`, what)
}
