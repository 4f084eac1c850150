import assert from 'node:assert/strict'
import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, it } from 'node:test'
import { apis, decodeRecords, splitBatches } from '../../../packages/millrace/src/protocol/index.ts'
import { batchOf, produceTo } from './batches.ts'
import { connectRaw, type RawClient } from './raw-client.ts'
import { until } from './until.ts'

const kills = 6

async function startProcess(
  folder: string,
  port: number,
): Promise<{ readonly child: ChildProcess; readonly port: number }> {
  const child = fork(new URL('./broker-process.ts', import.meta.url), [folder, String(port)])
  const [message] = (await once(child, 'message')) as [{ port: number }]
  return { child, port: message.port }
}

async function readAll(client: RawClient): Promise<string[]> {
  const values: string[] = []
  for (let offset = 0; ;) {
    const fetched = await client.ask(apis.fetch, 11, {
      maxBytes: 1_000_000,
      topics: [
        {
          topic: 'orders',
          partitions: [{ partition: 0, fetchOffset: offset, partitionMaxBytes: 1_000_000 }],
        },
      ],
    })
    const partition = fetched.responses[0]?.partitions[0]
    assert.equal(partition?.errorCode, 0)
    const batches = splitBatches(partition.records ?? Buffer.alloc(0))
    if (batches.length === 0) return values
    for (const batch of batches) {
      for (const record of decodeRecords(batch)) {
        assert.equal(record.offset, offset++)
        values.push(record.value?.toString() ?? '')
      }
    }
  }
}

describe('a broker that is killed', () => {
  let folder = ''
  let running: ChildProcess | undefined
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'millrace-kill-'))
  })
  afterEach(async () => {
    running?.kill('SIGKILL')
    await rm(folder, { recursive: true, force: true })
  })

  it('has every acknowledged record once and in order, and never a lower committed offset', async () => {
    let { child, port } = await startProcess(folder, 0)
    running = child
    let client = await connectRaw(port)
    await client.ask(apis.createTopics, 4, {
      topics: [{ name: 'orders', numPartitions: 1, replicationFactor: 1 }],
    })
    const { producerId } = await client.ask(apis.initProducerId, 4, { transactionalId: null })
    let next = 0
    let acknowledged = -1
    let committed = -1

    /** Sends until the broker is gone; what was not acknowledged is sent again, with its sequence. */
    const work = async (): Promise<void> => {
      for (;;) {
        const batch = batchOf([`${next}`], { producerId, sequence: next })
        const produced = await client.ask(apis.produce, 9, produceTo('orders', 0, batch))
        const answer = produced.responses[0]?.partitionResponses[0]
        assert.equal(answer?.errorCode, 0, answer?.errorMessage ?? '')
        assert.equal(answer.baseOffset, next)
        acknowledged = next++
        const commit = await client.ask(apis.offsetCommit, 7, {
          groupId: 'g',
          topics: [
            { name: 'orders', partitions: [{ partitionIndex: 0, committedOffset: acknowledged }] },
          ],
        })
        assert.equal(commit.topics[0]?.partitions[0]?.errorCode, 0)
        committed = acknowledged
      }
    }
    for (let kill = 0; kill < kills; kill++) {
      const stopAt = acknowledged + 20 + kill * 37
      const working = work().catch((error: unknown) => {
        if (!String(error).includes('closed the connection')) throw error
      })
      await until(`${stopAt} are acknowledged`, () => acknowledged >= stopAt)
      child.kill('SIGKILL')
      await once(child, 'exit')
      await working
      await client.closed
      ;({ child } = await startProcess(folder, port))
      running = child
      client = await connectRaw(port)
      const fetched = await client.ask(apis.offsetFetch, 5, { groupId: 'g', topics: null })
      const found = fetched.topics[0]?.partitions[0]?.committedOffset ?? -1
      assert.ok(found >= committed && found <= acknowledged, `${committed} <= ${found}`)
    }
    const values = await readAll(client)
    assert.ok(
      values.length > acknowledged,
      `${values.length} records, ${acknowledged} acknowledged`,
    )
    assert.deepEqual(
      values,
      values.map((_, index) => `${index}`),
    )
    await client[Symbol.asyncDispose]()
  })
})
