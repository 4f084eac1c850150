/** While a group has members, its offsets are not set and it is not deleted; once they have left, it is, with its offsets. */
import assert from 'node:assert/strict'
import { collect } from '../../harness/collect.ts'
import { scenario } from '../../harness/scenario.ts'

await scenario(
  { topics: { orders: {} } },
  async ({ client, openClient, topic, group, send, until }) => {
    const { admin } = client
    const groupId = group('billing')
    const place = { topic: topic('orders'), partition: 0 }
    const offset = async (): Promise<number | undefined> =>
      (await admin.committedOffsets(groupId, [{ topic: place.topic, partitions: [0] }]))[0]?.offset
    const member = collect(openClient(), { groupId, topics: [topic('orders')] })
    await send('orders', [{ value: 'a' }, { value: 'b' }])
    await until('it has committed', async () => (await offset()) === 2)

    const [kept] = await admin.deleteGroups([groupId])
    assert.match(String(kept?.error), /NON_EMPTY_GROUP/)
    const [unmoved] = await admin.setOffsets(groupId, [{ ...place, offset: 0 }])
    assert.match(String(unmoved?.error), /UNKNOWN_MEMBER_ID/)
    assert.equal(await offset(), 2)

    await member.close()
    assert.equal((await admin.setOffsets(groupId, [{ ...place, offset: 1 }]))[0]?.error, undefined)
    assert.equal(await offset(), 1)
    assert.equal((await admin.deleteGroups([groupId]))[0]?.error, undefined)
    assert.equal(await offset(), -1)
    const [again] = await admin.deleteGroups([groupId])
    assert.match(String(again?.error), /GROUP_ID_NOT_FOUND/)
  },
)
