/** A dry run shows and changes nothing; a group with members is refused; a copy begins where the other one stands. */
import assert from 'node:assert/strict'
import { defineConsumer, defineTopic, openAdmin } from '../../../packages/millrace/src/app/index.ts'
import { isFailure } from '../../../packages/millrace/src/errors/index.ts'
import { scenarioApp } from '../../harness/app.ts'
import { engineName } from '../../harness/engine.ts'
import { scenario } from '../../harness/scenario.ts'

const orders = defineTopic('orders')
// Young enough for retention to leave them alone.
const firstMs = Date.now() - 60_000

await scenario({ topics: { orders: { partitions: 2 } } }, async (scene) => {
  let handled = 0
  const { config, start, committed } = scenarioApp(scene, {
    consumers: [defineConsumer({ topic: orders, group: 'mail', each: () => void handled++ })],
  })
  await scene.send(
    'orders',
    Array.from({ length: 20 }, (_, index) => ({
      partition: index % 2,
      value: '1',
      timestamp: firstMs + index * 1000,
    })),
  )
  await using admin = openAdmin({ config })
  const { groups, topics } = admin
  assert.deepEqual(
    (await topics.watermarks(orders)).map(({ start: low, end }) => [low, end]),
    [
      [0, 10],
      [0, 10],
    ],
  )
  assert.deepEqual(
    (await topics.offsetsAt(orders, new Date(firstMs + 9000))).map(({ offset }) => offset),
    [5, 4],
  )
  {
    await using worker = await start()
    await scene.until('all are handled', () => handled === 20)
    await worker.commit()
    const [first] = await groups.lag('mail')
    assert.deepEqual([first?.committed, first?.lag], [10, 0])
    assert.ok(first?.member?.startsWith('scenario on '), first?.member)
    for (const refused of [
      groups.seek('mail', 'earliest'),
      groups.rename('mail', scene.group('post')),
      groups.delete('mail'),
    ])
      await assert.rejects(refused, (error) => isFailure(error, 'MR_ADMIN_GROUP_LIVE'))
    const shown = await groups.seek('mail', 'earliest', { dryRun: true })
    assert.deepEqual(
      shown.map(({ from, to }) => [from, to]),
      [
        [10, 0],
        [10, 0],
      ],
    )
  }
  assert.equal(await committed('mail', 'orders', 1), 10)

  const moved = async (
    to: Parameters<typeof groups.seek>[1],
    options?: Parameters<typeof groups.seek>[2],
  ): Promise<readonly number[]> => (await groups.seek('mail', to, options)).map((one) => one.to)
  assert.deepEqual(await moved(new Date(firstMs + 9000)), [5, 4])
  assert.deepEqual(await moved(new Date()), [10, 10], 'behind the last message is the end')
  assert.deepEqual(await moved(7, { topics: [orders], partitions: [1] }), [7])
  assert.deepEqual(await moved(1000), [10, 10])
  assert.deepEqual(await moved('earliest'), [0, 0])
  assert.equal(await committed('mail', 'orders', 1), 0)
  assert.deepEqual(await moved('latest'), [10, 10])
  await moved(3)

  const copy = scene.group('copy')
  await groups.copy('mail', copy)
  assert.deepEqual(
    (await groups.lag(copy)).map(({ lag }) => lag),
    [7, 7],
  )
  await assert.rejects(groups.copy('mail', copy), (error) =>
    isFailure(error, 'MR_ADMIN_GROUP_TAKEN'),
  )
  const renamed = scene.group('renamed')
  await groups.rename(copy, renamed)
  assert.equal((await groups.describe(renamed)).state, 'Empty')
  await groups.delete(renamed)
  const gone = `${renamed}x`
  await assert.rejects(groups.describe(gone), (error) => isFailure(error, 'MR_ADMIN_GROUP_UNKNOWN'))

  const ledger = defineTopic('ledger', { partitions: 2, retention: '7d', compaction: true })
  assert.equal(await topics.create(ledger), true)
  assert.equal(await topics.create(ledger), false)
  await topics.addPartitions(ledger, 3)
  await topics.setConfigs(ledger, { 'retention.ms': null, 'max.message.bytes': 2_000_000 })
  await scene.until('it is as it was told', async () => {
    const configs = new Map((await topics.configs(ledger)).map(({ name, value }) => [name, value]))
    const { partitions } = await topics.describe(ledger)
    return (
      partitions.length === 3 &&
      configs.get('cleanup.policy') === 'compact' &&
      configs.get('max.message.bytes') === '2000000' &&
      configs.get('retention.ms') === '604800000'
    )
  })
  assert.ok((await topics.list()).some(({ name }) => name === scene.topic('ledger')))
  await topics.delete(ledger)
  assert.ok(engineName === 'kafka' || (await groups.list()).length > 0)
})
