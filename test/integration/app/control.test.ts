import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtemp, readdir, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'

import fc from 'fast-check'

import {
  defineApp,
  defineConsumer,
  defineTopic,
  internals,
  startWorker,
  type MillraceConfig,
  type StartOptions,
} from '../../../packages/millrace/src/app/index.ts'
import { events } from '../../../packages/millrace/src/telemetry/index.ts'
import { startTestBroker } from '../../../packages/millrace/src/testing/index.ts'
import { until } from '../../harness/until.ts'

const orders = defineTopic('orders', { partitions: 2 })
const { askWorker, runningWorkers } = internals

interface Folder extends AsyncDisposable {
  readonly path: string
}

async function temporary(deep = ''): Promise<Folder> {
  const path = await mkdtemp(join(tmpdir(), `millrace-control-${deep}`))
  return {
    path,
    [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }),
  }
}

function options(dataFolder: string, more: StartOptions = {}): StartOptions {
  return { signals: false, env: {}, log: false, createTopics: true, dataFolder, ...more }
}

describe('a worker’s control socket', () => {
  it('is its user’s alone, is found in the data folder, and goes with the worker', async () => {
    await using broker = await startTestBroker()
    await using folder = await temporary()
    const config: MillraceConfig = {
      brokers: [broker.address],
      app: defineApp({ consumers: [defineConsumer({ topic: orders, each() {} })] }),
    }
    const worker = await startWorker(config, options(folder.path, { name: 'orders:7' }))
    const [entry, ...others] = await runningWorkers(folder.path)
    assert.deepEqual(others, [])
    assert.equal(entry?.name, 'orders:7')
    assert.equal(entry.pid, process.pid)
    assert.equal((await stat(entry.socket)).mode & 0o777, 0o600)
    assert.equal((await stat(join(folder.path, 'workers'))).mode & 0o777, 0o700)
    const { status } = entry
    assert.equal(status.state, 'running')
    assert.match(status.clientId, /-orders-7$/)
    assert.equal(status.partitions.length, 2)
    assert.equal(status.isReady, true)
    const { document } = await askWorker(entry, { do: 'dump' })
    assert.ok((document?.internals?.uptimeSeconds ?? -1) >= 0)
    assert.deepEqual(document?.internals?.slots, { size: 8, taken: 0 })

    await askWorker(entry, { do: 'quiet' })
    await until('it is quiet', () => worker.state === 'quiet')
    await askWorker(entry, { do: 'stop' })
    assert.equal(await worker.done, 0)
    await until('nobody is there', async () => (await runningWorkers(folder.path)).length === 0)
    assert.deepEqual(await readdir(join(folder.path, 'workers')), [])
  })

  it('stands beside those of other workers of the process', async () => {
    await using folder = await temporary()
    const first = await startWorker({ app: defineApp({}) }, options(folder.path))
    await using second = await startWorker({ app: defineApp({}) }, options(folder.path))
    assert.equal((await runningWorkers(folder.path)).length, 2)
    await first.stop()
    await until('one is left', async () => (await runningWorkers(folder.path)).length === 1)
    const [entry] = await runningWorkers(folder.path)
    assert.ok(entry)
    await askWorker(entry, { do: 'stop' })
    assert.equal(await second.done, 0)
  })

  it('is found at a path that is too long for a socket', async () => {
    await using folder = await temporary('x'.repeat(120))
    await using _worker = await startWorker({ app: defineApp({}) }, options(folder.path))
    const [entry] = await runningWorkers(folder.path)
    assert.equal(entry?.status.state, 'running')
    assert.ok(!entry.socket.startsWith(folder.path))
  })

  it('believes no entry whose socket nobody answers, whoever has its pid now', async () => {
    await using folder = await temporary()
    const worker = await startWorker({ app: defineApp({}) }, options(folder.path))
    await worker.stop()
    await until(
      'it has gone',
      async () => (await readdir(join(folder.path, 'workers'))).length === 0,
    )
    const stale = { name: 'worker', pid: process.pid, socket: join(folder.path, 'gone.sock') }
    const file = join(folder.path, 'workers', `worker-${process.pid}.json`)
    await writeFile(file, JSON.stringify(stale))
    await writeFile(join(folder.path, 'workers', 'cut-1.json'), '{"name":"cu')
    assert.deepEqual(await runningWorkers(folder.path), [])
    assert.deepEqual(await readdir(join(folder.path, 'workers')), ['cut-1.json'])
  })

  it('is no condition: a worker on a read-only file system runs without', async () => {
    await using folder = await temporary()
    await writeFile(join(folder.path, 'file'), '')
    const config = { app: defineApp({}) }
    await using worker = await startWorker(config, options(join(folder.path, 'file', 'data')))
    assert.equal(worker.state, 'running')
  })

  it('is not opened in a folder that somebody else has made', async () => {
    await using folder = await temporary()
    await using other = await temporary()
    await symlink(other.path, join(folder.path, 'workers'))
    const refused: unknown[] = []
    const unsubscribe = events.controlUnavailable.subscribe(({ error }) => refused.push(error))
    await using worker = await startWorker({ app: defineApp({}) }, options(folder.path))
    unsubscribe()
    assert.equal(worker.state, 'running')
    assert.match(String(refused[0]), /is not a folder of this user/)
    assert.deepEqual(await readdir(other.path), [])
  })

  it('survives whatever is sent to it', async () => {
    await using folder = await temporary()
    await using worker = await startWorker({ app: defineApp({}) }, options(folder.path))
    const [entry] = await runningWorkers(folder.path)
    assert.ok(entry)
    const say = async (bytes: Uint8Array): Promise<string> => {
      const socket = connect(entry.socket)
      let heard = ''
      socket.on('data', (chunk: Buffer) => (heard += chunk.toString()))
      socket.on('error', () => undefined)
      socket.end(bytes)
      await once(socket, 'close')
      return heard
    }
    assert.match(await say(Buffer.from('{"do":"kill"}\n')), /that is no request/)
    assert.match(await say(Buffer.alloc(1_000_000, 'x')), /that is no request|^$/)
    await fc.assert(
      fc.asyncProperty(
        fc.oneof(
          fc.uint8Array({ maxLength: 64 }),
          fc.string().map((text) => Buffer.from(text)),
        ),
        fc.boolean(),
        async (bytes, isLine) => {
          const heard = await say(Buffer.concat([bytes, Buffer.from(isLine ? '\n' : '')]))
          assert.ok(heard === '' || JSON.parse(heard) !== undefined)
        },
      ),
      { numRuns: 100 },
    )
    assert.equal(worker.state, 'running')
    assert.equal((await askWorker(entry, { do: 'status' })).ok, true)
  })
})

describe('a worker that is told to stop while it joins', () => {
  it('stops in good order, and its start is no failure', async () => {
    await using broker = await startTestBroker()
    await using folder = await temporary()
    const config: MillraceConfig = {
      brokers: [broker.address],
      app: defineApp({ consumers: [defineConsumer({ topic: orders, each() {} })] }),
    }
    const told: Promise<unknown>[] = []
    const unsubscribe = events.groupJoining.subscribe(() => {
      if (told.length > 0) return
      told.push(
        (async () => {
          for (const entry of await internals.registeredWorkers(folder.path))
            await askWorker(entry, { do: 'stop' })
        })(),
      )
    })
    const worker = await startWorker(config, options(folder.path))
    unsubscribe()
    await Promise.all(told)
    assert.equal(await worker.done, 0)
    assert.equal(worker.state, 'stopped')
  })
})

describe('a pause from outside', () => {
  it('holds a partition over restarts, until it is resumed', async () => {
    await using broker = await startTestBroker()
    await using folder = await temporary()
    const seen: string[] = []
    const consumer = defineConsumer({
      topic: orders,
      each: ({ partition, value }) => void seen.push(`${partition} ${String(value)}`),
    })
    const config: MillraceConfig = {
      brokers: [broker.address],
      fetch: { maxWait: '50ms' },
      app: defineApp({ consumers: [consumer] }),
    }
    const tell = async (): Promise<void> => {
      for (const entry of await runningWorkers(folder.path))
        await askWorker(entry, { do: 'reload' })
    }
    {
      await using worker = await startWorker(config, options(folder.path))
      await internals.writePauses(folder.path, [{ topic: 'orders', partition: 1 }])
      await tell()
      await worker.producer.send(orders, { value: 'a', partition: 0 })
      await worker.producer.send(orders, { value: 'b', partition: 1 })
      await until('the other flows', () => seen.length === 1)
      assert.deepEqual(
        worker.partitions
          .map(({ state }) => (state.kind === 'paused' ? state.reason : ''))
          .toSorted(),
        ['', 'user'],
      )
    }
    await using worker = await startWorker(config, options(folder.path))
    await worker.producer.send(orders, { value: 'c', partition: 0 })
    await until('the other flows', () => seen.length === 2)
    assert.deepEqual(seen, ['0 a', '0 c'])
    await internals.writePauses(folder.path, [])
    await tell()
    await until('it goes on', () => seen.length === 3)
    assert.deepEqual(seen.at(-1), '1 b')
  })
})
