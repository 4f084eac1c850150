/**
 * The pieces are orthogonal: the client alone, a consumer alone (no broker), the producer alone, the worker alone (no
 * consumer), a scale file alone; none needs another one to be there.
 */
import assert from 'node:assert/strict'
import {
  defineApp,
  defineConsumer,
  defineTopic,
  internals,
  openProducer,
  startWorker,
} from '../../../packages/millrace/src/app/index.ts'
import { openClient } from '../../../packages/millrace/src/client/index.ts'
import { driveConsumer } from '../../../packages/millrace/src/testing/index.ts'
import { scenario } from '../../harness/scenario.ts'

await scenario({ topics: { drops: {} } }, async (scene) => {
  const { brokers } = scene
  const name = scene.topic('drops')
  const drops = defineTopic(name)

  // The client: a producer and a reader, no application.
  await using client = openClient({ brokers })
  await client.producer().send({ topic: name, value: '"by the client"' })
  const read: string[] = []
  for await (const { value } of client.reader({ topics: [name] })) read.push(String(value))
  assert.deepEqual(read, ['"by the client"'])

  // A consumer: its real policies on a message, no broker.
  const handled: unknown[] = []
  const consumer = defineConsumer({
    topic: drops,
    group: scene.group('drops'),
    each: ({ value }) => void handled.push(value),
  })
  await using drive = driveConsumer(consumer)
  await drive.deliver({ value: 'by the drive' })
  assert.deepEqual(handled, ['by the drive'])

  // The producer: no worker.
  await using producer = openProducer({ brokers })
  await producer.send(drops, { value: 'by the producer' })

  // The worker: no consumer; it runs until it is stopped.
  const idle = await startWorker({ brokers, app: defineApp({}) }, { signals: false, log: false })
  assert.equal(idle.state, 'running')
  assert.equal(idle.health().isReady, true)
  assert.equal(await idle.stop(), 0)

  // A worker and a consumer: no unit, no scale file, no control socket.
  const config = { brokers, app: defineApp({ consumers: [consumer] }) }
  const worker = await startWorker(config, { signals: false, log: false })
  await scene.until('it reads what others wrote', () => handled.length === 3)
  assert.deepEqual(handled.slice(1), ['by the client', 'by the producer'])
  assert.equal(await worker.stop(), 0)

  // A scale file: read without an application that runs.
  const { workers } = await internals.readScaleFile('drops: 2', 'scale.yml', ['drops'])
  assert.deepEqual(
    workers.map((one) => one.name),
    ['drops:1', 'drops:2'],
  )
})
