/** `UsersConsumer` finds `UsersResponder`; each call is a fresh one; the message is finished when all of it is delivered. */
import assert from 'node:assert/strict'
import {
  ApplicationConsumer,
  ApplicationResponder,
  defineConsumer,
  defineTopic,
  json,
} from '../../../packages/millrace/src/app/index.ts'
import { events } from '../../../packages/millrace/src/telemetry/index.ts'
import { scenarioApp } from '../../harness/app.ts'
import { scenario } from '../../harness/scenario.ts'

const users = defineTopic('users', { value: json<{ readonly id: number }>() })
const greetings = defineTopic('greetings')
const instances = new Set<object>()
let isBroken = true

class UsersResponder extends ApplicationResponder<{ greetings: typeof greetings }> {
  static override readonly topics = { greetings }
  #calls = 0
  respond({ id }: { readonly id: number }): void {
    instances.add(this)
    this.respondTo('greetings', { hello: id, calls: ++this.#calls }, { key: String(id) })
    if (id === 1 && isBroken) {
      isBroken = false
      throw new Error('not this time')
    }
  }
}

class UsersConsumer extends ApplicationConsumer<typeof users> {
  async consume(): Promise<void> {
    const responses = await this.respondWith(this.message.value)
    assert.equal(responses['greetings']?.length, 1)
  }
}

await scenario({ topics: { users: {}, greetings: {} } }, async (scene) => {
  const responded: unknown[] = []
  const unsubscribe = events.responderResponded.subscribe(({ responder, consumer, topics }) =>
    responded.push(`${consumer} ${responder} ${JSON.stringify(topics)}`),
  )
  const { start, committed } = scenarioApp(scene, {
    consumers: [defineConsumer({ topic: users, use: UsersConsumer, backoff: '20ms' })],
    responders: [UsersResponder],
  })
  {
    await using worker = await start()
    await worker.producer.sendMany(
      [0, 1, 2].map((id) => ({ topic: users, message: { key: 'k', value: { id } } })),
    )
    await scene.until('all have been responded to', () => responded.length === 3)
  }
  unsubscribe()
  assert.equal(await committed('users', 'users'), 3)
  assert.equal(instances.size, 4, 'a fresh responder for each call, the failed one included')
  const { records } = await scene.log('greetings')
  assert.deepEqual(
    records.map(({ value }) => value?.toString()),
    [0, 1, 2].map((id) => `{"hello":${id},"calls":1}`),
  )
  assert.deepEqual(
    responded,
    Array.from({ length: 3 }, () => 'UsersConsumer UsersResponder {"greetings":1}'),
  )
})
