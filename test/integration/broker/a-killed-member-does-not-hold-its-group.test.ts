import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { apis } from '../../../packages/millrace/src/protocol/index.ts'
import { startTestBroker } from '../../../packages/millrace/src/testing/index.ts'
import { connectRaw, type RawClient } from './raw-client.ts'
import { until } from './until.ts'

const joining = {
  groupId: 'g',
  sessionTimeoutMs: 300_000,
  rebalanceTimeoutMs: 300_000,
  protocolType: 'consumer',
  protocols: [{ name: 'range', metadata: Buffer.alloc(0) }],
}

async function join(client: RawClient): Promise<{ memberId: string; generationId: number }> {
  const { memberId, generationId, members } = await client.ask(apis.joinGroup, 3, joining)
  await client.ask(apis.syncGroup, 2, {
    groupId: 'g',
    memberId,
    generationId,
    assignments: members.map((one) => ({ memberId: one.memberId, assignment: Buffer.from('a') })),
  })
  return { memberId, generationId }
}

describe('a member that was killed', () => {
  it('is not waited for when its successor joins', async () => {
    await using broker = await startTestBroker({ options: { groupAbsentGraceMs: 50 } })
    {
      await using killed = await connectRaw(broker.port)
      await join(killed)
    }
    await until('its connection is gone', () => broker.connections === 0)
    await using successor = await connectRaw(broker.port)
    const { generationId } = await join(successor)
    assert.equal(generationId, 2)
  })

  it('is waited for when it comes back on another connection', async () => {
    await using broker = await startTestBroker({ options: { groupAbsentGraceMs: 50 } })
    let claim
    {
      await using dropped = await connectRaw(broker.port)
      claim = await join(dropped)
    }
    await until('its connection is gone', () => broker.connections === 0)
    await using back = await connectRaw(broker.port)
    const beat = async (): Promise<number> =>
      (await back.ask(apis.heartbeat, 2, { groupId: 'g', ...claim })).errorCode
    assert.equal(await beat(), 0)
    await using other = await connectRaw(broker.port)
    const joined = other.ask(apis.joinGroup, 3, joining)
    let code = await beat()
    const untilMs = performance.now() + 200
    while (performance.now() < untilMs) code = await beat()
    assert.equal(code, 27, 'it is still a member, and asked to rejoin')
    await back.ask(apis.joinGroup, 3, { ...joining, memberId: claim.memberId })
    assert.equal((await joined).generationId, 2)
  })
})
