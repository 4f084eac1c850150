/** What failed and was not finished is where the next worker begins, with its attempts counted anew. */
import assert from 'node:assert/strict'
import { defineConsumer, defineTopic } from '../../../packages/millrace/src/app/index.ts'
import { scenarioApp } from '../../harness/app.ts'
import { scenario } from '../../harness/scenario.ts'

const orders = defineTopic('orders')

await scenario({ topics: { orders: {} } }, async (scene) => {
  const attempts: (readonly [offset: number, attempt: number])[] = []
  let isBroken = true
  const consumer = defineConsumer({
    topic: orders,
    group: 'billing',
    backoff: { first: '20ms', max: '40ms' },
    each({ offset }, { attempt }) {
      attempts.push([offset, attempt])
      if (offset === 1 && isBroken) throw new Error('the bank is closed')
    },
  })
  const { start, committed } = scenarioApp(scene, { consumers: [consumer] })
  await scene.send('orders', [{ value: '0' }, { value: '1' }, { value: '2' }])
  {
    await using worker = await start()
    await scene.until('it was tried thrice', () => attempts.length >= 4)
    assert.equal(worker.partitions[0]?.lag, 2)
  }
  assert.equal(await committed('billing', 'orders'), 1)
  const before = attempts.length
  isBroken = false
  {
    await using worker = await start()
    await scene.until('the rest came', () => attempts.length === before + 2)
    assert.equal(worker.state, 'running')
  }
  assert.deepEqual(attempts.slice(before), [
    [1, 1],
    [2, 1],
  ])
  assert.equal(await committed('billing', 'orders'), 3)
})
