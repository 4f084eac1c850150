/** Made at boot, used from anywhere in the code: `produce("greetings", "Hello there!")`. One set of connections. */
import assert from 'node:assert/strict'
import { currentProducer, openProducer } from '../../../packages/millrace/src/app/index.ts'
import { events } from '../../../packages/millrace/src/telemetry/index.ts'
import { scenarioApp } from '../../harness/app.ts'
import { scenario } from '../../harness/scenario.ts'

// As three modules of an application would, none of which knows the others.
const greet = (text: string): Promise<unknown> =>
  currentProducer().send('greetings', { value: text })
const remind = (text: string): void => currentProducer().enqueue('reminders', { value: text })
const audit = async (texts: readonly string[]): Promise<void> => {
  const buffer = currentProducer().buffer()
  for (const value of texts) buffer.add('audits', { value })
  await buffer.deliver()
}

await scenario({ topics: { greetings: {}, reminders: {}, audits: {} } }, async (scene) => {
  const { config } = scenarioApp(scene, {}, { clientId: 'shop' })
  const opened: string[] = []
  const stop = events.connectionOpened.subscribe(({ clientId, broker }) => {
    if (clientId === 'shop') opened.push(broker)
  })
  await using producer = openProducer(config)
  await Promise.all([
    greet('Hello there!'),
    audit(['a', 'b']),
    greet('Hello again!'),
    ...Array.from({ length: 20 }, (_, index) => greet(`${index}`)),
  ])
  remind('soon')
  await producer.with({ acks: 1, compression: 'gzip' }).send('audits', { value: 'c' })
  await currentProducer().flush()
  stop()
  assert.equal(producer, currentProducer())
  assert.equal(new Set(opened).size, opened.length, `one connection a broker: ${opened.join()}`)
  const values = async (name: string): Promise<(string | undefined)[]> =>
    (await scene.log(name)).records.map(({ value }) => value?.toString())
  assert.deepEqual((await values('greetings')).slice(0, 2), ['Hello there!', 'Hello again!'])
  assert.deepEqual(await values('reminders'), ['soon'])
  assert.deepEqual(await values('audits'), ['a', 'b', 'c'])
})
