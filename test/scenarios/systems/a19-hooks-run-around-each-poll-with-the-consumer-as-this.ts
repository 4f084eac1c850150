/** Before, fetch and handle, after; also when nothing came; a throwing one is reported and stops nothing. */
import assert from 'node:assert/strict'
import {
  Consumer,
  defineConsumer,
  defineTopic,
  monitor,
} from '../../../packages/millrace/src/app/index.ts'
import { scenarioApp } from '../../harness/app.ts'
import { scenario } from '../../harness/scenario.ts'

const users = defineTopic('users')
const calls: string[] = []

class UsersConsumer extends Consumer<typeof users> {
  override beforePoll(): void {
    calls.push(`before ${this.topic.name}`)
  }
  override afterFetch(): void {
    calls.push(`fetched ${this.topic.name}`)
    throw new Error('a hook that throws')
  }
  consume(): void {
    calls.push(`consume ${this.topic.name}`)
  }
  override afterPoll(): void {
    calls.push(`after ${this.topic.name}`)
  }
  override beforeStop(): void {
    calls.push(`stop ${this.topic.name}`)
  }
}

await scenario({ topics: { users: {} } }, async (scene) => {
  const reported: string[] = []
  const unsubscribe = monitor.subscribe({ onError: ({ type }) => reported.push(type) })
  const consumer = defineConsumer({ topic: users, maxWait: '100ms', use: UsersConsumer })
  const { start, committed } = scenarioApp(scene, { consumers: [consumer] })
  {
    await using worker = await start()
    assert.equal(worker.state, 'running')
    await scene.until('an empty cycle has passed', () => calls.includes('after users'))
    assert.deepEqual(calls.slice(0, 2), ['before users', 'after users'])
    await scene.send('users', [{ value: '1' }])
    await scene.until('a full cycle has passed', () => {
      const at = calls.indexOf('consume users')
      return at >= 0 && calls.indexOf('after users', at) >= 0
    })
  }
  unsubscribe()
  const at = calls.indexOf('fetched users')
  assert.deepEqual(calls.slice(at - 1, at + 3), [
    'before users',
    'fetched users',
    'consume users',
    'after users',
  ])
  assert.equal(calls.at(-1), 'stop users')
  assert.deepEqual(reported, ['hook.afterFetch'])
  assert.equal(await committed('users', 'users'), 1)
})
