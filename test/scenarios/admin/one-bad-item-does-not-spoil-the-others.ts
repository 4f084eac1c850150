/** A call about many things answers for each, in the order asked: what can be done is done, the rest says why not. */
import assert from 'node:assert/strict'
import type { MillraceError } from '../../../packages/millrace/src/errors/index.ts'
import { scenario } from '../../harness/scenario.ts'

const codeOf = (error: MillraceError | undefined): string =>
  error === undefined ? 'done' : (/[A-Z]+(?:_[A-Z]+)+/.exec(error.message)?.[0] ?? error.message)

await scenario(
  { topics: { orders: { partitions: 2 } } },
  async ({ client, topic, group, send }) => {
    const { admin } = client
    const orders = topic('orders')
    const created = await admin.createTopics([
      { name: topic('a'), partitions: 1 },
      { name: orders, partitions: 1 },
      { name: 'no such name!', partitions: 1 },
      { name: topic('b'), partitions: 0 },
      { name: topic('c'), partitions: 1, configs: { 'retention.ms': 'soon' } },
      { name: topic('d'), partitions: 1, replicas: 3 },
      { name: topic('e'), partitions: 2 },
    ])
    assert.deepEqual(
      created.map(({ error }) => codeOf(error)),
      [
        'done',
        'TOPIC_ALREADY_EXISTS',
        'INVALID_TOPIC_EXCEPTION',
        'INVALID_PARTITIONS',
        'INVALID_CONFIG',
        'INVALID_REPLICATION_FACTOR',
        'done',
      ],
    )
    await send('orders', [{ partition: 1, value: 'x' }])
    const offsets = await admin.listOffsets([
      { topic: orders, partition: 1, at: 'latest' },
      { topic: orders, partition: 7, at: 'latest' },
      { topic: orders, partition: 0, at: 'latest' },
    ])
    assert.deepEqual(
      offsets.map(({ offset, error }) => error?.code ?? offset),
      [1, 'MR_PARTITION_UNKNOWN', 0],
    )
    await admin.setOffsets(group('billing'), [{ topic: orders, partition: 0, offset: 0 }])
    const deletedGroups = await admin.deleteGroups([group('none'), group('billing')])
    assert.deepEqual(
      deletedGroups.map(({ error }) => codeOf(error)),
      ['GROUP_ID_NOT_FOUND', 'done'],
    )
    const deleted = await admin.deleteTopics([topic('a'), topic('b'), topic('e')])
    assert.deepEqual(
      deleted.map(({ error }) => error?.code ?? 'done'),
      ['done', 'MR_TOPIC_UNKNOWN', 'done'],
    )
  },
)
