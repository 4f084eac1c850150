/** Nothing leaves before `deliver`; with the broker away it throws with the messages, and a second call sends them. */
import assert from 'node:assert/strict'
import { defineTopic, openProducer } from '../../../packages/millrace/src/app/index.ts'
import { startBroker } from '../../../packages/millrace/src/broker/index.ts'
import { isFailure } from '../../../packages/millrace/src/errors/index.ts'
import { scenarioApp } from '../../harness/app.ts'
import { scenario } from '../../harness/scenario.ts'

const users = defineTopic('users')

await scenario({ topics: { users: {} } }, async (scene) => {
  const { config } = scenarioApp(scene, { topics: [users] })
  {
    await using producer = openProducer(config)
    const buffer = producer.buffer()
    for (const id of [1, 2, 3]) buffer.add(users, { key: 'k', value: { id } })
    await producer.flush()
    assert.equal((await scene.log('users')).records.length, 0)
    assert.equal((await buffer.deliver()).length, 3)
    assert.equal(buffer.size, 0)
    const { records } = await scene.log('users')
    assert.deepEqual(
      records.map(({ value }) => value?.toString()),
      ['{"id":1}', '{"id":2}', '{"id":3}'],
    )
  }

  const port = await freePort()
  const settings = { maxBlock: '200ms' }
  await using producer = openProducer({
    ...config,
    brokers: [`127.0.0.1:${port}`],
    producer: settings,
  })
  const buffer = producer.buffer()
  buffer.add(users, { value: { id: 1 } })
  buffer.add(users, { value: { id: 2 } })
  await assert.rejects(buffer.deliver(), (error: unknown) => {
    assert.ok(isFailure(error, 'MR_PRODUCER_UNDELIVERED'))
    assert.equal((error.context['undelivered'] as unknown[]).length, 2)
    return true
  })
  assert.equal(buffer.size, 2)
  await using broker = await startBroker({ memory: true, port })
  await scene.until('they can be delivered', async () => (await buffer.deliver()).length === 2)
  assert.equal(buffer.size, 0)
  assert.ok(broker.store.topic(scene.topic('users')))
})

async function freePort(): Promise<number> {
  await using broker = await startBroker({ memory: true })
  return broker.port
}
