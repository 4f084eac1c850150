import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { FileCache } from './file-cache.ts'
import { writeFile, type FileSystem } from './file-system.ts'
import { LatestSave } from './latest-save.ts'
import { memoryFileSystem } from './memory-file-system.ts'

describe('file cache', () => {
  it('closes the file that was used least recently, never one in use', () => {
    const { cache } = cacheOf(2)
    const a = cache.acquire('/d/a')
    cache.release(cache.acquire('/d/b'))
    cache.release(cache.acquire('/d/c'))
    assert.equal(cache.open, 2)
    assert.equal(a.file.size(), 1)
    assert.equal(cache.acquire('/d/a'), a, 'shared')
  })

  it('keeps a forgotten file open for its users, and gives its path a new one', () => {
    const { fs, cache } = cacheOf(2)
    const old = cache.acquire('/d/a')
    fs.rename('/d/a', '/d/a.deleted')
    cache.forget('/d/a')
    writeFile(fs, '/d/a', Buffer.from('newer'))
    assert.equal(cache.acquire('/d/a').file.size(), 5)
    assert.equal(old.file.size(), 1)
    cache.release(old)
    assert.throws(() => old.file.size(), 'closed with its last user')
  })
})

describe('latest save', () => {
  it('answers every call with a save that began after it, in at most two saves', async () => {
    let state = 0
    const saved: number[] = []
    const open: (() => void)[] = []
    const latest = new LatestSave(async () => {
      const value = state
      await new Promise<void>((resolve) => open.push(resolve))
      saved.push(value)
    })
    state = 1
    const first = latest.save()
    state = 2
    const second = latest.save()
    state = 3
    const third = latest.save()
    assert.equal(second, third)
    open.shift()?.()
    await first
    assert.deepEqual(saved, [1])
    await new Promise(setImmediate)
    open.shift()?.()
    await third
    assert.deepEqual(saved, [1, 3])
    await latest.idle()
  })

  it('tells a failure to those who asked for that save alone', async () => {
    let fails = true
    const latest = new LatestSave(async () => {
      await new Promise(setImmediate)
      if (fails) throw new Error('no')
    })
    const first = latest.save()
    const second = latest.save()
    await assert.rejects(first)
    fails = false
    await second
    await latest.idle()
  })
})

function cacheOf(limit: number): { fs: FileSystem; cache: FileCache } {
  const fs = memoryFileSystem()
  fs.makeFolder('/d')
  for (const name of 'abc') writeFile(fs, `/d/${name}`, Buffer.from(name))
  return { fs, cache: new FileCache(fs, 'change', limit) }
}
