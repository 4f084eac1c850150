import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, it } from 'node:test'
import { startBroker } from '../../../packages/millrace/src/broker/index.ts'
import { isFailure } from '../../../packages/millrace/src/errors/index.ts'
import { manualClock } from '../../../packages/millrace/src/kit/index.ts'
import { apis } from '../../../packages/millrace/src/protocol/index.ts'
import { startTestBroker } from '../../../packages/millrace/src/testing/index.ts'
import { batchOf, produceTo } from './batches.ts'
import { connectRaw, type RawClient } from './raw-client.ts'

const joining = {
  groupId: 'g',
  sessionTimeoutMs: 10_000,
  rebalanceTimeoutMs: 10_000,
  protocolType: 'consumer',
  protocols: [{ name: 'range', metadata: Buffer.alloc(0) }],
}

/** A group of one member, an id that never comes back, a batch, a topic that is gone. */
async function leaveTraces(client: RawClient): Promise<void> {
  const { memberId } = await client.ask(apis.joinGroup, 5, joining)
  const { generationId } = await client.ask(apis.joinGroup, 5, { ...joining, memberId })
  await client.ask(apis.syncGroup, 3, {
    groupId: 'g',
    generationId,
    memberId,
    assignments: [{ memberId, assignment: Buffer.from('all') }],
  })
  await client.ask(apis.joinGroup, 5, joining)
  await client.ask(apis.produce, 8, produceTo('orders', 0, batchOf(['a'])))
  await client.ask(apis.deleteTopics, 4, { topicNames: ['other'] })
}

describe('a broker leaves no timer behind', () => {
  let folder = ''
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'millrace-broker-'))
  })
  afterEach(() => rm(folder, { recursive: true, force: true }))

  it('when it has stopped', async () => {
    const clock = manualClock(Date.now())
    const broker = await startTestBroker({ folder, clock, topics: { orders: 1, other: 1 } })
    await using client = await connectRaw(broker.port)
    await leaveTraces(client)
    assert.ok(clock.waiting > 0)
    await broker.stop()
    assert.equal(clock.waiting, 0)
  })

  it('when it could not start', async () => {
    await using rival = await startTestBroker()
    {
      await using broker = await startTestBroker({ folder, topics: { orders: 1, other: 1 } })
      await using client = await connectRaw(broker.port)
      await leaveTraces(client)
    }
    const clock = manualClock(Date.now())
    await assert.rejects(startBroker({ folder, clock, port: rival.port }), (error) =>
      isFailure(error, 'MR_BROKER_PORT_TAKEN'),
    )
    assert.equal(clock.waiting, 0)
  })
})
