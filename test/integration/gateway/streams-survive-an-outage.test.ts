import assert from 'node:assert/strict'
import { it } from 'node:test'
import { brokersAway } from '../../harness/brokers-away.ts'
import { startTestGateway } from '../../harness/gateway.ts'
import { until } from '../../harness/until.ts'

it('Streams workers time out while the broker is away, and go on when it is back', async () => {
  const network = brokersAway()
  await using gateway = await startTestGateway({
    clientOptions: { dial: network.dial, reconnectMs: 100 },
  })
  await gateway.createTopic('orders')
  const worker = await gateway.dial()
  const writer = await gateway.dial()
  const read = (ms: number): Promise<string> =>
    worker.command('XREADGROUP', 'GROUP', 'g', 'a', 'BLOCK', `${ms}`, 'STREAMS', 'orders', '>')
  assert.equal(await worker.command('XGROUP', 'CREATE', 'orders', 'g', '0'), '+OK\r\n')
  assert.match(await writer.command('XADD', 'orders', '*', 'n', '1'), /0-1/)
  assert.match(await read(5000), /0-1/)

  network.goAway()
  assert.equal(await worker.command('XACK', 'orders', 'g', '0-1'), ':1\r\n')
  const adding = writer.command('XADD', 'orders', '*', 'n', '2')
  assert.equal(await read(300), '*-1\r\n')
  assert.equal(await read(300), '*-1\r\n')

  network.comeBack()
  assert.match(await adding, /0-2/)
  let seen = ''
  await until('the next entry comes', async () => (seen = await read(1000)).includes('0-2'), {
    lastSeen: () => seen,
  })
  assert.doesNotMatch(seen, /0-1/)
  assert.equal(await worker.command('XACK', 'orders', 'g', '0-2'), ':1\r\n')
  await until('both are committed', async () => {
    const [committed] = await gateway.client.admin.committedOffsets('g')
    return committed!.offset === 2
  })
})
