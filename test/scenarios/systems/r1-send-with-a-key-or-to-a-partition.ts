/** Three ways to send; a partition that does not exist is an error before anything is sent. */
import assert from 'node:assert/strict'
import { defineTopic, openProducer } from '../../../packages/millrace/src/app/index.ts'
import { partitionOfKey } from '../../../packages/millrace/src/protocol/index.ts'
import { scenarioApp } from '../../harness/app.ts'
import { scenario } from '../../harness/scenario.ts'

const users = defineTopic('users')

await scenario({ topics: { users: { partitions: 4 } } }, async (scene) => {
  const { config } = scenarioApp(scene, { topics: [users] })
  await using producer = openProducer(config)
  const plain = await producer.send(users, { value: { id: 1 } })
  const keyed = await producer.send(users, { key: 'ada', value: { id: 2 } })
  const again = await producer.send(users, { key: 'ada', value: { id: 3 } })
  const placed = await producer.send(users, { partition: 3, value: { id: 4 } })
  assert.ok(plain.partition >= 0 && plain.offset >= 0)
  assert.equal(keyed.partition, partitionOfKey(Buffer.from('ada'), 4))
  assert.equal(again.partition, keyed.partition)
  assert.ok(again.offset > keyed.offset)
  assert.equal(placed.partition, 3)

  await assert.rejects(producer.send(users, { partition: 4, value: { id: 5 } }), {
    code: 'MR_PARTITION_UNKNOWN',
  })
  let records = 0
  for (const partition of [0, 1, 2, 3])
    records += (await scene.log('users', partition)).records.length
  assert.equal(records, 4)
})
