/**
 * Without a group: all of it, the last so many, from a date, some partitions; empty partitions end, and so does one
 * whose tail was compacted away; leaving the loop closes everything.
 */
import assert from 'node:assert/strict'
import {
  defineTopic,
  readTopic,
  type MillraceConfig,
} from '../../../packages/millrace/src/app/index.ts'
import { isFailure } from '../../../packages/millrace/src/errors/index.ts'
import { scenarioApp } from '../../harness/app.ts'
import { scenario } from '../../harness/scenario.ts'

interface User {
  readonly id: number
}
const users = defineTopic<User>('users')
// Young enough for retention to leave them alone.
const firstMs = Date.now() - 60_000

await scenario({ topics: { users: { partitions: 3 } } }, async (scene) => {
  const { config } = scenarioApp(scene, { topics: [users] })
  await scene.send(
    'users',
    Array.from({ length: 50 }, (_, id) => ({
      partition: id % 2,
      key: String(id),
      value: JSON.stringify({ id }),
      timestamp: firstMs + id * 1000,
    })),
  )
  const ids = async (options: Parameters<typeof readTopic>[1]): Promise<readonly number[]> => {
    const seen: number[] = []
    for await (const { value, topic } of readTopic(users, { config, ...options })) {
      assert.equal(topic, 'users')
      seen.push(value.id)
    }
    return seen.toSorted((left, right) => left - right)
  }
  const from = (first: number, to = 50): readonly number[] =>
    Array.from({ length: to - first }, (_, index) => first + index)

  assert.deepEqual(await ids({}), from(0))
  assert.deepEqual(await ids({ from: -5 }), from(40), 'five of each partition')
  assert.deepEqual(await ids({ from: new Date(firstMs + 30_000) }), from(30))
  assert.deepEqual(await ids({ to: new Date(firstMs + 10_000) }), from(0, 10))
  assert.deepEqual(await ids({ from: 5, to: 7 }), [10, 11, 12, 13])
  assert.deepEqual(
    await ids({ partitions: [1] }),
    from(0).filter((id) => id % 2 === 1),
  )
  assert.deepEqual(await ids({ partitions: [2] }), [])
  assert.deepEqual(await ids({ from: 'latest' }), [])

  // Forever: what comes later comes, until the loop is left.
  const later: number[] = []
  const reading = (async (): Promise<void> => {
    for await (const { value } of readTopic(users, { config, from: 'latest', to: 'forever' })) {
      later.push(value.id)
      if (value.id === 101) break
    }
  })()
  // It may look up the end before or after what is sent first, so that is sent until it is seen.
  await scene.until('it reads what is sent', async () => {
    await scene.send('users', [{ partition: 2, value: '{"id":100}' }])
    return later.length > 0
  })
  await scene.send('users', [{ partition: 2, value: '{"id":101}' }])
  await reading
  assert.equal(later.at(-1), 101)

  await assertStops(config)
})

async function assertStops(config: MillraceConfig): Promise<void> {
  const stopping = new AbortController()
  const reading = (async (): Promise<void> => {
    const { signal } = stopping
    for await (const _ of readTopic(users, { config, to: 'forever', signal })) stopping.abort()
  })()
  await assert.rejects(reading, { name: 'AbortError' })
  const wrong = readTopic(users, { config, from: '-soon' })
  await assert.rejects(wrong.next(), (error) => isFailure(error, 'MR_APP_SEEK_UNKNOWN'))
}
