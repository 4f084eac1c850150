/**
 * One run publishes each of: request latency per API; message size, buffer fill, overflow, delivery latency,
 * attempts, ack delay, dropped; processing time and errors, batch size, offset lag, time lag, pause time, seek,
 * heartbeat, join, sync and leave time.
 */
import assert from 'node:assert/strict'
import { defineConsumer, defineTopic, monitor } from '../../../packages/millrace/src/app/index.ts'
import { scenarioApp } from '../../harness/app.ts'
import { scenario } from '../../harness/scenario.ts'

const orders = defineTopic('orders')

await scenario({ topics: { orders: { partitions: 1 } } }, async (scene) => {
  const measured: Record<string, unknown[]> = {}
  const note = (signal: string, value: unknown): void => {
    measured[signal] ??= []
    measured[signal].push(value)
  }
  const apis = new Set<string>()
  const end = monitor.subscribe({
    onRequestAnswered: ({ api, durationMs }) => {
      apis.add(api)
      note('request latency', durationMs)
    },
    onProducerAppended: ({ bytes, count, bufferedBytes, deliveryMs, attempts, ackMs }) => {
      note('message size', bytes / count)
      note('buffer fill', bufferedBytes)
      note('delivery latency', deliveryMs)
      note('attempts', attempts)
      note('ack delay', ackMs)
    },
    onProducerBufferFull: ({ waiting }) => note('overflow', waiting),
    onProducerQueueFull: ({ limit }) => note('overflow of the queue', limit),
    onProducerFailed: ({ count }) => note('dropped', count),
    onJobFinished: ({ durationMs, messages, lag, timeLagMs }) => {
      note('processing time', durationMs)
      note('batch size', messages)
      note('offset lag', lag)
      note('time lag', timeLagMs)
    },
    onConsumerFailed: ({ error }) => note('processing errors', error),
    onPartitionResumed: ({ pausedMs }) => note('pause time', pausedMs),
    onPartitionSeek: ({ to }) => note('seek', to),
    onHeartbeat: ({ latencyMs }) => note('heartbeat', latencyMs),
    onGroupJoined: ({ durationMs }) => note('join time', durationMs),
    onGroupSynced: ({ durationMs }) => note('sync time', durationMs),
    onGroupLeft: ({ durationMs }) => note('leave time', durationMs),
  })
  scene.watch('measured', () => measured)

  const seen: number[] = []
  const consumer = defineConsumer({
    topic: orders,
    backoff: '10ms',
    commit: { interval: '100ms' },
    each({ offset }, { attempt, pause, seek }) {
      seen.push(offset)
      if (offset === 1 && attempt === 1) throw new Error('once')
      if (offset === 2) pause({ for: '20ms' })
      if (offset === 3 && seen.filter((one) => one === 3).length === 1) seek(2)
    },
  })
  const { start } = scenarioApp(
    scene,
    { consumers: [consumer] },
    { heartbeat: '100ms', producer: { buffer: '64KiB', queueLimit: 1, deliveryInterval: '100s' } },
  )
  {
    await using worker = await start()
    const { send, enqueue } = worker.producer
    await send(orders, { value: 'warm' })
    const large = 'x'.repeat(40_000)
    await Promise.all([1, 2, 3].map(() => send(orders, { value: large })))
    enqueue(orders, { value: 'in the queue' })
    assert.throws(() => enqueue(orders, { value: 'too many' }), { code: 'MR_PRODUCER_QUEUE_FULL' })
    await scene.until('all were handled, and a heartbeat answered', () => {
      return seen.filter((one) => one === 3).length === 2 && measured['heartbeat'] !== undefined
    })
  }
  {
    // It would wait for more than it may.
    const impatient = { lingerMs: 3_600_000, deliveryTimeoutMs: 300 }
    await using producer = scene.client.producer(impatient)
    await assert.rejects(producer.send({ topic: scene.topic('orders'), value: 'late' }))
  }
  end()

  const numbers = Object.entries(measured).filter(([, [first]]) => typeof first === 'number')
  for (const [signal, values] of numbers)
    assert.ok(
      values.every((value) => Number.isFinite(value) && (value as number) >= 0),
      signal,
    )
  assert.deepEqual(
    Object.keys(measured).toSorted(),
    [
      'ack delay',
      'attempts',
      'batch size',
      'buffer fill',
      'delivery latency',
      'dropped',
      'heartbeat',
      'join time',
      'leave time',
      'message size',
      'offset lag',
      'overflow',
      'overflow of the queue',
      'pause time',
      'processing errors',
      'processing time',
      'request latency',
      'seek',
      'sync time',
      'time lag',
    ].toSorted(),
  )
  for (const api of ['Produce', 'Fetch', 'Metadata', 'JoinGroup', 'SyncGroup', 'Heartbeat'])
    assert.ok(apis.has(api), `${api} among ${[...apis].join(', ')}`)
  assert.ok((measured['message size'] as number[]).some((bytes) => bytes > 40_000))
})
