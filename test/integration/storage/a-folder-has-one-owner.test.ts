import assert from 'node:assert/strict'
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { isFailure, type MillraceError } from '../../../packages/millrace/src/errors/index.ts'
import { openLogStore } from '../../../packages/millrace/src/storage/index.ts'

describe('a data folder', () => {
  it('names the process that has it, and is free as soon as that process is dead', async () => {
    await using at = await temporaryFolder()
    const owner = await startOwner(at.folder)
    const error = await failureOf(openLogStore({ folder: at.folder }))
    assert.ok(isFailure(error, 'MR_STORAGE_LOCKED'))
    assert.equal(error.context['pid'], owner.pid)
    assert.match(error.message, new RegExp(`process ${owner.pid} \\(port 9092\\)`))

    owner.kill('SIGKILL')
    await once(owner, 'exit')
    assert.ok((await readdir(at.folder)).includes('lock.sock'), 'the dead socket is still there')
    await (await openLogStore({ folder: at.folder, reserveBytes: 0 })).close()
    assert.ok(!(await readdir(at.folder)).includes('lock.sock'))
  })

  it('goes to exactly one of many who want it at once', async () => {
    await using at = await temporaryFolder()
    const opens = Array.from({ length: 8 }, () =>
      openLogStore({ folder: at.folder, reserveBytes: 0 }),
    )
    const outcomes = await Promise.allSettled(opens)
    const won = outcomes.filter((one) => one.status === 'fulfilled')
    assert.equal(won.length, 1)
    for (const outcome of outcomes)
      if (outcome.status === 'rejected') assert.ok(isFailure(outcome.reason, 'MR_STORAGE_LOCKED'))
    await won[0]?.value.close()
  })

  it('is left untouched when it is somebody else’s, newer, or no folder', async () => {
    await using at = await temporaryFolder()
    const foreign = join(at.folder, 'foreign')
    await mkdir(foreign)
    await writeFile(join(foreign, 'meta.properties'), 'cluster.id=x')
    assert.equal(
      (await failureOf(openLogStore({ folder: foreign }))).code,
      'MR_STORAGE_FOREIGN_FOLDER',
    )
    assert.deepEqual(await readdir(foreign), ['meta.properties'])

    const newer = join(at.folder, 'newer')
    await (await openLogStore({ folder: newer, reserveBytes: 0 })).close()
    const path = join(newer, 'cluster.json')
    const text = (await readFile(path, 'utf8')).replace('"format": 1', '"format": 2')
    await writeFile(path, text)
    const before = await readdir(newer)
    assert.equal((await failureOf(openLogStore({ folder: newer }))).code, 'MR_STORAGE_NEWER_FORMAT')
    assert.deepEqual(await readdir(newer), before)
    assert.equal(await readFile(path, 'utf8'), text)

    const file = join(at.folder, 'file')
    await writeFile(file, '')
    assert.equal((await failureOf(openLogStore({ folder: file }))).code, 'MR_STORAGE_FOLDER')
  })
})

async function startOwner(folder: string): Promise<ChildProcess> {
  const module = join(import.meta.dirname, '../../../packages/millrace/src/storage/index.ts')
  const program = `
    const { openLogStore } = await import(${JSON.stringify(module)})
    const store = await openLogStore({ folder: ${JSON.stringify(folder)}, reserveBytes: 0 })
    store.announce({ port: 9092 })
    console.log('open')
    setInterval(() => undefined, 1000)
  `
  const child = spawn(process.execPath, ['--input-type=module', '--eval', program], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  await once(child.stdout, 'data')
  return child
}

async function failureOf(open: Promise<AsyncDisposable>): Promise<MillraceError> {
  try {
    await (await open)[Symbol.asyncDispose]()
  } catch (error) {
    return error as MillraceError
  }
  throw new Error('it was opened')
}

async function temporaryFolder(): Promise<{ readonly folder: string } & AsyncDisposable> {
  const folder = await mkdtemp(join(tmpdir(), 'millrace-own-'))
  return { folder, [Symbol.asyncDispose]: () => rm(folder, { recursive: true }) }
}
