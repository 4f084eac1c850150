/** The 100th message sends them all at once; a single one goes after the interval; the call itself waits for nothing. */
import assert from 'node:assert/strict'
import { defineTopic, openProducer } from '../../../packages/millrace/src/app/index.ts'
import { manualClock } from '../../../packages/millrace/src/kit/index.ts'
import { scenarioApp } from '../../harness/app.ts'
import { scenario } from '../../harness/scenario.ts'

const users = defineTopic('users')

await scenario({ topics: { users: {} } }, async (scene) => {
  const { config } = scenarioApp(scene, { topics: [users] })
  const count = async (): Promise<number> => (await scene.log('users')).records.length

  // Only the count can send here.
  {
    await using producer = openProducer({ ...config, producer: { deliveryInterval: '100s' } })
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
  // And here only the time, which the scenario holds in its hand.
  const clock = manualClock()
  const settings = { ...config, producer: { deliveryThreshold: 0 } }
  await using producer = openProducer(settings, { clock })
  producer.enqueue(users, { value: 'alone' })
  assert.equal(producer.queued, 1, 'the call has returned, nothing is sent')
  await clock.advanceAsync(999)
  producer.enqueue(users, { value: 'not alone any more' })
  assert.equal(producer.queued, 2)
  assert.equal(await count(), 102, 'not before the interval')
  await clock.advanceAsync(1)
  await scene.until('the interval of the oldest sends both', async () => (await count()) === 104)
  await scene.until('both have their verdict', () => producer.queued === 0)
})
