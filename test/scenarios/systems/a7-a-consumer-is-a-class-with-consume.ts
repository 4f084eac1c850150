/** One message at a time as `this.message`, or a batch as `this.messages`; asking for the other one is an error. */
import assert from 'node:assert/strict'
import { Consumer, defineConsumer, defineTopic } from '../../../packages/millrace/src/app/index.ts'
import { isFailure } from '../../../packages/millrace/src/errors/index.ts'
import { scenarioApp } from '../../harness/app.ts'
import { scenario } from '../../harness/scenario.ts'

const users = defineTopic('users')
const values: unknown[] = []
const batches: unknown[] = []
const refused: unknown[] = []

class UsersConsumer extends Consumer<typeof users> {
  consume(): void {
    values.push(this.message.value)
    try {
      // The type says so too: this does not compile without the cast.
      void (this as unknown as Consumer<typeof users, 'batch'>).messages
    } catch (error) {
      refused.push(error)
    }
  }
}

class UserBatchesConsumer extends Consumer<typeof users, 'batch'> {
  consume(): void {
    const { size, first, last, values: all } = this.messages
    batches.push({ size, first: first.offset, last: last.offset, all: [...all] })
    assert.equal([...this.messages].length, size)
  }
}

await scenario({ topics: { users: {} } }, async (scene) => {
  await scene.send('users', [{ value: '"a"' }, { value: '"b"' }])
  const { start } = scenarioApp(scene, {
    consumers: [
      defineConsumer({ topic: users, group: 'single', use: UsersConsumer }),
      defineConsumer({ topic: users, group: 'batch', use: UserBatchesConsumer, mode: 'batch' }),
    ],
  })
  await using worker = await start()
  await scene.until('both have seen both', () => values.length === 2 && batches.length > 0)
  assert.deepEqual(values, ['a', 'b'])
  assert.deepEqual(batches[0], { size: 2, first: 0, last: 1, all: ['a', 'b'] })
  assert.ok(refused.every((error) => isFailure(error, 'MR_APP_WRONG_FORM')))
  assert.equal(refused.length, 2)
  assert.equal(worker.partitions[0]?.consumer, 'users')
})
