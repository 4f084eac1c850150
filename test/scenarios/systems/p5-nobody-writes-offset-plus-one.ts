/**
 * By hand in kafkajs: raw offsets, and whoever commits the offset of the message that he has handled gets it again after
 * each restart. By hand here: the message is marked, and a restart begins behind it.
 */
import assert from 'node:assert/strict'
import { defineConsumer, defineTopic, text } from '../../../packages/millrace/src/app/index.ts'
import { scenarioApp } from '../../harness/app.ts'
import { openKafkajs } from '../../harness/kafkajs.ts'
import { scenario } from '../../harness/scenario.ts'

const orders = defineTopic('orders', { value: text() })

await scenario({ topics: { orders: {} } }, async (scene) => {
  await scene.send('orders', [{ value: 'one' }, { value: 'two' }, { value: 'three' }])

  const naive: string[] = []
  const runNaive = async (wanted: number): Promise<void> => {
    const consumer = openKafkajs(scene.brokers).consumer({
      groupId: scene.group('naive'),
      maxWaitTimeInMs: 100,
    })
    await consumer.connect()
    await consumer.subscribe({ topics: [scene.topic('orders')], fromBeginning: true })
    await consumer.run({
      autoCommit: false,
      async eachMessage({ topic, partition, message }) {
        naive.push(String(message.value))
        await consumer.commitOffsets([{ topic, partition, offset: message.offset }])
      },
    })
    await scene.until('it has them', () => naive.length >= wanted, { lastSeen: () => naive })
    await consumer.disconnect()
  }
  await runNaive(3)
  await runNaive(4)
  assert.deepEqual(naive.slice(3), ['three'], 'the last one again, after every restart')

  const ours: string[] = []
  const consumer = defineConsumer({
    topic: orders,
    group: 'ours',
    offsets: 'manual',
    async each(message, { mark, commit }) {
      ours.push(message.value)
      mark(message)
      await commit()
    },
  })
  const { start, committed } = scenarioApp(scene, { consumers: [consumer] })
  for (const wanted of [3, 4]) {
    await using worker = await start()
    if (wanted === 4) await scene.send('orders', [{ value: 'four' }])
    await scene.until('it has them', () => ours.length === wanted, { lastSeen: () => ours })
    assert.equal(worker.state, 'running')
  }
  assert.deepEqual(ours, ['one', 'two', 'three', 'four'])
  assert.equal(await committed('ours', 'orders'), 4)
})
