/**
 * One message at a time per partition, and nobody knows how many at once (P17): a slow call of one customer holds all
 * others. With `concurrency` several run at once, one key's stay in order, and it is never more than was said.
 */
import assert from 'node:assert/strict'
import { defineConsumer, defineTopic, json } from '../../../packages/millrace/src/app/index.ts'
import { deferred } from '../../../packages/millrace/src/kit/index.ts'
import { scenarioApp } from '../../harness/app.ts'
import { scenario } from '../../harness/scenario.ts'

const calls = defineTopic('calls', { value: json<{ readonly n: number }>() })
const keys = ['ada', 'eve', 'joe', 'kim', 'lou', 'max']

await scenario({ topics: { calls: {} } }, async (scene) => {
  const slow = deferred()
  const naive: string[] = []
  const ours = new Map<string, number[]>()
  let running = 0
  let most = 0
  const { start, committed } = scenarioApp(scene, {
    consumers: [
      defineConsumer({
        topic: calls,
        group: 'naive',
        async each({ key }) {
          if (naive.length === 0) await slow.promise
          naive.push(String(key))
        },
      }),
      defineConsumer({
        topic: calls,
        group: 'lanes',
        concurrency: 4,
        async each({ key, value }) {
          running++
          most = Math.max(most, running)
          // The partner of the first customer does not answer.
          if (value.n === 0) await slow.promise
          await new Promise((resolve) => setImmediate(resolve))
          running--
          ours.set(String(key), [...(ours.get(String(key)) ?? []), value.n])
        },
      }),
    ],
  })
  await scene.send(
    'calls',
    Array.from({ length: 60 }, (_, n) => ({ key: keys[n % 6] as string, value: `{"n":${n}}` })),
  )
  {
    await using worker = await start()
    assert.equal(worker.state, 'running')
    const done = (key: string): number => ours.get(key)?.length ?? 0
    await scene.until(
      'everybody else is served',
      () => keys.slice(1).every((key) => done(key) === 10),
      {
        lastSeen: () => [...ours],
      },
    )
    assert.deepEqual(naive, [], 'one at a time: nobody is')
    assert.equal(done('ada'), 0, 'the next ones of the slow key wait behind it')
    assert.equal(await committed('lanes', 'calls'), undefined, 'nothing passes what is unfinished')
    slow.resolve()
    await scene.until('the slow key is served', () => done('ada') === 10)
    await scene.until('and so are all, one by one', () => naive.length === 60)
  }
  for (const [key, numbers] of ours)
    assert.deepEqual(
      numbers,
      numbers.toSorted((a, b) => a - b),
      `${key} is in order`,
    )
  assert.ok(most > 1 && most <= 4, `${most} at once`)
  assert.equal(await committed('lanes', 'calls'), 60)
})
