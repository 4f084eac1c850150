/**
 * A topic for each event type destroys order (P15): one failed attempt at `user_created` and the rename of that user comes
 * first. One topic with a union keeps it, and `on` gives each type its own handler all the same.
 */
import assert from 'node:assert/strict'
import {
  defineConsumer,
  defineTopic,
  json,
  type ConsumerDefinition,
} from '../../../packages/millrace/src/app/index.ts'
import { scenarioApp } from '../../harness/app.ts'
import { scenario } from '../../harness/scenario.ts'

interface Created {
  readonly event_name: 'user_created'
  readonly id: string
}
interface Renamed {
  readonly event_name: 'user_renamed'
  readonly id: string
  readonly name: string
}

const created = defineTopic('created', { value: json<Created>() })
const renamed = defineTopic('renamed', { value: json<Renamed>() })
const users = defineTopic('users', {
  value: json<Created | Renamed>(),
  discriminant: 'event_name',
})

/** What a service does with the events: the database refuses the first insert. */
function service(): {
  readonly lost: string[]
  readonly names: Map<string, string>
  readonly create: (event: Created) => void
  readonly rename: (event: Renamed) => void
} {
  const lost: string[] = []
  const names = new Map<string, string>()
  let failures = 1
  return {
    lost,
    names,
    create({ id }) {
      if (failures-- > 0) throw new Error('the database is busy')
      names.set(id, 'new')
    },
    rename({ id, name }) {
      if (names.has(id)) names.set(id, name)
      else lost.push(name)
    },
  }
}

await scenario({ topics: { created: {}, renamed: {}, users: {} } }, async (scene) => {
  const naive = service()
  const ours = service()
  const settings = { backoff: '200ms' } as const
  const consumers: ConsumerDefinition[] = [
    defineConsumer({
      topic: [created, renamed],
      group: 'naive',
      ...settings,
      each: (message) =>
        message.topic === 'created' ? naive.create(message.value) : naive.rename(message.value),
    }),
    defineConsumer({
      topic: users,
      ...settings,
      on: {
        user_created: ({ value }) => ours.create(value),
        user_renamed: ({ value }) => ours.rename(value),
      },
    }),
  ]
  const { start } = scenarioApp(scene, { consumers })
  await using worker = await start()
  const { producer } = worker
  const first = { event_name: 'user_created', id: '1' } as const
  const second = { event_name: 'user_renamed', id: '1', name: 'Ada' } as const
  await producer.send(created, { key: '1', value: first })
  await producer.send(renamed, { key: '1', value: second })
  await producer.send(users, { key: '1', value: first })
  await producer.send(users, { key: '1', value: second })

  await scene.until('both have seen both', () => naive.names.size === 1 && ours.names.size === 1)
  await scene.until('the rename is through', () => ours.names.get('1') === 'Ada')
  assert.deepEqual(naive.lost, ['Ada'], 'the rename came before the user')
  assert.equal(naive.names.get('1'), 'new')
  assert.deepEqual(ours.lost, [])
})
