/**
 * The example that people begin with: a consumer class for `users` in the group `bigger_group`, one message at a time; a
 * console in another process calls the responder, and the line appears.
 */
import assert from 'node:assert/strict'
import {
  ApplicationConsumer,
  defineConsumer,
  defineTopic,
} from '../../../packages/millrace/src/app/index.ts'
import { scenarioApp } from '../../harness/app.ts'
import { startProgram } from '../../harness/program.ts'
import { scenario } from '../../harness/scenario.ts'

interface UserCreated {
  readonly event_name: 'user_created'
  readonly payload: { readonly user_id: number }
}
const users = defineTopic<UserCreated>('users')
const lines: string[] = []

class UsersConsumer extends ApplicationConsumer<typeof users> {
  consume(): void {
    const { event_name: name, payload } = this.message.value
    lines.push(`${name} ${payload.user_id} in ${this.topic.name}/${this.partition}`)
  }
}

await scenario({ topics: { users: {} } }, async (scene) => {
  const { start, committed } = scenarioApp(scene, {
    consumers: [defineConsumer({ topic: users, group: 'bigger_group', use: UsersConsumer })],
  })
  await using worker = await start()
  const argument = { brokers: scene.brokers, topic: scene.topic('users') }
  await using console = startProgram('respond', argument)
  assert.equal(await console.ended, 0, console.texts.join('\n'))
  const event = '{"event_name":"user_created","payload":{"user_id":1}}'
  assert.deepEqual(console.facts, [{ users: [[event, { topic: 'users' }]] }])
  await scene.until('the line appears', () => lines.length > 0)
  assert.deepEqual(lines, ['user_created 1 in users/0'])
  await worker.commit()
  assert.equal(await committed('bigger_group', 'users'), 1)
})
