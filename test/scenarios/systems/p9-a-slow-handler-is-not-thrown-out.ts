/**
 * A handler that takes longer than the session. kafkajs heartbeats between messages, so the member is thrown out and the
 * message comes again while it is still being handled. Here heartbeats have a timer of their own: one delivery.
 */
import assert from 'node:assert/strict'
import { setTimeout as wait } from 'node:timers/promises'
import { defineConsumer, defineTopic, text } from '../../../packages/millrace/src/app/index.ts'
import { events } from '../../../packages/millrace/src/telemetry/index.ts'
import { scenarioApp } from '../../harness/app.ts'
import { openKafkajs } from '../../harness/kafkajs.ts'
import { scenario } from '../../harness/scenario.ts'

const orders = defineTopic('orders', { value: text() })
/** The shortest that brokers allow. */
const sessionMs = 6000
const handlerMs = 7000

await scenario({ topics: { orders: {} } }, async (scene) => {
  await scene.send('orders', [{ value: 'slow' }])

  const naive: number[] = []
  const consumer = openKafkajs(scene.brokers).consumer({
    groupId: scene.group('naive'),
    maxWaitTimeInMs: 100,
    sessionTimeout: sessionMs,
    heartbeatInterval: 500,
  })
  await consumer.connect()
  await consumer.subscribe({ topics: [scene.topic('orders')], fromBeginning: true })
  await consumer.run({
    async eachMessage() {
      naive.push(performance.now())
      if (naive.length === 1) await wait(handlerMs)
    },
  })

  let delivered = 0
  let finished = 0
  const lost: unknown[] = []
  const stop = events.groupLost.subscribe((one) => lost.push(one))
  const slow = defineConsumer({
    topic: orders,
    group: 'ours',
    async each() {
      delivered += 1
      await wait(handlerMs)
      finished += 1
    },
  })
  const { start, committed } = scenarioApp(
    scene,
    { consumers: [slow] },
    { session: `${sessionMs}ms`, heartbeat: '500ms' },
  )
  await using worker = await start()
  await scene.until('ours is done', () => finished === 1)
  await scene.until('kafkajs has it again', () => naive.length >= 2, { lastSeen: () => naive })
  await consumer.disconnect()
  await worker.commit()
  stop()
  assert.deepEqual([delivered, finished, lost.length], [1, 1, 0])
  assert.equal(await committed('ours', 'orders'), 1)
})
