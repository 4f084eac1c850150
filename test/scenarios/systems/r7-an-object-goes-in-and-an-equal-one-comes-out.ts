/** JSON by default, typed and checked by a schema where one is declared. */
import assert from 'node:assert/strict'
import { z } from 'zod'
import { defineConsumer, defineTopic } from '../../../packages/millrace/src/app/index.ts'
import { scenarioApp } from '../../harness/app.ts'
import { scenario } from '../../harness/scenario.ts'

const Event = z.object({
  event_name: z.literal('user_created'),
  payload: z.object({
    user_id: z.number(),
    tags: z.array(z.string()),
    note: z.string().nullable(),
  }),
})
const users = defineTopic('users', { value: Event })

await scenario({ topics: { users: {} } }, async (scene) => {
  const seen: z.infer<typeof Event>[] = []
  const consumer = defineConsumer({ topic: users, each: ({ value }) => void seen.push(value) })
  const { start } = scenarioApp(scene, { consumers: [consumer] })
  await using worker = await start()
  const event: z.infer<typeof Event> = {
    event_name: 'user_created',
    payload: { user_id: 1, tags: ['a', 'ß'], note: null },
  }
  await worker.producer.send(users, { key: '1', value: event })
  await scene.until('it has come', () => seen.length === 1)
  assert.deepEqual(seen, [event])
  const { records } = await scene.log('users')
  assert.equal(records[0]?.value?.toString(), JSON.stringify(event), 'plain JSON on the wire')

  const wrong = { ...event, payload: { user_id: 'one' } } as unknown as typeof event
  await assert.rejects(worker.producer.send(users, { value: wrong }), {
    code: 'MR_APP_SCHEMA_MISMATCH',
  })
  assert.equal((await scene.log('users')).records.length, 1)
})
