import assert from 'node:assert/strict'
import { describe, it } from 'node:test'

import { isFailure } from '../../errors/index.ts'
import {
  defineApp,
  defineConsumer,
  defineTopic,
  json,
  resolveConfig,
  type MillraceConfig,
} from '../index.ts'

const users = defineTopic('users')
const orders = defineTopic('orders')
const each = (): void => {}

const faultsOf = (
  config: MillraceConfig,
  sources: Parameters<typeof resolveConfig>[1] = {},
): readonly string[] => {
  try {
    resolveConfig(config, sources)
    return []
  } catch (error) {
    assert.ok(isFailure(error, 'MR_CONFIG_INVALID'))
    return error.context['faults'] as readonly string[]
  }
}
const withConsumers = (...consumers: Parameters<typeof defineConsumer>[0][]): MillraceConfig => ({
  app: defineApp({ consumers: consumers.map((one) => defineConsumer(one as never)) }),
})

describe('the configuration', () => {
  it('names every fault at once, each with its path', () => {
    const faults = faultsOf(
      {
        brokers: ['http://localhost:9092', 'localhost'],
        heartbeat: '30s',
        producer: { deliveryThreshold: 0, deliveryInterval: 0 },
        tls: { cert: 'x' },
        ...withConsumers(
          { topic: users, name: 'a', group: 'g', each, retries: 3 },
          { topic: users, name: 'b', group: 'g', each, concurrency: 0 },
          { topic: orders, name: 'c', each, backoff: 'soon', maxMessages: 0 },
          { topic: orders, name: 'd', each, deadLetter: { topic: 'orders' }, exhausted: 'skip' },
          { topic: orders, name: 'e', each, exhausted: 'stop' },
          { topic: defineTopic('a.b_c'), name: 'f', each },
          { topic: orders, name: 'g h', each, start: '-soon' },
        ),
      },
      {},
    )
    const paths = faults.map((fault) => fault.slice(0, fault.indexOf(':')))
    for (const path of [
      'brokers[0]',
      'brokers[1]',
      'heartbeat',
      'producer.deliveryInterval',
      'tls.key',
      'consumers.a.retries',
      'consumers.b.concurrency',
      'consumers.b',
      'consumers.c.backoff',
      'consumers.c.maxMessages',
      'consumers.d.deadLetter.topic',
      'consumers.d.exhausted',
      'consumers.e.exhausted',
      'topics.a.b_c',
      'consumers.g h.name',
      'consumers.g h.start',
    ])
      assert.ok(paths.includes(path), `${path} in\n${faults.join('\n')}`)
    assert.match(faults.join('\n'), /consumers.b.concurrency: 0 is not a number of 1 or more/)
    assert.match(faults.join('\n'), /users is consumed by a in the group g already/)
  })

  it('wants one answer for what a group does as a whole', () => {
    const [fault] = faultsOf(
      withConsumers(
        { topic: users, name: 'a', group: 'g', each, start: 'latest' },
        { topic: orders, name: 'b', group: 'g', each },
      ),
    )
    assert.match(
      fault ?? '',
      /consumers\.b\.start: is earliest, but latest for a of the same group/,
    )
  })

  it('puts consumer before group before app before default', () => {
    const consumers = [
      defineConsumer({ topic: users, group: 'g', each, maxMessages: 7 }),
      defineConsumer({ topic: orders, group: 'g', each }),
    ]
    const { plans } = resolveConfig({
      clientId: 'shop',
      app: defineApp({
        consumers,
        groups: { g: { maxMessages: 8, maxWait: '2s' } },
        defaults: { maxMessages: 9, maxWait: '3s', idleAfter: '4s' },
      }),
    })
    assert.deepEqual(
      plans.map(({ maxMessages, maxWaitMs, idleAfterMs }) => [maxMessages, maxWaitMs, idleAfterMs]),
      [
        [7, 2000, 4000],
        [8, 2000, 4000],
      ],
    )
    assert.equal(plans[0]?.groupId, 'shop_g')
  })

  it('takes flags before the environment before the file', () => {
    const config = { clientId: 'file', log: { level: 'warn' } }
    const env = { MILLRACE_CLIENT_ID: 'env', KAFKA_URL: 'kafka://one:9092,kafka://two:9093' }
    const { options, brokers } = resolveConfig(config, { env, flags: { clientId: 'flag' } })
    assert.equal(options.clientId, 'flag')
    assert.equal(options['log.level'], 'warn')
    assert.deepEqual(brokers, ['one:9092', 'two:9093'])
  })

  it('names the nearest option for an unknown one', () => {
    assert.match(
      faultsOf({ worker: { concurency: 3 } } as never)[0] ?? '',
      /worker\.concurrency\?$/,
    )
    assert.match(faultsOf({ brokerz: [] } as never)[0] ?? '', /did you mean brokers\?$/)
  })

  it('runs a part of the app, and refuses names that nobody has', () => {
    const config = withConsumers(
      { topic: users, name: 'price-drops', group: 'a', each },
      { topic: orders, name: 'mail', group: 'b', each },
    )
    const names = (sources: Parameters<typeof resolveConfig>[1]): readonly string[] =>
      resolveConfig(config, sources).plans.map(({ name }) => name)
    assert.deepEqual(names({ include: ['group:a'] }), ['price-drops'])
    assert.deepEqual(names({ include: ['price_drops'] }), ['price-drops'])
    assert.deepEqual(names({ exclude: ['topic:users'] }), ['mail'])
    assert.match(faultsOf(config, { include: ['group:c'] })[0] ?? '', /there is no group c/)
    assert.match(faultsOf(config, { include: ['consumer:mall'] })[0] ?? '', /did you mean mail\?/)
  })

  it('maps names of topics and groups on their way to the wire', () => {
    const { plans, wireName } = resolveConfig({
      ...withConsumers({ topic: users, each, deadLetter: true }),
      topicName: (name) => `eu-${name}`,
      groupId: (clientId, group) => `${clientId}/${group}`,
    })
    assert.equal(plans[0]?.groupId, 'millrace/users')
    assert.equal(wireName('users'), 'eu-users')
    assert.deepEqual(
      plans[0]?.deadLetter?.declared.map(({ topic }) => topic),
      ['users-dlt'],
    )
  })

  it('reads dead letters as bytes unless their topic says otherwise', () => {
    const letters = defineTopic('users-dlt')
    const typed = defineTopic('orders-dlt', { value: json<{ id: number }>() })
    const { plans } = resolveConfig(
      withConsumers(
        { topic: users, each, deadLetter: true },
        { topic: orders, each, deadLetter: true },
        { topic: letters, each },
        { topic: typed, each },
      ),
    )
    const raw = Buffer.from('{"id":1}')
    const decode = (index: number, bytes: Buffer | null): unknown =>
      plans[index]?.topics[0]?.decodeValue(bytes, { partition: 0, offset: 0 })
    assert.equal(decode(2, raw), raw)
    assert.equal(decode(2, null), null)
    assert.deepEqual(decode(3, raw), { id: 1 })
  })

  it('refuses dead letters that would go round', () => {
    const letters = defineTopic('users-dlt')
    const config = withConsumers(
      { topic: users, each, deadLetter: true },
      { topic: letters, each, deadLetter: { topic: 'users' } },
    )
    assert.match(faultsOf(config)[0] ?? '', /would go round: users -> users-dlt -> users$/)
  })

  it('makes room for the lanes of a consumer, unless somebody chose how many calls may run', () => {
    const config = withConsumers({ topic: users, each, concurrency: 64 })
    const callsOf = (given: Parameters<typeof resolveConfig>[0]): number =>
      resolveConfig(given).options['worker.concurrency']
    assert.equal(callsOf(config), 64)
    assert.equal(callsOf({ ...config, worker: { concurrency: 8 } }), 8)
    assert.equal(callsOf(withConsumers({ topic: users, each, concurrency: 2 })), 8)
  })
})
