import { after, afterEach, before, describe, it } from 'node:test'
import { apis } from '../../packages/millrace/src/protocol/index.ts'
import { engineName } from '../harness/engine.ts'
import { unique } from '../harness/unique.ts'
import { until } from '../harness/until.ts'
import { openBoth, sharedVersions, sorted, type BothEngines } from './both-engines.ts'
import { absent, nobodysId, orders, topicOf } from './requests.ts'

const options = { skip: engineName !== 'kafka', timeout: 120_000 }

/** Settings of a topic whose values differ on purpose; `docs/reference/engines.md` says why. */
const ownValues = new Set(['file.delete.delay.ms', 'segment.bytes'])

describe('Apache Kafka and the embedded broker agree on topics and configs', options, () => {
  let both: BothEngines
  before(async () => {
    both = await openBoth({ name: orders, numPartitions: 3 })
  })
  afterEach(() => {
    both.assertAlike()
  })
  after(async () => {
    await both[Symbol.asyncDispose]()
  })

  it('CreateTopics: one that exists, one that cannot be, one only checked', async () => {
    const name = unique('later')
    await both.ask(
      'only checked',
      apis.createTopics,
      (version) => ({
        topics: [
          topicOf(orders, 1),
          topicOf('', 1),
          topicOf('not/a/name', 1),
          topicOf('..', 1),
          topicOf('x'.repeat(250), 1),
          topicOf(`${name}-none-${version}`, 0),
          topicOf(`${name}-replicas-${version}`, 1, 3),
          {
            ...topicOf(`${name}-config-${version}`, 1),
            configs: [{ name: 'no.such', value: '1' }],
          },
          {
            ...topicOf(`${name}-value-${version}`, 1),
            configs: [{ name: 'retention.ms', value: 'x' }],
          },
          topicOf(`${name}-good-${version}`, 2),
        ],
        timeoutMs: 10_000,
        validateOnly: true,
      }),
      {
        // DescribeConfigs compares the values; what a broker makes of its own settings is its own.
        relax: (answer) =>
          sorted(answer.topics, (row) => row.name).map(
            // Kafka draws an id for a topic that it only checks.
            ({ configs: _configs, topicId: _topicId, ...row }) => row,
          ),
      },
    )
  })

  it('CreatePartitions: more, fewer, the same, of nothing', async () => {
    for (const [name, count] of [
      [orders, 2],
      [orders, 3],
      [orders, 5],
      [orders, 0],
      [absent, 4],
    ] as const) {
      await both.ask(`${name} to ${count}`, apis.createPartitions, () => ({
        topics: [{ name, count, assignments: null }],
        timeoutMs: 10_000,
        validateOnly: true,
      }))
    }
  })

  it('DeleteTopics of what is not there', async () => {
    await both.ask(
      'no such topic',
      apis.deleteTopics,
      () => ({
        topics: [{ name: absent }, { name: null, topicId: nobodysId }],
        topicNames: [absent],
        timeoutMs: 10_000,
      }),
      { relax: ({ responses }) => sorted(responses, (row) => row.name ?? '') },
    )
  })

  it('Metadata: known, unknown, impossible and no topics', async () => {
    const { sides } = both
    const versions = await sharedVersions(sides, apis.metadata, 4)
    for (const names of [[orders], [absent], ['not/a/name'], [orders, absent]]) {
      const ask = { topics: names.map((name) => ({ name })), allowAutoTopicCreation: false }
      await both.ask(names.join(' and '), apis.metadata, () => ask, { versions })
    }
    await both.ask('none', apis.metadata, () => ({ topics: [] }), {
      versions: await sharedVersions(sides, apis.metadata, 1),
    })
    const byId = { topics: [{ name: null, topicId: nobodysId }], allowAutoTopicCreation: false }
    await both.ask('an id that no topic has', apis.metadata, () => byId, {
      versions: await sharedVersions(sides, apis.metadata, 12),
    })
  })

  it('InitProducerId without a transactional id gives a fresh id with epoch 0', async () => {
    const ask = { transactionalId: null, transactionTimeoutMs: 60_000 }
    // A fresh Kafka fetches its first block of ids when it is asked, and answers 14 until it has.
    await until('Kafka has ids to give', async () => {
      const connection = await both.sides[0].client.connections.connect('any', 'data')
      return (await connection.request(apis.initProducerId, ask)).errorCode === 0
    })
    await both.ask('no transactional id', apis.initProducerId, () => ask)
    const empty = { ...ask, transactionalId: '' }
    await both.ask('an empty one', apis.initProducerId, () => empty)
  })

  it('DescribeConfigs of a topic: the same names, values and types', async () => {
    const resource = { resourceType: 2, resourceName: orders, configurationKeys: null }
    await both.ask(
      'everything',
      apis.describeConfigs,
      () => ({ resources: [resource], includeSynonyms: false }),
      {
        relax: ({ results }) =>
          results.map(({ errorCode, configs }) => ({
            errorCode,
            configs: Object.fromEntries(
              configs.map(({ name, value, configType, isSensitive, readOnly }) => [
                name,
                {
                  value: ownValues.has(name) ? '*' : value,
                  configType,
                  isSensitive,
                  readOnly,
                },
              ]),
            ),
          })),
      },
    )
    for (const changes of [
      { resourceName: absent },
      { configurationKeys: ['retention.ms', 'no.such'] },
      { resourceType: 99 },
      { resourceType: 4, resourceName: 'no such broker' },
    ]) {
      await both.ask(
        JSON.stringify(changes),
        apis.describeConfigs,
        () => ({ resources: [{ ...resource, ...changes }], includeSynonyms: false }),
        {
          relax: ({ results }) =>
            results.map(({ errorCode, configs }) => ({
              errorCode,
              names: configs.map(({ name }) => name),
            })),
        },
      )
    }
  })

  it('DescribeCluster', async () => {
    await both.ask('brokers', apis.describeCluster, () => ({}))
    await both.ask('controllers', apis.describeCluster, () => ({ endpointType: 2 }), {
      versions: await sharedVersions(both.sides, apis.describeCluster, 1),
    })
  })
})
