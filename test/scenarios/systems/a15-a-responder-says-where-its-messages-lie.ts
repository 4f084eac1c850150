/** The answer of a responder is what was written, by topic; the log says where it came to lie, and on which node. */
import assert from 'node:assert/strict'
import {
  ApplicationResponder,
  defineTopic,
  json,
} from '../../../packages/millrace/src/app/index.ts'
import { keptLog, scenarioApp } from '../../harness/app.ts'
import { scenario } from '../../harness/scenario.ts'

interface UserCreated {
  readonly event_name: 'user_created'
  readonly payload: { readonly user_id: number }
}
const users = defineTopic('users', { value: json<UserCreated>() })

class UsersResponder extends ApplicationResponder<{ users: typeof users }> {
  static override readonly topics = { users }
  respond(event: UserCreated): void {
    this.respondTo('users', event, { key: String(event.payload.user_id) })
  }
}

await scenario({ topics: { users: {} } }, async (scene) => {
  const { lines, logger } = keptLog()
  const { start } = scenarioApp(scene, { responders: [UsersResponder] })
  await using worker = await start({ log: logger, createTopics: true })
  assert.equal(worker.state, 'running')
  const event: UserCreated = { event_name: 'user_created', payload: { user_id: 1 } }
  const text = '{"event_name":"user_created","payload":{"user_id":1}}'
  assert.deepEqual(await UsersResponder.call(event), { users: [[text, { topic: 'users' }]] })
  const { records } = await scene.log('users')
  assert.deepEqual(
    records.map(({ key, value }) => [key?.toString(), value?.toString()]),
    [['1', text]],
  )
  const appended = lines.find(({ text: line }) => line.includes('Appended 1 message to'))
  assert.match(
    appended?.text ?? '',
    new RegExp(`Appended 1 message to ${scene.topic('users')}/0:0 on \\S+:\\d+ \\(node \\d+\\)`),
  )
  assert.equal(appended?.level, 'info', 'in development it is not a detail')
})
