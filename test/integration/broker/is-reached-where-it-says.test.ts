import assert from 'node:assert/strict'
import { networkInterfaces } from 'node:os'
import { describe, it } from 'node:test'
import { startBroker } from '../../../packages/millrace/src/broker/index.ts'
import { isFailure } from '../../../packages/millrace/src/errors/index.ts'
import { apis } from '../../../packages/millrace/src/protocol/index.ts'
import { events } from '../../../packages/millrace/src/telemetry/index.ts'
import { batchOf, produceTo } from './batches.ts'
import { connectRaw, type RawClient } from './raw-client.ts'
import { until } from './until.ts'

async function told(client: RawClient): Promise<string> {
  const { brokers } = await client.ask(apis.metadata, 5, { topics: [] })
  const cluster = await client.ask(apis.describeCluster, 0, {})
  const found = await client.ask(apis.findCoordinator, 1, { key: 'g' })
  const [broker] = brokers
  assert.equal(cluster.brokers[0]?.host, broker?.host)
  assert.equal(found.host, broker?.host)
  return `${broker?.host}:${broker?.port}`
}

const hasIpv6 = Object.values(networkInterfaces()).some((addresses) =>
  addresses?.some(({ address }) => address === '::1'),
)
const addresses = Object.values(networkInterfaces()).flatMap((all) => all ?? [])
const outside = addresses.find(({ family, internal }) => family === 'IPv4' && !internal)?.address

describe('a broker', () => {
  it('answers on both loopback addresses, and names itself localhost', async () => {
    await using broker = await startBroker({ memory: true })
    await using four = await connectRaw(broker.port, '127.0.0.1')
    assert.equal(await told(four), hasIpv6 ? broker.address : `127.0.0.1:${broker.port}`)
    if (!hasIpv6) return
    await using six = await connectRaw(broker.port, '::1')
    assert.equal(await told(six), `localhost:${broker.port}`)
  })

  it('names what it was told to, to everybody', async () => {
    await using broker = await startBroker({ memory: true, advertised: 'broker.internal:19092' })
    await using client = await connectRaw(broker.port)
    assert.equal(await told(client), 'broker.internal:19092')
  })

  it('on all addresses warns, and names the one a client came in by', async () => {
    const warnings: string[] = []
    const unsubscribe = events.brokerWarning.subscribe(({ hint }) => warnings.push(hint))
    await using broker = await startBroker({ memory: true, host: '0.0.0.0' })
    unsubscribe()
    assert.ok(warnings.some((hint) => hint.includes('advertised')))
    await using near = await connectRaw(broker.port)
    assert.equal(await told(near), `127.0.0.1:${broker.port}`)
    if (outside === undefined) return
    await using far = await connectRaw(broker.port, outside)
    assert.equal(await told(far), `${outside}:${broker.port}`)
  })

  it('says what is wrong with its address before it touches the folder', async () => {
    const wrong = [
      [{ memory: true, advertised: '0.0.0.0:9092' }, 'MR_BROKER_ADVERTISED'],
      [{ memory: true, host: '203.0.113.7' }, 'MR_BROKER_LISTEN'],
      [{}, 'MR_CONFIG_INVALID'],
      [{ memory: true, options: { checkRecord: true } as never }, 'MR_CONFIG_INVALID'],
    ] as const
    for (const [options, code] of wrong)
      await assert.rejects(startBroker(options), (error) => isFailure(error, code), code)
    await using broker = await startBroker({ memory: true })
    await assert.rejects(startBroker({ memory: true, port: broker.port }), (error) =>
      isFailure(error, 'MR_BROKER_PORT_TAKEN'),
    )
  })

  it('that stops lets clients have the answers to what it took', async () => {
    const broker = await startBroker({ memory: true })
    await broker.store.createTopic({ name: 'orders', partitions: 1 })
    await using client = await connectRaw(broker.port)
    await client.ask(apis.metadata, 5, { topics: [] })
    const answers = Array.from({ length: 20 }, (_, index) =>
      client.ask(apis.produce, 8, produceTo('orders', 0, batchOf([`${index}`]))),
    )
    const log = broker.store.partition('orders', 0)
    await until('all are appended', () => log?.logEndOffset === 20)
    await broker.stop()
    const codes = (await Promise.all(answers)).map(
      ({ responses }) => responses[0]?.partitionResponses[0]?.errorCode,
    )
    assert.deepEqual(new Set(codes), new Set([0]))
    await client.closed
  })

  it('stops although a client does not read, and waits for none that only listens', async () => {
    const broker = await startBroker({ memory: true })
    await broker.store.createTopic({ name: 'orders', partitions: 1 })
    await using waiting = await connectRaw(broker.port)
    waiting.tell(apis.fetch, 11, {
      maxWaitMs: 600_000,
      minBytes: 1,
      topics: [{ topic: 'orders', partitions: [{ partition: 0, partitionMaxBytes: 1000 }] }],
    })
    await using deaf = await connectRaw(broker.port)
    deaf.socket.pause()
    await broker.stop()
    await waiting.closed
    assert.equal(broker.connections, 0)
  })
})
