import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { cp, symlink } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, it } from 'node:test'

import { noPostgres, startPostgres } from '../../harness/postgres.ts'
import { root } from '../docs/read-page.ts'
import { makeReaderFolder } from '../docs/reader-folder.ts'

describe('the order desk', { concurrency: 2 }, () => {
  it('tells its story on node:sqlite', async () => {
    const story = await tell()
    assert.match(story, /\(node:sqlite, embedded broker\)/)
  })

  it('tells it on Postgres', { skip: noPostgres ?? false }, async () => {
    await using server = await startPostgres()
    const { host, user, database } = server.connection
    const story = await tell({ DATABASE_URL: `postgres://${user}@/${database}?host=${host}` })
    assert.match(story, /\(Postgres, embedded broker\)/)
  })
})

async function tell(env: Readonly<Record<string, string>> = {}): Promise<string> {
  await using folder = await makeReaderFolder()
  await cp(join(root, 'examples/order-desk'), folder.path, {
    recursive: true,
    filter: (path) => !path.includes('node_modules/') && !path.endsWith('package.json'),
  })
  await symlink(join(root, 'node_modules/pg'), join(folder.path, 'node_modules/pg'))
  const story = await new Promise<string>((resolve, reject) => {
    const options = { cwd: folder.path, env: { PATH: process.env['PATH'], ...env } }
    execFile(process.execPath, ['story.ts'], options, (error, stdout, stderr) => {
      if (error) reject(new Error(`${stdout}\n${stderr}`))
      else resolve(stdout)
    })
  })
  assert.match(story, /^Act 1\. Direct calls\n(.|\n)*\nAct 3\.(.|\n)*\nThe end: .* Each once\.\n$/)
  return story
}
