import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { describe, it } from 'node:test'
import { openLogStore, type PartitionLog } from '../../../packages/millrace/src/storage/index.ts'
import {
  appendSequenced,
  folderOptions,
  partitions,
  readNumbers,
  topic,
} from './numbered-batches.ts'

const rounds = Number(process.env['MILLRACE_KILLS'] ?? 6)
const remembered = 5

/** Acknowledged: offset by sequence, per partition. */
type Acknowledged = Map<number, number>[]

describe('kill -9', () => {
  it('loses nothing acknowledged, and repeats are recognised', { timeout: 100_000 }, async () => {
    const folder = await mkdtemp(join(tmpdir(), 'millrace-kill-'))
    const acknowledged: Acknowledged = Array.from({ length: partitions }, () => new Map())
    try {
      for (let round = 0; round < rounds; round++) {
        await appendUntilKilled(folder, acknowledged, 20 + Math.floor(Math.random() * 4000))
        await check(folder, acknowledged, round % 2 === 0)
      }
    } finally {
      await rm(folder, { recursive: true })
    }
  })
})

async function appendUntilKilled(
  folder: string,
  acknowledged: Acknowledged,
  acknowledgements: number,
): Promise<void> {
  const child = spawn(
    process.execPath,
    [
      join(import.meta.dirname, 'appender.ts'),
      folder,
      ...acknowledged.map(({ size }) => String(size)),
    ],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  )
  const exited = once(child, 'exit')
  let seen = 0
  for await (const line of createInterface({ input: child.stdout })) {
    const [partition, sequence, offset] = line.split(' ').map(Number)
    if (partition === undefined || sequence === undefined || offset === undefined) continue
    acknowledged[partition]?.set(sequence, offset)
    if (++seen === acknowledgements) child.kill('SIGKILL')
  }
  const [, signal] = (await exited) as [number | null, string | null]
  assert.equal(signal, 'SIGKILL')
}

async function check(folder: string, acknowledged: Acknowledged, isClosed: boolean): Promise<void> {
  const store = await openLogStore({ folder, ...folderOptions })
  try {
    assert.deepEqual(store.repairs, [])
    for (const [partition, offsets] of acknowledged.entries()) {
      const log = store.partition(topic, partition) as PartitionLog
      const numbers = await readNumbers(log)
      assert.deepEqual(
        numbers,
        Array.from({ length: numbers.length }, (_, at) => at),
        'each once, in order',
      )
      assert.ok(numbers.length >= offsets.size)
      for (const [sequence, offset] of offsets) assert.equal(numbers[offset], sequence)
      // What was written and not acknowledged counts as such now: a producer would repeat it.
      const last = numbers.length - 1
      for (let back = 0; back < Math.min(remembered, numbers.length); back++)
        assert.equal(appendSequenced(store, partition, last - back), last - back)
      assert.equal(log.logEndOffset, numbers.length, 'repeats add nothing')
      for (const sequence of numbers) offsets.set(sequence, sequence)
    }
  } finally {
    if (isClosed) await store.close()
    // Left as after a kill: the lock alone goes, as it would with its process.
    else await store.close().then(() => rm(join(folder, 'clean'), { force: true }))
  }
}
