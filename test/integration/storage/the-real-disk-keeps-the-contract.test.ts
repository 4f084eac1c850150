import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileSystemContract } from '../../../packages/millrace/src/storage/file-system.contract.ts'
import { nodeFileSystem } from '../../../packages/millrace/src/storage/node-file-system.ts'

fileSystemContract('disk', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'millrace-fs-'))
  return {
    fs: nodeFileSystem,
    folder,
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true }),
  }
})

fileSystemContract('disk, with a path too long for a socket', async () => {
  const folder = await mkdtemp(join(tmpdir(), `millrace-fs-${'long'.repeat(30)}`))
  return {
    fs: nodeFileSystem,
    folder,
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true }),
  }
})
