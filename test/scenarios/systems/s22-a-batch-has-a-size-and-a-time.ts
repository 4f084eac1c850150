/**
 * Batching: a batch is as large as declared, does not wait for ever to be, and one that fails acknowledges nothing that it
 * did not mark: after a restart it comes again from its first unmarked message.
 */
import assert from 'node:assert/strict'
import { defineConsumer, defineTopic } from '../../../packages/millrace/src/app/index.ts'
import { scenarioApp } from '../../harness/app.ts'
import { scenario } from '../../harness/scenario.ts'

const rows = defineTopic<number>('rows')
const size = 10

await scenario({ topics: { rows: {} } }, async (scene) => {
  const batches: (readonly number[])[] = []
  let isBroken = false
  const app = scenarioApp(scene, {
    consumers: [
      defineConsumer({
        topic: rows,
        group: 'store',
        maxMessages: size,
        maxWait: '100ms',
        fill: 'size',
        backoff: '1h',
        commit: { interval: '20ms' },
        batch(messages, { mark }) {
          const values = [...messages].map(({ value }) => value)
          batches.push(values)
          if (!isBroken) return
          // Two are stored for sure before the database goes away.
          for (const message of [...messages].slice(0, 2)) mark(message)
          throw new Error('the database is gone')
        },
      }),
    ],
  })
  scene.watch('batches', () => batches)
  const send = (from: number, count: number): Promise<unknown> =>
    scene.send(
      'rows',
      Array.from({ length: count }, (_, index) => ({ value: String(from + index) })),
    )
  const all = (): number => batches.flat().length

  {
    await using worker = await app.start()
    await send(0, 25)
    await scene.until('all have come', () => all() === 25)
    assert.ok(
      batches.every(({ length }) => length <= size),
      'never more than its size',
    )
    assert.ok(
      batches.some(({ length }) => length === size),
      'and full where there was enough',
    )
    // Fewer than a batch: its time ends the wait.
    await send(25, 3)
    await scene.until('the short one has come', () => all() === 28)
    await scene.until('and is committed', async () => (await app.committed('store', 'rows')) === 28)

    isBroken = true
    await send(28, size)
    await scene.until('one has failed', () => all() > 28)
    await scene.until('what it marked is committed', async () => {
      return (await app.committed('store', 'rows')) === 30
    })
    assert.equal(await worker.stop(), 0)
    assert.equal(await app.committed('store', 'rows'), 30, 'and nothing else')
  }
  isBroken = false
  batches.length = 0
  await using again = await app.start()
  await scene.until('the rest has come again', () => all() === size - 2)
  assert.deepEqual(
    batches.flat(),
    Array.from({ length: size - 2 }, (_, index) => 30 + index),
  )
  assert.equal(await again.stop(), 0)
  assert.equal(await app.committed('store', 'rows'), 38)
})
