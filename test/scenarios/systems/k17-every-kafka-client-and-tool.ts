/**
 * What we wrote and the group we run are listed and described alike by the administration of kafkajs,
 * @platformatic/kafka and @kafkats/client, and by kcat. (Producing and consuming: `test/conformance/peers`;
 * Kafka's own tools: `test/kafka`.)
 */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { KafkaClient } from '@kafkats/client'
import { Admin } from '@platformatic/kafka'
import kafkajs, { logLevel } from 'kafkajs'
import { collect } from '../../harness/collect.ts'
import { scenario } from '../../harness/scenario.ts'
import { missingTool } from '../../harness/tool.ts'

const run = promisify(execFile)
const noonMs = Date.now() - 3_600_000

await scenario(
  { topics: { orders: { partitions: 2 } } },
  async ({ engine, client, topic, group, send, until }) => {
    const orders = topic('orders')
    const mail = group('mail')
    const { address } = engine
    await send('orders', [
      { partition: 0, value: 'early', timestamp: noonMs - 1000 },
      { partition: 0, value: 'noon', timestamp: noonMs },
      { partition: 1, value: 'late', timestamp: noonMs + 1000 },
    ])
    await using member = collect(client, { groupId: mail, topics: [orders] })
    await until('the group has committed', async () => {
      const offsets = await client.admin.committedOffsets(mail)
      return offsets.reduce((sum, { offset }) => sum + offset, 0) === 3
    })
    const { memberId } = member.member

    const js = new kafkajs.Kafka({
      clientId: 'k17',
      brokers: [address],
      logLevel: logLevel.NOTHING,
    }).admin()
    await js.connect()
    assert.ok((await js.listTopics()).includes(orders))
    const [described] = (await js.fetchTopicMetadata({ topics: [orders] })).topics
    assert.equal(described?.partitions.length, 2)
    assert.deepEqual(
      (await js.fetchTopicOffsets(orders))
        .toSorted((left, right) => left.partition - right.partition)
        .map(({ low, high }) => [low, high]),
      [
        ['0', '2'],
        ['0', '1'],
      ],
    )
    assert.deepEqual(
      (await js.fetchTopicOffsetsByTimestamp(orders, noonMs))
        .toSorted((left, right) => left.partition - right.partition)
        .map(({ offset }) => offset),
      ['1', '0'],
    )
    assert.ok((await js.listGroups()).groups.some(({ groupId }) => groupId === mail))
    const [ofJs] = (await js.describeGroups([mail])).groups
    assert.deepEqual(
      [ofJs?.state, ofJs?.members.map((one) => one.memberId)],
      ['Stable', [memberId]],
    )
    const [committed] = await js.fetchOffsets({ groupId: mail, topics: [orders] })
    assert.deepEqual(
      committed?.partitions
        .toSorted((left, right) => left.partition - right.partition)
        .map(({ offset }) => offset),
      ['2', '1'],
    )
    await js.disconnect()

    const platformatic = new Admin({ clientId: 'k17', bootstrapBrokers: [address] })
    assert.ok((await platformatic.listTopics()).includes(orders))
    assert.match((await platformatic.listGroups()).get(mail)?.state ?? '', /stable/i)
    const ofPlatformatic = (await platformatic.describeGroups({ groups: [mail] })).get(mail)
    assert.deepEqual(Array.from(ofPlatformatic?.members.keys() ?? []), [memberId])
    await platformatic.close()

    const kafkats = new KafkaClient({ clientId: 'k17', brokers: [address] })
    await kafkats.connect()
    const admin = kafkats.admin()
    assert.ok((await admin.listTopics()).includes(orders))
    assert.equal((await admin.describeTopics([orders]))[0]?.partitions.length, 2)
    assert.ok((await admin.listGroups()).some(({ groupId }) => groupId === mail))
    await kafkats.disconnect()

    const missing = await missingTool('kcat', ['-V'], 'apt-get install kcat')
    if (missing !== undefined) {
      console.log(`not asked: ${missing}`)
      return
    }
    const { stdout: metadata } = await run('kcat', ['-b', address, '-L', '-J', '-t', orders])
    const { topics } = JSON.parse(metadata) as {
      readonly topics: readonly { readonly topic: string; readonly partitions: readonly object[] }[]
    }
    assert.deepEqual(
      topics.map((one) => [one.topic, one.partitions.length]),
      [[orders, 2]],
    )
    const { stdout: query } = await run('kcat', [
      '-b',
      address,
      '-Q',
      '-t',
      `${orders}:0:${noonMs}`,
    ])
    assert.match(query, /offset 1/)
  },
)
