/** A short life of a store, ended at each of its calls to the disk in turn, by kill -9 and by power failure. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import {
  append,
  appended,
  batchOf,
  logOf,
  makeLog,
  openMemory,
  readAll,
  sequenced,
} from './fixtures.test.ts'
import { memoryFileSystem, type LogStore, type MemoryFileSystem } from './index.ts'

/** What the process was told before it died. */
interface Seen {
  created: boolean
  acknowledged: number
  synced: number
  start: number
  deletion: 'none' | 'asked' | 'done'
  clean: boolean
}

const options = { reserveBytes: 1000, indexIntervalBytes: 100 } as const

async function live(fs: MemoryFileSystem, seen: Seen): Promise<void> {
  const store = await openMemory({ fs, ...options })
  const log = await makeLog(store, 'orders', { 'segment.bytes': '250', 'retention.ms': '-1' })
  seen.created = true
  const send = async (from: number, until: number): Promise<void> => {
    for (let at = from; at < until; at++)
      assert.equal(append(log, sequenced([`v${at}`], at)).kind, 'appended')
    await store.written()
    seen.acknowledged = until
  }
  const sync = async (): Promise<void> => {
    const end = log.highWatermark
    await store.sync()
    if (!log.hasFailed) seen.synced = end
  }
  await send(0, 1)
  await send(1, 5)
  await sync()
  await send(5, 7)
  append(await makeLog(store, 'gone'), batchOf(['x']))
  await store.written()
  await store.deleteRecords('orders', 0, 4)
  if (!log.hasFailed) seen.start = 4
  seen.deletion = 'asked'
  await store.deleteTopic('gone')
  seen.deletion = 'done'
  await store.retain()
  await store.setConfigs('orders', { 'segment.bytes': '250', 'retention.ms': '-1' })
  await send(7, 9)
  await sync()
  await send(9, 10)
  await store.close()
  seen.clean = fs.size('/data/clean') !== undefined
}

describe('a store that dies at any call to the disk', () => {
  for (const death of ['kill', 'power'] as const) {
    it(`keeps its promises (${death})`, async () => {
      let isOver = false
      for (let at = 1; !isOver; at++) {
        const fs = memoryFileSystem()
        let calls = 0
        fs.fault = (operation, _, bytes) => {
          if (++calls < at) return undefined
          // The call at which it dies may still do half of its work.
          if (calls === at && operation === 'write' && at % 2 === 0)
            return { writeOnly: Math.floor(bytes / 2) }
          return { code: 'EIO' }
        }
        const seen: Seen = {
          created: false,
          acknowledged: 0,
          synced: 0,
          start: 0,
          deletion: 'none',
          clean: false,
        }
        await live(fs, seen).catch(() => undefined)
        isOver = calls < at
        if (death === 'kill') fs.kill()
        else fs.cutPower(undefined, at % 3 === 0 ? 'zeros' : 'gone')
        const twin = fs.copy()
        await check(twin, seen, death, `${death} at call ${at}, ${JSON.stringify(seen)}`)
      }
    })
  }
})

async function check(
  fs: MemoryFileSystem,
  seen: Seen,
  death: 'kill' | 'power',
  what: string,
): Promise<void> {
  let store: LogStore
  try {
    store = await openMemory({ fs, ...options })
  } catch (error) {
    throw new Error(`it does not open: ${what}`, { cause: error })
  }
  if (seen.created) {
    const log = logOf(store, 'orders')
    const least = death === 'kill' ? seen.acknowledged : seen.synced
    assert.ok(log.highWatermark >= least, `${log.highWatermark} of ${least}: ${what}`)
    assert.ok(log.logStartOffset >= seen.start, what)
    const end = log.highWatermark
    const texts = (await readAll(log)).filter((text) => Number.parseInt(text, 10) >= 4)
    const from = Math.max(4, log.logStartOffset)
    assert.deepEqual(
      texts,
      Array.from({ length: Math.max(0, end - from) }, (_, at) => `${from + at}:v${from + at}`),
      what,
    )
    if (seen.clean) assert.deepEqual(store.repairs, [], what)
    for (let back = Math.max(0, end - 5); back < end; back++)
      assert.equal(append(log, sequenced([`v${back}`], back)).kind, 'duplicate', what)
    assert.deepEqual(append(log, sequenced([`v${end}`], end)), appended(end), what)
    await store.written()
  } else assert.ok((store.partition('orders', 0)?.highWatermark ?? 0) === 0, what)
  if (seen.deletion === 'done') assert.equal(store.topic('gone'), undefined, what)
  if (store.topic('gone') === undefined)
    assert.ok(!fs.files().some((path) => path.includes('/gone-')), what)

  await store.close()
  const again = await openMemory({ fs, ...options })
  assert.deepEqual(again.repairs, [], `a second time: ${what}`)
  await again.close()
}
