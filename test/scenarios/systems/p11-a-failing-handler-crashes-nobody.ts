/**
 * A message that fails for a while. kafkajs gives up after its retries, crashes the consumer, leaves the group and, by
 * rules of its own, starts anew: the other partition stands still meanwhile. Here that partition alone waits, the group
 * notices nothing, and a restart begins at the same message.
 */
import assert from 'node:assert/strict'
import { defineConsumer, defineTopic, text } from '../../../packages/millrace/src/app/index.ts'
import { events } from '../../../packages/millrace/src/telemetry/index.ts'
import { scenarioApp } from '../../harness/app.ts'
import { openKafkajs } from '../../harness/kafkajs.ts'
import { scenario } from '../../harness/scenario.ts'

const orders = defineTopic('orders', { value: text() })

await scenario({ topics: { orders: { partitions: 2 } } }, async (scene) => {
  await scene.send('orders', [
    { partition: 0, value: 'bad' },
    { partition: 1, value: 'good' },
  ])

  const crashes: unknown[] = []
  const consumer = openKafkajs(scene.brokers).consumer({
    groupId: scene.group('naive'),
    maxWaitTimeInMs: 100,
    retry: { retries: 1, initialRetryTime: 10 },
  })
  consumer.on('consumer.crash', ({ payload }) => crashes.push(payload))
  await consumer.connect()
  await consumer.subscribe({ topics: [scene.topic('orders')], fromBeginning: true })
  await consumer.run({
    eachMessage({ message }) {
      if (String(message.value) === 'bad') throw new Error('no answer')
      return Promise.resolve()
    },
  })
  await scene.until('kafkajs crashes', () => crashes.length > 0)
  await consumer.disconnect()

  let isBroken = true
  const seen: string[] = []
  const rejoins: unknown[] = []
  const group = scene.group('ours')
  const stop = events.groupJoining.subscribe(({ groupId }) => {
    if (groupId === group) rejoins.push(groupId)
  })
  const { start, committed } = scenarioApp(scene, {
    consumers: [
      defineConsumer({
        topic: orders,
        group: 'ours',
        backoff: '10ms',
        each({ value }, { attempt }) {
          if (value === 'bad' && isBroken) throw new Error(`no answer, attempt ${attempt}`)
          seen.push(value)
        },
      }),
    ],
  })
  const failed: number[] = []
  const stopFailed = events.consumerFailed.subscribe(({ offset, partition }) =>
    failed.push(partition * 100 + offset),
  )
  {
    await using worker = await start()
    const joins = rejoins.length
    await scene.until('it has failed often', () => failed.length >= 8)
    await scene.send('orders', [{ partition: 1, value: 'good too' }])
    await scene.until('the other partition flows', () => seen.includes('good too'))
    assert.equal(rejoins.length, joins, 'no rebalance')
    assert.equal(worker.state, 'running')
  }
  assert.deepEqual([...new Set(failed)], [0])
  assert.equal(await committed('ours', 'orders', 1), 2)
  isBroken = false
  {
    await using worker = await start()
    await scene.until('the restart begins at it', () => seen.includes('bad'))
    assert.equal(worker.state, 'running')
  }
  stop()
  stopFailed()
  assert.deepEqual(seen.toSorted(), ['bad', 'good', 'good too'])
})
