import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { isFailure } from '../errors/index.ts'
import { replaceFile, systemCode, writeFile, type FileSystem } from './file-system.ts'

export interface ContractFolder extends AsyncDisposable {
  readonly fs: FileSystem
  /** An empty folder. */
  readonly folder: string
}

/** What every file system promises. Point it at a new one before writing anything else. */
export function fileSystemContract(name: string, open: () => Promise<ContractFolder>): void {
  describe(`file system: ${name}`, () => {
    it('writes pieces in order and reads them back, both ways', async () => {
      await using at = await open()
      const file = at.fs.open(`${at.folder}/a.log`, 'write')
      assert.equal(file.write([Buffer.from('ab'), Buffer.from('cde')], 0), 5)
      assert.equal(file.write([Buffer.from('X')], 5), 1)
      assert.equal(file.size(), 6)
      const target = Buffer.alloc(4)
      assert.equal(file.readNow(target, 1), 4)
      assert.equal(target.toString(), 'bcde')
      assert.equal(await file.read(target, 4), 2, 'fewer at the end')
      assert.equal(target.toString('latin1', 0, 2), 'eX')
      assert.equal(file.readNow(target, 100), 0)
      await file.sync()
      file.close()
      assert.equal(at.fs.size(`${at.folder}/a.log`), 6)
      assert.equal(at.fs.readFile(`${at.folder}/a.log`)?.toString(), 'abcdeX')
    })

    it('keeps what is there when a file is opened again, and truncates on demand', async () => {
      await using at = await open()
      writeFile(at.fs, `${at.folder}/a`, Buffer.from('hello'))
      const file = at.fs.open(`${at.folder}/a`, 'write')
      file.truncate(2)
      assert.equal(file.size(), 2)
      file.truncate(4)
      file.close()
      assert.deepEqual(at.fs.readFile(`${at.folder}/a`), Buffer.from('he\0\0'))
      writeFile(at.fs, `${at.folder}/a`, Buffer.from('x'))
      assert.equal(at.fs.readFile(`${at.folder}/a`)?.toString(), 'x')
    })

    it('tells missing from present', async () => {
      await using at = await open()
      assert.equal(at.fs.size(`${at.folder}/none`), undefined)
      assert.equal(at.fs.readFile(`${at.folder}/none`), undefined)
      assert.throws(() => at.fs.open(`${at.folder}/none`, 'read'), hasCode('ENOENT'))
      assert.throws(() => at.fs.open(`${at.folder}/none`, 'change'), hasCode('ENOENT'))
      assert.throws(() => at.fs.open(`${at.folder}/no/file`, 'write'), hasCode('ENOENT'))
      assert.throws(() => at.fs.list(`${at.folder}/none`), hasCode('ENOENT'))
      assert.throws(() => at.fs.rename(`${at.folder}/none`, `${at.folder}/b`), hasCode('ENOENT'))
      at.fs.remove(`${at.folder}/none`)
    })

    it('lists, renames and removes folders with what is in them', async () => {
      await using at = await open()
      at.fs.makeFolder(`${at.folder}/one/two`)
      at.fs.makeFolder(`${at.folder}/one/two`)
      writeFile(at.fs, `${at.folder}/one/f`, Buffer.from('1'))
      assert.deepEqual([...at.fs.list(`${at.folder}/one`)].toSorted(), ['f', 'two'])
      at.fs.rename(`${at.folder}/one`, `${at.folder}/other`)
      assert.deepEqual(at.fs.list(at.folder), ['other'])
      assert.equal(at.fs.readFile(`${at.folder}/other/f`)?.toString(), '1')
      at.fs.remove(`${at.folder}/other`)
      assert.deepEqual(at.fs.list(at.folder), [])
    })

    it('lets a reader of a replaced or removed file go on', async () => {
      await using at = await open()
      writeFile(at.fs, `${at.folder}/a`, Buffer.from('old'))
      const reader = at.fs.open(`${at.folder}/a`, 'read')
      const target = Buffer.alloc(3)
      at.fs.rename(`${at.folder}/a`, `${at.folder}/a.deleted`)
      writeFile(at.fs, `${at.folder}/a`, Buffer.from('new'))
      at.fs.remove(`${at.folder}/a.deleted`)
      assert.equal(reader.readNow(target, 0), 3)
      assert.equal(target.toString(), 'old')
      reader.close()
    })

    it('replaces a file as a whole', async () => {
      await using at = await open()
      await replaceFile(at.fs, at.folder, 'state', Buffer.from('first'))
      await replaceFile(at.fs, at.folder, 'state', Buffer.from('2'))
      assert.equal(at.fs.readFile(`${at.folder}/state`)?.toString(), '2')
      assert.deepEqual(at.fs.list(at.folder), ['state'])
    })

    it('allocates room and knows how much is left', async () => {
      await using at = await open()
      assert.ok(at.fs.freeBytes(at.folder) > 0)
      await at.fs.allocate(`${at.folder}/reserve`, 100_000)
      assert.equal(at.fs.size(`${at.folder}/reserve`), 100_000)
      at.fs.remove(`${at.folder}/reserve`)
      assert.equal(at.fs.size(`${at.folder}/reserve`), undefined)
    })

    it('gives a folder to one owner at a time, and names it to the next', async () => {
      await using at = await open()
      const lock = await at.fs.lock(at.folder)
      await assert.rejects(
        at.fs.lock(at.folder),
        (error) => isFailure(error, 'MR_STORAGE_LOCKED') && error.context['pid'] === process.pid,
      )
      await lock.release()
      const next = await at.fs.lock(at.folder)
      await next.release()
    })
  })
}

function hasCode(code: string) {
  return (error: unknown): boolean => systemCode(error) === code
}
