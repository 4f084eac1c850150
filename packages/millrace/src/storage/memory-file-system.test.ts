import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { fileSystemContract } from './file-system.contract.ts'
import { systemCode, writeFile, writeFully } from './file-system.ts'
import { memoryFileSystem } from './memory-file-system.ts'

fileSystemContract('memory', async () => {
  const fs = memoryFileSystem()
  fs.makeFolder('/data')
  return { fs, folder: '/data', [Symbol.asyncDispose]: async () => undefined }
})

describe('memory file system', () => {
  it('cuts a write short when the disk fills up, then says so', () => {
    const fs = memoryFileSystem()
    fs.makeFolder('/d')
    fs.capacityBytes = 4
    const file = fs.open('/d/a', 'write')
    assert.equal(file.write([Buffer.from('abc'), Buffer.from('def')], 0), 4)
    assert.throws(
      () => file.write([Buffer.from('x')], 4),
      (error) => systemCode(error) === 'ENOSPC',
    )
    file.truncate(0)
    assert.throws(
      () => writeFully(file, [Buffer.from('abc'), Buffer.from('def')], 0),
      (error) => systemCode(error) === 'ENOSPC',
    )
  })

  it('carries a short write on', () => {
    const fs = memoryFileSystem()
    fs.makeFolder('/d')
    let calls = 0
    fs.fault = (operation) => (operation === 'write' && calls++ < 3 ? { writeOnly: 2 } : undefined)
    const file = fs.open('/d/a', 'write')
    assert.equal(writeFully(file, [Buffer.from('abc'), Buffer.from('defgh')], 0), 8)
    assert.equal(fs.readFile('/d/a')?.toString(), 'abcdefgh')
  })

  it('loses what was not synced when the power goes, and nothing after kill -9', async () => {
    const fs = memoryFileSystem()
    fs.makeFolder('/d')
    const file = fs.open('/d/a', 'write')
    file.write([Buffer.from('synced')], 0)
    await file.sync()
    file.write([Buffer.from(' not')], 6)
    const twin = fs.copy()
    fs.kill()
    assert.equal(fs.readFile('/d/a')?.toString(), 'synced not')
    assert.throws(
      () => file.size(),
      (error) => systemCode(error) === 'EBADF',
      'a dead process writes no more',
    )
    fs.cutPower()
    assert.equal(fs.readFile('/d/a')?.toString(), 'synced')
    twin.cutPower((_, synced) => synced + 2)
    assert.equal(twin.readFile('/d/a')?.toString(), 'synced n')
  })

  it('meets the faults that it is told to', () => {
    const fs = memoryFileSystem()
    fs.makeFolder('/d')
    fs.fault = (operation, path) =>
      operation === 'open' && path.endsWith('b') ? { code: 'EIO' } : undefined
    writeFile(fs, '/d/a', Buffer.from('1'))
    assert.throws(
      () => fs.open('/d/b', 'write'),
      (error) => systemCode(error) === 'EIO',
    )
  })
})
