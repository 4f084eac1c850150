/** Responding from a script: the answer is what was written, by topic; on any fault nothing is sent. */
import assert from 'node:assert/strict'
import {
  ApplicationResponder,
  defineApp,
  defineConfig,
  defineTopic,
  monitor,
  currentProducer,
} from '../../../packages/millrace/src/app/index.ts'
import { scenarioApp } from '../../harness/app.ts'
import { scenario } from '../../harness/scenario.ts'

const users = defineTopic('users')

class UsersResponder extends ApplicationResponder<{ users: typeof users }> {
  static override readonly topics = { users }
  respond(event: { readonly event_name: string; readonly payload?: object }): void {
    if (event.payload !== undefined) this.respondTo('users', event)
  }
}

await scenario({ topics: { users: {} } }, async (scene) => {
  const { config } = scenarioApp(scene, {})
  defineConfig({ ...config, app: defineApp({ responders: [UsersResponder] }) })
  const appended: string[] = []
  const unsubscribe = monitor.subscribe({
    onProducerAppended: ({ topic, partition, offset, node }) =>
      appended.push(`${topic}/${partition}:${offset} on node ${node}`),
  })
  const event = { event_name: 'user_created', payload: { user_id: 1 } }
  const responses = await UsersResponder.call(event)
  assert.deepEqual(responses, { users: [[JSON.stringify(event), { topic: 'users' }]] })
  assert.equal(appended.length, 1)
  assert.ok(appended[0]?.startsWith(`${scene.topic('users')}/0:0 on node `), appended[0])

  await assert.rejects(UsersResponder.call({ event_name: 'nothing' }), {
    code: 'MR_RESPONDER_TOPIC_UNUSED',
  })
  unsubscribe()
  await currentProducer().close()
  assert.equal((await scene.log('users')).records.length, 1)
})
