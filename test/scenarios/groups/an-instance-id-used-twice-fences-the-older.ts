/** Two processes with one instance id: the newer one has the partitions, the older one ends and commits nothing more. */
import assert from 'node:assert/strict'
import { scenario } from '../../harness/scenario.ts'

await scenario(
  { topics: { orders: {} } },
  async ({ client, openClient, topic, group, send, until }) => {
    await send('orders', [{ value: 'a' }, { value: 'b' }])
    const fatal: string[] = []
    const common = {
      groupId: group('billing'),
      topics: [topic('orders')],
      instanceId: 'worker-1',
      heartbeatIntervalMs: 100,
    }
    const older = openClient().joinGroup({
      ...common,
      onError: (error, isFatal) => void (isFatal && fatal.push(error.message)),
    })
    await older.ready()
    const [held] = older.owned
    assert.ok(held)

    await using newer = openClient().joinGroup(common)
    await newer.ready()
    await until('the older one has ended', () => fatal.length > 0)
    assert.match(fatal[0] ?? '', /FENCED_INSTANCE_ID/)
    assert.equal(held.isOwned, false)
    assert.deepEqual(held.take(1), [])

    const [taken] = newer.owned
    assert.ok(taken)
    assert.deepEqual(await newer.commit([{ partition: taken, offset: 2 }]), ['committed'])
    const late = await Promise.allSettled([older.commit([{ partition: held, offset: 1 }])])
    assert.notDeepEqual(late[0].status === 'fulfilled' && late[0].value, ['committed'])
    await older.close()
    assert.equal((await client.admin.committedOffsets(common.groupId))[0]?.offset, 2)
    assert.equal(taken.isOwned, true, 'the close of the older one disturbs nobody')
  },
)
