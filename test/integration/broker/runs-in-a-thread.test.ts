import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { startBrokerThread } from '../../../packages/millrace/src/broker/index.ts'
import { isFailure, StorageError } from '../../../packages/millrace/src/errors/index.ts'
import { apis } from '../../../packages/millrace/src/protocol/index.ts'
import { events } from '../../../packages/millrace/src/telemetry/index.ts'
import { batchOf, produceTo } from './batches.ts'
import { connectRaw } from './raw-client.ts'

describe('a broker in a thread', () => {
  it('answers while this thread is busy', async () => {
    await using broker = await startBrokerThread({ memory: true })
    await using client = await connectRaw(broker.port)
    await client.ask(apis.createTopics, 4, {
      topics: [{ name: 'orders', numPartitions: 1, replicationFactor: 1 }],
    })
    const produced = client.ask(apis.produce, 8, produceTo('orders', 0, batchOf(['x'])))
    await new Promise((resolve) => setImmediate(resolve))
    const untilMs = performance.now() + 100
    while (performance.now() < untilMs);
    // The answer has long been here; this thread only had no time to read it.
    assert.equal((await produced).responses[0]?.partitionResponses[0]?.errorCode, 0)
    const stats = await broker.stats()
    assert.equal(stats.topics, 1)
    assert.equal(stats.connections, 1)
    assert.ok(stats.bytes > 60)
  })

  it('passes its events on, and ends when it is stopped', async () => {
    const created: string[] = []
    const unsubscribe = events.brokerTopicCreated.subscribe(({ topic }) => created.push(topic))
    const broker = await startBrokerThread({ memory: true })
    await using client = await connectRaw(broker.port)
    await client.ask(apis.metadata, 5, {
      topics: [{ name: 'asked' }],
      allowAutoTopicCreation: true,
    })
    await broker.stats()
    assert.deepEqual(created, ['asked'])
    await Promise.all([broker.stop(), broker.stop()])
    assert.equal(await broker.ended, undefined)
    await client.closed
    await assert.rejects(broker.stats(), (error) => isFailure(error, 'MR_BROKER_THREAD'))
    unsubscribe()
  })

  it('tells why it could not start, with code, class and hint', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'millrace-broker-'))
    try {
      await writeFile(join(folder, 'holiday.jpg'), 'not ours')
      await assert.rejects(
        startBrokerThread({ folder }),
        (error) =>
          isFailure(error, 'MR_STORAGE_FOREIGN_FOLDER') &&
          error instanceof StorageError &&
          error.hint.length > 0 &&
          error.message.includes('holiday.jpg'),
      )
      await using broker = await startBrokerThread({ folder: join(folder, 'data') })
      await assert.rejects(startBrokerThread({ folder: join(folder, 'data') }), (error) =>
        isFailure(error, 'MR_STORAGE_LOCKED'),
      )
      await assert.rejects(startBrokerThread({ memory: true, port: broker.port }), (error) =>
        isFailure(error, 'MR_BROKER_PORT_TAKEN'),
      )
      await assert.rejects(
        startBrokerThread({ memory: true, options: { groupMaxSize: 'many' as never } }),
        (error) => isFailure(error, 'MR_CONFIG_INVALID'),
      )
    } finally {
      await rm(folder, { recursive: true, force: true })
    }
  })
})
