/**
 * The three questions, each answered by an option, over one crash in the middle: is the order kept (`concurrency`: per key),
 * may a message be lost (never), may it come twice (yes, unless there is an `inbox`). What else there is to choose stands in
 * `docs/guides/choices.md`.
 */
import assert from 'node:assert/strict'
import { DatabaseSync } from 'node:sqlite'
import { defineConsumer, defineTopic, text } from '../../../packages/millrace/src/app/index.ts'
import { sqlInbox } from '../../../packages/millrace/src/sqlite/index.ts'
import { scenarioApp } from '../../harness/app.ts'
import { scenario } from '../../harness/scenario.ts'

const moves = defineTopic('moves', { key: text(), value: text() })
const keys = ['ada', 'eve', 'joe']
const perKey = 10
const total = keys.length * perKey

await scenario({ topics: { moves: {} } }, async (scene) => {
  using database = new DatabaseSync(':memory:')
  database.exec('create table effects (key text, n integer)')
  const insert = database.prepare('insert into effects values (?, ?)')
  const inbox = sqlInbox(database)
  await inbox.createTables()
  const handled = new Map<string, number[]>(keys.map((key) => [key, []]))
  const count = (): number => [...handled.values()].flat().length
  const effects = (): number =>
    Number(database.prepare('select count(*) as n from effects').get()?.['n'])
  // Nothing is committed by itself: whatever is not, comes again after the crash.
  const commit = { interval: '1h' } as const
  const app = scenarioApp(scene, {
    consumers: [
      defineConsumer({
        topic: moves,
        group: 'ordered',
        concurrency: 4,
        commit,
        async each({ key, value }) {
          await new Promise((resolve) => setImmediate(resolve))
          handled.get(key ?? '')?.push(Number(value))
        },
      }),
      defineConsumer({
        topic: moves,
        group: 'once',
        inbox,
        commit,
        each: ({ key, value }) => void insert.run(key, Number(value)),
      }),
    ],
  })
  scene.watch('handled', () => ({ ...Object.fromEntries(handled), effects: effects() }))
  const send = (from: number, to: number): Promise<unknown> =>
    scene.send(
      'moves',
      Array.from({ length: (to - from) * keys.length }, (_, index) => ({
        key: keys[index % keys.length] as string,
        value: String(from + Math.floor(index / keys.length)),
      })),
    )

  const first = await app.start()
  await send(0, perKey / 2)
  await scene.until('half is done', () => count() === total / 2 && effects() === total / 2)
  await first.kill()
  await send(perKey / 2, perKey)
  await using second = await app.start()
  await scene.until('all is done', () => count() === total + total / 2 && effects() === total)
  assert.equal(await second.stop(), 0)

  for (const [key, numbers] of handled) {
    const before = numbers.slice(0, perKey / 2)
    const after = numbers.slice(perKey / 2)
    assert.deepEqual(before, [0, 1, 2, 3, 4], `${key} in order`)
    // Lost: none. Twice: what was not committed, in its order again.
    assert.deepEqual(after, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9], `${key} again from its commit`)
  }
  const rows = database
    .prepare('select key, n, count(*) as times from effects group by key, n')
    .all()
  assert.equal(rows.length, total)
  assert.ok(
    rows.every(({ times }) => times === 1),
    'with the inbox each effect once',
  )
})
