/** A topic is made with its partitions, shown as it was made, and gone for everybody once it is deleted. */
import assert from 'node:assert/strict'
import { scenario } from '../../harness/scenario.ts'

await scenario({}, async ({ client, openClient, topic, until }) => {
  const name = topic('orders')
  const { admin } = client
  const [made] = await admin.createTopics([{ name, partitions: 3, replicas: 1 }])
  assert.deepEqual([made?.error, made?.partitions, made?.replicas], [undefined, 3, 1])

  const other = openClient().admin
  await until(
    'everybody sees it',
    async () => (await other.describeTopics([name]))[0]?.error === undefined,
  )
  const [described] = await other.describeTopics([name])
  assert.equal(described?.id, made?.id)
  assert.deepEqual(
    described?.partitions.map(({ partition, replicas, isr }) => [partition, replicas, isr]),
    [0, 1, 2].map((partition) => [partition, [1], [1]]),
  )
  assert.ok((await other.describeTopics()).some((one) => one.name === name))
  const { brokers, controllerId, clusterId } = await other.describeCluster()
  assert.ok(brokers.some(({ nodeId }) => nodeId === described?.partitions[0]?.leader))
  assert.ok(controllerId >= 0 && clusterId !== null)

  assert.deepEqual(await admin.deleteTopics([name]), [{ name }])
  await until('it is gone', async () => {
    const [gone] = await other.describeTopics([name])
    return gone?.error?.code === 'MR_TOPIC_UNKNOWN'
  })
  assert.ok((await other.describeTopics()).every((one) => one.name !== name))
  const [again] = await admin.deleteTopics([name])
  assert.equal(again?.error?.code, 'MR_TOPIC_UNKNOWN')
})
