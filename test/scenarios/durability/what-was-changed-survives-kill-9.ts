/**
 * `millrace broker` is killed (-9) right after its answers: topics made, changed, grown and deleted, messages deleted,
 * offsets committed and moved are as they were answered. A topic that was deleted stays gone.
 */
import assert from 'node:assert/strict'
import { openClient, type Client } from '../../../packages/millrace/src/client/index.ts'
import { onlyOurs, startBrokerCommand } from '../../harness/broker-command.ts'
import { scenario } from '../../harness/scenario.ts'

await scenario({ skipOn: onlyOurs }, async () => {
  await using broker = await startBrokerCommand()
  const stateOf = async (client: Client): Promise<unknown> => {
    const { admin } = client
    const topics = await admin.describeTopics()
    const places = topics.flatMap(({ name, isInternal, partitions }) =>
      isInternal ? [] : partitions.map(({ partition }) => ({ topic: name, partition })),
    )
    const messages = await Array.fromAsync(client.reader({ partitions: places }))
    return {
      clusterId: (await admin.describeCluster()).clusterId,
      topics: topics.map(({ name, id, partitions }) => [name, id, partitions.length]),
      configs: (await admin.describeConfigs({ topic: 'orders' })).filter(
        ({ source }) => source === 'topic',
      ),
      ends: await admin.listOffsets(
        (['earliest', 'latest'] as const).flatMap((at) =>
          places.map((place) => ({ ...place, at })),
        ),
      ),
      messages: messages
        .map(({ topic, partition, offset, key, value, headers, timestamp }) =>
          JSON.stringify([topic, partition, offset, key, value, headers, timestamp]),
        )
        .toSorted(),
      offsets: await admin.committedOffsets('billing'),
    }
  }
  const states: unknown[] = []
  {
    await using client = openClient({ brokers: [broker.address] })
    const { admin } = client
    await admin.createTopics([
      { name: 'orders', partitions: 2, configs: { 'retention.ms': '-1' } },
      { name: 'doomed', partitions: 2 },
    ])
    for (const compression of ['none', 'zstd'] as const) {
      await client.producer({ compression }).sendMany(
        Array.from({ length: 200 }, (_, index) => ({
          topic: index % 10 === 0 ? 'doomed' : 'orders',
          key: index % 3 === 0 ? null : `${index}`,
          value: index % 7 === 0 ? null : `order ${index}`,
          headers: [['codec', compression]],
        })),
      )
    }
    await admin.createPartitions([{ name: 'orders', count: 3 }])
    await admin.alterConfigs([{ topic: 'orders', set: { 'max.message.bytes': '5000' } }])
    await admin.setOffsets('billing', [
      { topic: 'orders', partition: 0, offset: 5, metadata: 'so far' },
      { topic: 'doomed', partition: 0, offset: 1 },
    ])
    await admin.deleteRecords([{ topic: 'orders', partition: 0, before: 7 }])
    await admin.deleteTopics(['doomed'])
    states.push(await stateOf(client))
    await broker.kill()
  }
  for (let life = 0; life < 2; life++) {
    await broker.start()
    await using client = openClient({ brokers: [broker.address] })
    states.push(await stateOf(client))
    await broker.kill()
  }
  await broker.start()
  assert.deepEqual(states[1], states[0])
  assert.deepEqual(states[2], states[0])
})
