import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdir, rm, writeFile } from 'node:fs/promises'
import { it } from 'node:test'
import { promisify } from 'node:util'

import { openClient } from '../../../packages/millrace/src/client/index.ts'
import { until } from '../../harness/until.ts'
import { runCli, startCli } from '../cli/run-cli.ts'
import { folderWith } from './refused.ts'

const run = promisify(execFile)
const mebibyte = 1024 * 1024

/** A disk of its own, in memory; undefined where this user may not mount one. */
async function smallDisk(path: string, mebibytes: number): Promise<AsyncDisposable | undefined> {
  await mkdir(path)
  try {
    await run('mount', ['-t', 'tmpfs', '-o', `size=${mebibytes}m`, 'tmpfs', path])
  } catch {
    return undefined
  }
  return {
    async [Symbol.asyncDispose]() {
      await run('umount', [path])
    },
  }
}

it('a full disk refuses what is written, tells why, and goes on when there is room', async (test) => {
  await using folder = await folderWith()
  const path = folder.at('disk')
  // Two times the broker's reserve of 16 MiB must be free before it goes on.
  await using disk = await smallDisk(path, 80)
  if (!disk) {
    test.skip('mounting a small disk takes root')
    return
  }
  const ballast = folder.at('disk/ballast')
  await writeFile(ballast, Buffer.alloc(56 * mebibyte))
  await using broker = startCli(['broker', '--data', `${path}/log`, '--port', '0'])
  await until('it runs', () => broker.stdout.includes('localhost:'), { lastSeen: () => broker })
  const address = /localhost:\d+/.exec(broker.stdout)?.[0] ?? ''
  const at = ['--brokers', address]
  await runCli(['topics', 'create', 'orders', '--partitions', '1', ...at])

  await using client = openClient({ brokers: [address] })
  await using producer = client.producer({ deliveryTimeoutMs: 500 })
  const value = Buffer.alloc(512 * 1024)
  let sent = 0
  await assert.rejects(
    async () => {
      for (; sent < 100; sent++) await producer.send({ topic: 'orders', value })
    },
    (error: Error) => {
      assert.match(
        error.message,
        /not written within 500 ms: .*KAFKA_STORAGE_ERROR \(the disk of the broker is full\)/,
      )
      return true
    },
  )
  assert.ok(sent > 0 && sent < 40, `${sent} were taken`)
  assert.match(broker.stderr, /^the disk is full: .*; Nothing is written until there is room/m)

  // What is there can be read, and a command says the same as the client.
  const read = await runCli(['tail', 'orders', '--from', 'start', '--exit', '-o', 'ndjson', ...at])
  assert.equal(read.code, 0)
  assert.equal(read.stdout.trim().split('\n').length, sent)
  const refused = await runCli(['write', 'orders', '--whole', ...at], { input: value })
  assert.equal(refused.code, 1)
  assert.match(refused.stderr, /the disk of the broker is full/)
  assert.doesNotMatch(refused.stderr, /^\s+at /m)

  await rm(ballast)
  await until('it goes on', () => broker.stderr.includes('the disk has room again'), {
    lastSeen: () => broker.stderr,
  })
  const next = await runCli(['write', 'orders', 'hello', ...at])
  assert.deepEqual([next.code, next.stdout], [0, `orders 0 ${sent}\n`], next.stderr)
  broker.child.kill('SIGTERM')
  assert.equal((await broker.ended).code, 0)
})
