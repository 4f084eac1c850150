/**
 * Two users with one e-mail under a unique constraint. The second is at offset 42: it is tried again and again there,
 * also after a restart, until the constraint is gone; then 42 is marked and 43 committed, and there are two rows.
 */
import assert from 'node:assert/strict'
import { DatabaseSync } from 'node:sqlite'
import {
  Consumer,
  defineConsumer,
  defineTopic,
  json,
  monitor,
} from '../../../packages/millrace/src/app/index.ts'
import { keptLog, scenarioApp } from '../../harness/app.ts'
import { scenario } from '../../harness/scenario.ts'

interface UserCreated {
  readonly event_name: 'user_created'
  readonly payload: { readonly user: { readonly name: string; readonly email: string } }
}

const users = defineTopic('users', { value: json<UserCreated>() })
const database = new DatabaseSync(':memory:')
database.exec(
  'create table users (name text, email text); create unique index one_email on users (email)',
)
const insert = database.prepare('insert into users (name, email) values (?, ?)')
const rows = (): number => Number(database.prepare('select count(*) as n from users').get()?.['n'])

const tried: number[] = []

class UsersConsumer extends Consumer<typeof users> {
  consume(): void {
    tried.push(this.message.offset)
    const { name, email } = this.message.value.payload.user
    insert.run(name, email)
  }
}

const created = (name: string, email: string): { readonly value: string } => ({
  value: JSON.stringify({ event_name: 'user_created', payload: { user: { name, email } } }),
})

await scenario({ topics: { users: {} } }, async (scene) => {
  const { start, committed } = scenarioApp(scene, {
    consumers: [
      defineConsumer({ topic: users, group: 'users', backoff: '50ms', use: UsersConsumer }),
    ],
  })
  await scene.send(
    'users',
    Array.from({ length: 41 }, (_, index) => created(`${index}`, `${index}@x.y`)),
  )
  {
    await using worker = await start()
    assert.equal(worker.state, 'running')
    await scene.until('the first 41 are stored', () => rows() === 41)
  }
  database.exec('delete from users')
  assert.equal(await committed('users', 'users'), 41)

  tried.length = 0
  const marks: number[] = []
  const unsubscribe = monitor.subscribe({ onOffsetsMarked: ({ offset }) => marks.push(offset) })
  {
    await using worker = await start()
    assert.equal(worker.state, 'running')
    await scene.send('users', [created('Ada', 'ada@x.y'), created('Eve', 'ada@x.y')])
    await scene.until(
      '42 was tried three times',
      () => tried.filter((one) => one === 42).length >= 3,
    )
    assert.equal(rows(), 1)
  }
  assert.equal(await committed('users', 'users'), 42)
  assert.deepEqual(marks, [41])

  database.exec('drop index one_email')
  tried.length = 0
  const { lines, logger } = keptLog()
  {
    await using worker = await start({ log: logger, createTopics: true })
    assert.equal(worker.state, 'running')
    await scene.until('the second row appears', () => rows() === 2)
  }
  unsubscribe()
  assert.deepEqual(tried, [42], 'it resumed at 42, once')
  assert.deepEqual(marks, [41, 42])
  assert.equal(await committed('users', 'users'), 43)
  assert.equal(rows(), 2)
  const told = lines.map(({ text }) => text.replace(/^\[.*?\] \{.*?\} /, ''))
  const name = scene.topic('users')
  for (const line of [
    /^UsersConsumer processed 1 message of users\/0:42 in \d+ ms$/,
    /^Marked users\/0:42$/,
    new RegExp(`^Committed ${name}/0:43$`),
  ])
    assert.ok(
      told.some((text) => line.test(text)),
      `${line} in ${told.join('\n')}`,
    )
})
