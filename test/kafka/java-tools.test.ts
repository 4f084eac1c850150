import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { openClient, type Client } from '../../packages/millrace/src/client/index.ts'
import { openSecondEngine, type Engine } from '../harness/engine.ts'
import { unique } from '../harness/unique.ts'
import { missingJava, runJavaTool } from './java.ts'

const options = { skip: missingJava ?? false, timeout: 110_000 }

describe("Kafka's command-line tools and the embedded broker", options, () => {
  let engine: Engine
  let client: Client
  const topic = unique('tools')
  const group = unique('tools')
  const at = (): readonly string[] => ['--bootstrap-server', engine.address]

  before(async () => {
    engine = await openSecondEngine()
    client = openClient({ brokers: engine.brokers })
  })
  after(async () => {
    await client.close()
    await engine[Symbol.asyncDispose]()
  })

  it('kafka-topics creates, describes, lists and grows a topic', async () => {
    await runJavaTool('TopicCommand', ...at(), '--create', '--topic', topic, '--partitions', '2')
    await runJavaTool('TopicCommand', ...at(), '--alter', '--topic', topic, '--partitions', '3')
    const described = await runJavaTool('TopicCommand', ...at(), '--describe', '--topic', topic)
    assert.match(described, /PartitionCount: 3\tReplicationFactor: 1/)
    assert.match(described, /Partition: 2\tLeader: 1\tReplicas: 1\tIsr: 1/)
    const listed = await runJavaTool('TopicCommand', ...at(), '--list')
    assert.ok(listed.split('\n').includes(topic))
  })

  it('kafka-get-offsets sees what was written', async () => {
    await using producer = client.producer()
    for (const partition of [0, 1, 1, 2]) await producer.send({ topic, partition, value: 'x' })
    const latest = await runJavaTool('GetOffsetShell', ...at(), '--topic', topic)
    assert.deepEqual(latest.trim().split('\n'), [`${topic}:0:1`, `${topic}:1:2`, `${topic}:2:1`])
  })

  it('kafka-consumer-groups describes, resets and deletes a group', async () => {
    await client.admin.setOffsets(group, [{ topic, partition: 1, offset: 1 }])
    const groups = 'consumer.group.ConsumerGroupCommand'
    const listed = await runJavaTool(groups, ...at(), '--list', '--state')
    assert.match(listed, new RegExp(`${group} +Empty`))
    const described = await runJavaTool(groups, ...at(), '--describe', '--group', group)
    assert.match(described, new RegExp(`${topic} +1 +1 +2 +1 `))

    const reset = ['--reset-offsets', '--to-latest', '--topic', topic, '--execute']
    await runJavaTool(groups, ...at(), '--group', group, ...reset)
    const offsets = await client.admin.committedOffsets(group)
    assert.deepEqual(
      offsets.map(({ offset }) => offset),
      [1, 2, 1],
    )
    await runJavaTool(groups, ...at(), '--delete', '--group', group)
    assert.deepEqual(await client.admin.committedOffsets(group), [])
  })

  it('kafka-broker-api-versions and kafka-cluster understand the broker', async () => {
    const versions = await runJavaTool('BrokerApiVersionsCommand', ...at())
    assert.match(versions, /Produce\(0\): 0 to \d+ \[usable: \d+\]/)
    assert.match(await runJavaTool('ClusterTool', 'cluster-id', ...at()), /Cluster ID: \S{22}/)
  })

  it('kafka-topics deletes a topic', async () => {
    await runJavaTool('TopicCommand', ...at(), '--delete', '--topic', topic)
    const listed = await runJavaTool('TopicCommand', ...at(), '--list')
    assert.ok(!listed.split('\n').includes(topic))
  })
})
