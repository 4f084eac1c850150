/** The 100th message sends them all at once; a single one goes after the interval; the call itself waits for nothing. */
import assert from 'node:assert/strict'
import { defineTopic, openProducer } from '../../../packages/millrace/src/app/index.ts'
import { scenarioApp } from '../../harness/app.ts'
import { scenario } from '../../harness/scenario.ts'

const users = defineTopic('users')

await scenario({ topics: { users: {} } }, async (scene) => {
  const { config } = scenarioApp(scene, { topics: [users] })
  const count = async (): Promise<number> => (await scene.log('users')).records.length

  // Only the count can send here.
  {
    await using producer = openProducer({ ...config, producer: { deliveryInterval: '1h' } })
    await producer.send(users, { value: 'metadata is known from here on' })
    for (let id = 1; id < 100; id++) producer.enqueue(users, { value: { id } })
    await producer.send(users, { value: 'beside it' })
    assert.equal(await count(), 2, 'ninety-nine wait')
    producer.enqueue(users, { value: { id: 100 } })
    await scene.until('the hundredth sends all', async () => (await count()) === 102)
    const { records } = await scene.log('users')
    const ids = records
      .slice(2)
      .map(({ value }) => (JSON.parse(String(value)) as { id: number }).id)
    assert.deepEqual(
      ids,
      Array.from({ length: 100 }, (_, index) => index + 1),
    )
  }
  // And here only the time.
  await using producer = openProducer({ ...config, producer: { deliveryThreshold: 0 } })
  const startedMs = performance.now()
  producer.enqueue(users, { value: 'alone' })
  assert.equal(producer.queued, 1)
  await scene.until('the interval sends it', async () => (await count()) === 103)
  assert.ok(performance.now() - startedMs >= 990, 'not before the interval')
  assert.equal(producer.queued, 0)
})
