import assert from 'node:assert/strict'
import { mkdir, mkdtemp, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { it } from 'node:test'

import { folderSize } from '../../../packages/millrace/src/cli/dev/folder-size.ts'

it('counts what is there, and nothing for files and folders that go meanwhile', async (test) => {
  const folder = await mkdtemp(join(tmpdir(), 'millrace-size-'))
  test.after(() => rm(folder, { recursive: true, force: true }))
  await mkdir(join(folder, 'a-topic'))
  await writeFile(join(folder, 'a-topic', 'log'), Buffer.alloc(10_000))
  await writeFile(join(folder, 'checkpoint.new'), 'x')
  const whole = await folderSize(folder)
  assert.equal(whole >= 10_000, true)

  const looksTooLate = (async (path: string) => {
    if (path.endsWith('.new')) await rm(path)
    return stat(path)
  }) as typeof stat
  const rest = await folderSize(folder, looksTooLate)
  assert.equal(rest < whole && rest >= 10_000, true)
  assert.equal(await folderSize(join(folder, 'not-there')), 0)
})
