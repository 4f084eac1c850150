/** Its own code, nothing marked, other partitions flow, the same offset after a restart; never in a loop. */
import assert from 'node:assert/strict'
import { defineConsumer, defineTopic } from '../../../packages/millrace/src/app/index.ts'
import { keptLog, scenarioApp } from '../../harness/app.ts'
import { scenario } from '../../harness/scenario.ts'

const orders = defineTopic('orders')

await scenario({ topics: { orders: { partitions: 2 } } }, async (scene) => {
  const seen: string[] = []
  const touched: unknown[] = []
  const consumer = defineConsumer({
    topic: orders,
    group: 'billing',
    backoff: '20ms',
    each(message) {
      seen.push(`${message.partition}/${message.offset}`)
      touched.push(message.value)
    },
  })
  const { start, committed } = scenarioApp(scene, { consumers: [consumer] })
  const { lines, logger } = keptLog()
  {
    await using worker = await start({ log: logger })
    await scene.send('orders', [
      { partition: 0, value: '{"total": secret' },
      { partition: 0, value: '1' },
      { partition: 1, value: '2' },
    ])
    await scene.until('the other one came', () => touched.includes(2))
    const first = worker.partitions.find(({ partition }) => partition === 0)
    await scene.until('the partition is blocked', () => {
      return worker.partitions.some(
        ({ partition, state }) => partition === 0 && state.kind === 'blocked',
      )
    })
    assert.equal(first?.topic, 'orders')
  }
  assert.deepEqual(seen.toSorted(), ['0/0', '1/0'], 'a second attempt would be no better')
  assert.equal(await committed('billing', 'orders', 0), 0)
  assert.ok(
    lines.some(({ text }) => text.endsWith('Blocked orders/0 at offset 0: MR_APP_UNDECODABLE')),
  )
  assert.doesNotMatch(JSON.stringify(lines.map(({ text }) => text)), /secret/)
  {
    await using worker = await start()
    assert.equal(worker.state, 'running')
    await scene.until(
      'it came again after the restart',
      () => seen.filter((at) => at === '0/0').length === 2,
    )
  }
  assert.ok(!touched.includes(1))
})
