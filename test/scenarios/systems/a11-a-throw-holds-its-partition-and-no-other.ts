/**
 * One error line and one event with the original error; nothing marked; the partition waits and the same offset
 * comes again, for as long as it takes; other partitions flow and nobody rebalances.
 */
import assert from 'node:assert/strict'
import { defineConsumer, defineTopic, monitor } from '../../../packages/millrace/src/app/index.ts'
import { keptLog, scenarioApp } from '../../harness/app.ts'
import { scenario } from '../../harness/scenario.ts'

const orders = defineTopic('orders')

await scenario({ topics: { orders: { partitions: 2 } } }, async (scene) => {
  const seen: string[] = []
  const failures: unknown[] = []
  const errors: unknown[] = []
  let joins = 0
  const unsubscribe = monitor.subscribe({
    onConsumerFailed: ({ error }) => failures.push(error),
    onError: ({ error }) => errors.push(error),
    onGroupJoined: () => void joins++,
  })
  const thrown = new TypeError('no such customer')
  const consumer = defineConsumer({
    topic: orders,
    group: 'billing',
    backoff: '100ms',
    each({ partition, offset, value }) {
      seen.push(`${partition}/${offset}`)
      if (value === 'bad') throw thrown
    },
  })
  const { lines, logger } = keptLog()
  const { start, committed } = scenarioApp(scene, { consumers: [consumer] })
  const times = (at: string): number => seen.filter((one) => one === at).length
  {
    await using worker = await start({ log: logger })
    await scene.send('orders', [
      { partition: 0, value: '"bad"' },
      { partition: 0, value: '"behind it"' },
      { partition: 1, value: '"good"' },
    ])
    await scene.until('the bad message came back, and back', () => times('0/0') >= 4, {
      lastSeen: () => seen,
    })
    await scene.send('orders', [{ partition: 1, value: '"good too"' }])
    await scene.until('the other partition flows', () => times('1/1') === 1)
    assert.equal(times('0/1'), 0, 'nothing overtook it')
    assert.equal(worker.partitions.find(({ partition }) => partition === 0)?.lag, 2)
  }
  unsubscribe()
  assert.equal(await committed('billing', 'orders', 0), 0)
  assert.equal(await committed('billing', 'orders', 1), 2)
  assert.equal(joins, 1, 'no rebalance')
  assert.ok(failures.every((error) => error === thrown))
  assert.equal(failures.length, times('0/0'), 'one event an attempt')
  assert.equal(errors.length, failures.length)
  assert.ok(errors.every((error) => (error as Error).cause === thrown))

  const told = lines.filter(({ level }) => level === 'error')
  assert.equal(told.length, failures.length, 'one line an attempt')
  assert.match(
    told[0]?.text ?? '',
    /orders failed on orders\/0 at offset 0, attempt 1, next in 100 ms -- TypeError: no such customer$/,
  )
  assert.partialDeepStrictEqual(told[0]?.fields, { err: thrown }, 'with the stack')
  assert.ok(
    lines.some(({ text }) => text.endsWith('Retrying orders on orders/0 from offset 0, attempt 2')),
  )
})
