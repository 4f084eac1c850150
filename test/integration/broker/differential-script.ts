import {
  apis,
  consumerSubscription,
  type AnyApi,
  type RequestInput,
  type ResponseOf,
} from '../../../packages/millrace/src/protocol/index.ts'
import { batchOf, produceTo } from './batches.ts'
import type { RawClient } from './raw-client.ts'

/** One question to a broker and what it answered, without what differs between any two brokers. */
export interface Step {
  readonly what: string
  readonly answer: unknown
}

/** Set by the broker, or text for people. */
const baseMs = Math.floor(Date.now() / 1000) * 1000 - 60_000
const masked = new Set([
  'topicId',
  'clusterId',
  'host',
  'port',
  'errorMessage',
  'batchIndexErrorMessage',
  'throttleTimeMs',
  'clientHost',
  'logDir',
  'totalBytes',
  'usableBytes',
  'documentation',
  'topicAuthorizedOperations',
  'clusterAuthorizedOperations',
  'authorizedOperations',
  'producerId',
])

/**
 * Asks the same of any broker, in the same order. Names are made of `prefix`, so that a broker that serves others
 * too answers alike.
 */
export async function differentialScript(client: RawClient, prefix: string): Promise<Step[]> {
  const steps: Step[] = []
  /** Member ids in the order in which they were given out. */
  const memberIds: string[] = []

  const mask = (value: unknown): unknown => {
    if (typeof value === 'string') {
      const index = memberIds.indexOf(value)
      return index < 0 ? value : `member ${index}`
    }
    if (Buffer.isBuffer(value)) return value.toString('hex')
    if (Array.isArray(value)) return value.map(mask)
    if (typeof value !== 'object' || value === null) return value
    return Object.fromEntries(
      Object.entries(value)
        .filter(([name]) => !masked.has(name))
        .map(([name, inner]) => [name, mask(inner)]),
    )
  }
  const ask = async <A extends AnyApi>(
    what: string,
    api: A,
    version: number,
    body: RequestInput<A>,
  ): Promise<ResponseOf<A>> => {
    const answer = await client.ask(api, version, body)
    const memberId = (answer as { memberId?: string }).memberId
    if (memberId !== undefined && memberId !== '' && !memberIds.includes(memberId))
      memberIds.push(memberId)
    steps.push({ what: `${api.name} v${version}: ${what}`, answer: mask(answer) })
    return answer
  }
  const name = (suffix: string): string => `${prefix}-${suffix}`
  const orders = name('orders')

  await topicSteps(ask, name)
  await ask('the topic of this script', apis.createTopics, 4, {
    timeoutMs: 30_000,
    topics: [{ name: orders, numPartitions: 2, replicationFactor: 1 }],
  })
  await until(async () => {
    const { topics } = await client.ask(apis.metadata, 5, { topics: [{ name: orders }] })
    if (topics[0]?.partitions.every(({ leaderId }) => leaderId >= 0) !== true) return false
    const { topics: listed } = await client.ask(apis.listOffsets, 7, {
      replicaId: -1,
      topics: [
        {
          name: orders,
          partitions: [
            { partitionIndex: 0, timestamp: -1 },
            { partitionIndex: 1, timestamp: -1 },
          ],
        },
      ],
    })
    if (listed[0]?.partitions.some(({ errorCode }) => errorCode !== 0)) return false
    const { errorCode } = await client.ask(apis.initProducerId, 4, { transactionalId: null })
    if (errorCode !== 0) return false
    const found = await client.ask(apis.findCoordinator, 3, { key: name('tool'), keyType: 0 })
    if (found.errorCode !== 0) return false
    const desc = await client.ask(apis.describeGroups, 5, { groups: [name('tool')] })
    return desc.groups[0]?.errorCode === 0
  })
  await produceSteps(ask, orders)
  await readSteps(ask, orders)
  await offsetSteps(ask, orders, name)
  await groupSteps(ask, orders, name)
  await configSteps(ask, orders, name)
  return steps
}

type Ask = <A extends AnyApi>(
  what: string,
  api: A,
  version: number,
  body: RequestInput<A>,
) => Promise<ResponseOf<A>>
type Name = (suffix: string) => string

async function topicSteps(ask: Ask, name: Name): Promise<void> {
  const plain = { numPartitions: 1, replicationFactor: 1 }
  for (const version of [2, 5, 7]) {
    await ask('one result per topic', apis.createTopics, version, {
      timeoutMs: 30_000,
      topics: [
        { name: name(`v${version}`), ...plain },
        { name: 'bad name', ...plain },
        { name: '..', ...plain },
        { name: name('none'), numPartitions: 0, replicationFactor: 1 },
        { name: name('copies'), numPartitions: 1, replicationFactor: 3 },
        { name: name('zero'), numPartitions: 1, replicationFactor: 0 },
        { name: name('twice'), ...plain },
        { name: name('twice'), ...plain },
        { name: name('odd'), ...plain, configs: [{ name: 'retention.ms', value: 'long' }] },
        { name: name('unheard'), ...plain, configs: [{ name: 'no.such', value: '1' }] },
      ].toSorted((left, right) => (left.name < right.name ? -1 : 1)),
    }).then(dropConfigs)
    await ask('again', apis.createTopics, version, {
      timeoutMs: 30_000,
      topics: [{ name: name(`v${version}`), ...plain }],
    })
  }
  await ask('assignments', apis.createTopics, 5, {
    timeoutMs: 30_000,
    validateOnly: true,
    topics: [
      {
        name: name('placed'),
        numPartitions: -1,
        replicationFactor: -1,
        assignments: [{ partitionIndex: 0, brokerIds: [99] }],
      },
    ],
  })
  await ask('fewer, same, unknown', apis.createPartitions, 2, {
    timeoutMs: 30_000,
    topics: [
      { name: name('v2'), count: 1, assignments: null },
      { name: name('none'), count: 2, assignments: null },
    ],
  })
  await ask('more', apis.createPartitions, 0, {
    timeoutMs: 30_000,
    topics: [{ name: name('v2'), count: 3, assignments: null }],
  })
  for (const version of [1, 4, 9, 12]) {
    await ask('unknown and impossible names', apis.metadata, version, {
      allowAutoTopicCreation: false,
      topics: version < 4 ? [{ name: 'bad name' }] : [{ name: name('none') }, { name: 'bad name' }],
    })
  }
  await ask('an id that never was', apis.metadata, 12, {
    topics: [{ topicId: 'abcdefghijklmnopqrstuw', name: null }],
  })
  await ask('delete', apis.deleteTopics, 4, {
    timeoutMs: 30_000,
    topicNames: [name('v2'), name('none')],
  })
  await ask('by id, by name', apis.deleteTopics, 6, {
    timeoutMs: 30_000,
    topics: [{ topicId: 'abcdefghijklmnopqrstuw', name: null }, { name: name('v5') }],
  })
}

/** Defaults of a broker are its own; which configs there are is compared elsewhere. */
function dropConfigs(answer: ResponseOf<typeof apis.createTopics>): void {
  for (const topic of answer.topics) Object.assign(topic, { configs: [] })
}

async function produceSteps(ask: Ask, orders: string): Promise<void> {
  const timestamp = baseMs
  for (const version of [3, 5, 8, 9, 11, 12]) {
    await ask(
      'appended',
      apis.produce,
      version,
      produceTo(orders, 0, batchOf(['a', 'b'], { timestamp })),
    )
    await ask('unknown partition', apis.produce, version, produceTo(orders, 9, batchOf(['a'])))
    await ask('unknown topic', apis.produce, version, produceTo('none', 0, batchOf(['a'])))
    await ask('acks 7', apis.produce, version, produceTo(orders, 0, batchOf(['a']), 7))
    const broken = batchOf(['a'])
    broken[broken.length - 1]! ^= 1
    await ask('broken', apis.produce, version, produceTo(orders, 0, broken))
  }
  await ask(
    'far ahead',
    apis.produce,
    8,
    produceTo(orders, 0, batchOf(['a'], { timestamp: Date.now() + 9e7 })),
  )

  const { producerId } = await ask('idempotent', apis.initProducerId, 4, { transactionalId: null })
  const send = (what: string, sequence: number, epoch = 0, values = ['x', 'y']): Promise<unknown> =>
    ask(
      what,
      apis.produce,
      9,
      produceTo(orders, 1, batchOf(values, { producerId, sequence, epoch, timestamp })),
    )
  await send('first', 0)
  await send('second', 2)
  await send('repeat', 2)
  await send('repeat of the first', 0)
  await send('a gap', 9)
  await send('half a repeat', 2, 0, ['x'])
  for (const sequence of [4, 6, 8, 10, 12]) await send(`on`, sequence)
  await send('a repeat that is too old', 0)
  await send('a new epoch that does not start at 0', 5, 1)
  await send('a new epoch', 0, 1)
  await send('the epoch before', 14, 0)
  await ask('an empty transactional id', apis.initProducerId, 4, { transactionalId: '' })
}

async function readSteps(ask: Ask, orders: string): Promise<void> {
  const fetch = (what: string, version: number, partitions: readonly object[], more: object = {}) =>
    ask(what, apis.fetch, version, {
      maxWaitMs: 10,
      minBytes: 1,
      maxBytes: 1_000_000,
      topics: [{ topic: orders, partitions }],
      ...more,
    })
  const from = (partition: number, fetchOffset: number, more: object = {}): object => ({
    partition,
    fetchOffset,
    partitionMaxBytes: 1_000_000,
    ...more,
  })
  for (const version of [4, 5, 7, 10, 11, 12]) {
    await fetch('from the start', version, [from(0, 0)])
    await fetch('mid-batch', version, [from(0, 3)])
    await fetch('one byte', version, [from(0, 0, { partitionMaxBytes: 1 }), from(1, 0)], {
      maxBytes: 1,
    })
    await fetch('the end', version, [from(0, 12)])
    await fetch('beyond', version, [from(0, 99), from(1, -1)])
    await fetch('unknown partition', version, [from(9, 0)])
    await fetch('committed', version, [from(0, 11)], { isolationLevel: 1 })
    if (version >= 9) await fetch('epochs', version, [from(0, 0, { currentLeaderEpoch: 7 })])
  }
  await ask('an id that never was', apis.fetch, 13, {
    maxWaitMs: 10,
    topics: [{ topicId: 'abcdefghijklmnopqrstuw', partitions: [from(0, 0)] as never }],
  })
  await fetch('unknown session', 11, [], { sessionId: 123, sessionEpoch: 1 })
  await fetch('no session, next epoch', 11, [], { sessionId: 0, sessionEpoch: 5 })

  for (const version of [1, 2, 4, 6, 7, 8, 9, 10]) {
    for (const timestamp of [-1, -2, -3, -4, -5, 0, baseMs, baseMs + 1]) {
      await ask(`at ${timestamp}`, apis.listOffsets, version, {
        replicaId: -1,
        isolationLevel: 1,
        topics: [
          {
            name: orders,
            partitions: [
              { partitionIndex: 0, timestamp },
              { partitionIndex: 1, timestamp },
            ],
          },
        ],
      })
    }
  }
  await ask('unknown', apis.listOffsets, 7, {
    replicaId: -1,
    topics: [
      { name: orders, partitions: [{ partitionIndex: 7, timestamp: -1 }] },
      { name: 'none', partitions: [{ partitionIndex: 0, timestamp: -1 }] },
    ],
  })
  await ask('epochs', apis.offsetForLeaderEpoch, 4, {
    replicaId: -1,
    topics: [
      {
        topic: orders,
        partitions: [
          { partition: 0, leaderEpoch: 0 },
          { partition: 1, leaderEpoch: 5 },
          { partition: 9, leaderEpoch: 0 },
          { partition: 0, leaderEpoch: 0, currentLeaderEpoch: 3 },
        ],
      },
    ],
  })
}

async function offsetSteps(ask: Ask, orders: string, name: Name): Promise<void> {
  const groupId = name('tool')
  for (const version of [0, 1, 3]) {
    await ask('coordinator', apis.findCoordinator, version, { key: groupId, keyType: 0 })
  }
  await ask('coordinators', apis.findCoordinator, 4, { keyType: 0, coordinatorKeys: [groupId] })
  await ask('of what', apis.findCoordinator, 4, { keyType: 9, coordinatorKeys: [groupId] })
  const partition = (partitionIndex: number, committedMetadata = 'note'): object => ({
    partitionIndex,
    committedOffset: 5,
    committedMetadata,
  })
  const commit = (what: string, version: number, more: object = {}, id = groupId) =>
    ask(what, apis.offsetCommit, version, {
      groupId: id,
      topics: [{ name: orders, partitions: [partition(0)] }],
      ...more,
    })
  for (const version of [2, 5, 7, 8, 9]) {
    await commit('by a tool', version)
    await commit('unknown and too long', version, {
      topics: [
        { name: orders, partitions: [partition(9), partition(1, 'x'.repeat(4097)), partition(0)] },
        { name: 'none', partitions: [partition(0)] },
      ],
    })
    await commit(
      'a generation of an unknown group',
      version,
      { generationIdOrMemberEpoch: 3, memberId: 'm' },
      name('unknown'),
    )
    await commit('a generation of an empty group', version, {
      generationIdOrMemberEpoch: 3,
      memberId: 'm',
    })
    await commit('no group', version, {}, '')
  }
  const topics = [{ name: orders, partitionIndexes: [0, 1, 9] }]
  for (const version of [1, 2, 5, 7]) {
    await ask('some', apis.offsetFetch, version, { groupId, topics })
    if (version >= 2) await ask('all', apis.offsetFetch, version, { groupId, topics: null })
    await ask('unknown', apis.offsetFetch, version, { groupId: name('unknown'), topics })
  }
  for (const version of [8, 9]) {
    await ask('many', apis.offsetFetch, version, {
      groups: [
        { groupId, topics },
        { groupId, topics: null },
        { groupId: name('unknown'), topics },
      ],
    })
  }
  await ask('some', apis.offsetDelete, 0, {
    groupId,
    topics: [{ name: orders, partitions: [{ partitionIndex: 0 }, { partitionIndex: 1 }] }],
  })
  await ask('unknown', apis.offsetDelete, 0, {
    groupId: name('unknown'),
    topics: [{ name: orders, partitions: [{ partitionIndex: 0 }] }],
  })
  await ask('all gone', apis.offsetFetch, 5, { groupId, topics: null })
}

async function groupSteps(ask: Ask, orders: string, name: Name): Promise<void> {
  const metadata = consumerSubscription.encode(0, { topics: [orders] })
  for (const version of [0, 1, 4, 5, 7, 9]) {
    const groupId = name(`group-${version}`)
    const joining = {
      groupId,
      sessionTimeoutMs: 10_000,
      rebalanceTimeoutMs: 10_000,
      protocolType: 'consumer',
      protocols: [
        { name: 'range', metadata },
        { name: 'sticky', metadata },
      ],
    }
    const join = (what: string, more: object = {}) =>
      ask(what, apis.joinGroup, version, { ...joining, ...more })
    await join('too short a session', { sessionTimeoutMs: 10 })
    await join('an unknown member', { memberId: 'nobody' })
    await join('no protocols', { protocols: [] })
    await join('no group', { groupId: '' })
    const first = await join('a newcomer')
    const memberId = first.memberId
    const joined = version >= 4 ? await join('with its id', { memberId }) : first
    const { generationId } = joined
    const claim = { groupId, memberId, generationId }
    const at = (newest: number): number => Math.min(version, newest)
    await ask('before the assignment', apis.heartbeat, at(4), claim)
    await ask('before the assignment', apis.offsetCommit, Math.max(2, at(8)), {
      groupId,
      memberId,
      generationIdOrMemberEpoch: generationId,
      topics: [{ name: orders, partitions: [{ partitionIndex: 0, committedOffset: 1 }] }],
    })
    await ask('another generation', apis.syncGroup, at(5), { ...claim, generationId: 99 })
    await ask('another member', apis.syncGroup, at(5), { ...claim, memberId: 'nobody' })
    if (version >= 5) {
      await ask('another protocol', apis.syncGroup, 5, {
        ...claim,
        protocolType: 'connect',
        protocolName: 'range',
      })
    }
    await ask('the leader assigns', apis.syncGroup, at(5), {
      ...claim,
      ...(version >= 5 ? { protocolType: 'consumer', protocolName: 'range' } : {}),
      assignments: [{ memberId, assignment: Buffer.from('assigned') }],
    })
    await ask('once more', apis.syncGroup, at(5), {
      ...claim,
      ...(version >= 5 ? { protocolType: 'consumer', protocolName: 'range' } : {}),
    })
    await ask('in time', apis.heartbeat, at(4), claim)
    await ask('another generation', apis.heartbeat, at(4), { ...claim, generationId: 99 })
    await ask('another member', apis.heartbeat, at(4), { ...claim, memberId: 'nobody' })
    await ask('an unknown group', apis.heartbeat, at(4), { ...claim, groupId: name('unknown') })
    for (const [what, more] of [
      ['by the member', { memberId, generationIdOrMemberEpoch: generationId }],
      ['by another generation', { memberId, generationIdOrMemberEpoch: 99 }],
      ['by another member', { memberId: 'nobody', generationIdOrMemberEpoch: generationId }],
      ['by a tool', {}],
    ] as const) {
      await ask(what, apis.offsetCommit, Math.max(2, at(9)), {
        groupId,
        topics: [{ name: orders, partitions: [{ partitionIndex: 0, committedOffset: 1 }] }],
        ...more,
      })
    }
    for (const described of [0, 3, 5, 6])
      await ask('stable', apis.describeGroups, described, { groups: [groupId, name('unknown')] })
    await ask('with members', apis.deleteGroups, 2, { groupsNames: [groupId, name('unknown')] })
    await ask('subscribed', apis.offsetDelete, 0, {
      groupId,
      topics: [{ name: orders, partitions: [{ partitionIndex: 0 }] }],
    })
    await ask('another member', apis.leaveGroup, at(5), {
      groupId,
      memberId: 'nobody',
      members: [{ memberId: 'nobody' }],
    })
    await ask('the last', apis.leaveGroup, at(5), { groupId, memberId, members: [{ memberId }] })
    await ask('gone', apis.heartbeat, at(4), claim)
    await ask('gone', apis.syncGroup, at(5), claim)
    await ask('empty', apis.describeGroups, 5, { groups: [groupId] })
    await ask('without members', apis.deleteGroups, 1, { groupsNames: [groupId] })
  }

  const groupId = name('static')
  const joining = {
    groupId,
    groupInstanceId: 'blue',
    sessionTimeoutMs: 10_000,
    rebalanceTimeoutMs: 10_000,
    protocolType: 'consumer',
    protocols: [{ name: 'range', metadata }],
  }
  const first = await ask('static', apis.joinGroup, 9, joining)
  const { memberId, generationId } = first
  await ask('static', apis.syncGroup, 3, {
    groupId,
    memberId,
    generationId,
    groupInstanceId: 'blue',
    assignments: [{ memberId, assignment: Buffer.from('assigned') }],
  })
  const back = await ask('static, back', apis.joinGroup, 9, joining)
  await ask('the former self', apis.heartbeat, 3, {
    groupId,
    memberId,
    generationId,
    groupInstanceId: 'blue',
  })
  await ask('the present self', apis.heartbeat, 3, {
    groupId,
    memberId: back.memberId,
    generationId,
    groupInstanceId: 'blue',
  })
  await ask('its assignment', apis.syncGroup, 3, {
    groupId,
    memberId: back.memberId,
    generationId,
    groupInstanceId: 'blue',
  })
  await ask('static, back below v9', apis.joinGroup, 7, joining)
  await ask('wrong and right', apis.leaveGroup, 3, {
    groupId,
    members: [
      { memberId: 'nobody', groupInstanceId: 'blue' },
      { memberId: '', groupInstanceId: 'green' },
      { memberId: '', groupInstanceId: 'blue' },
    ],
  })
}

async function configSteps(ask: Ask, orders: string, name: Name): Promise<void> {
  const resource = { resourceType: 2, resourceName: orders }
  const set = (config: string, value: string | null, configOperation = 0): object => ({
    name: config,
    value,
    configOperation,
  })
  for (const [what, configs] of [
    ['set', [set('retention.ms', '1000'), set('cleanup.policy', 'compact', 2)]],
    ['a fault among them', [set('retention.ms', '5'), set('no.such', '1')]],
    ['a value that is none', [set('retention.ms', 'long')]],
    ['append to no list', [set('retention.ms', '1', 2)]],
    ['twice', [set('retention.ms', '1'), set('retention.ms', '2')]],
    ['subtract', [set('cleanup.policy', 'delete', 3)]],
    ['delete', [set('retention.ms', null, 1)]],
  ] as const) {
    await ask(what, apis.incrementalAlterConfigs, 1, {
      resources: [{ ...resource, configs }],
    })
    await ask(what, apis.describeConfigs, 1, {
      resources: [{ ...resource, configurationKeys: ['retention.ms', 'cleanup.policy'] }],
      includeSynonyms: true,
    })
  }
  await ask('the whole set', apis.alterConfigs, 1, {
    resources: [
      { ...resource, configs: [{ name: 'segment.ms', value: '99999' }] },
      { resourceType: 2, resourceName: name('none') },
    ],
  })
  await ask('all of them', apis.describeConfigs, 3, {
    resources: [
      { ...resource, configurationKeys: null },
      { resourceType: 2, resourceName: name('none'), configurationKeys: null },
      { resourceType: 2, resourceName: 'bad name', configurationKeys: null },
    ],
    includeSynonyms: true,
  })
  await ask('unknown, beyond, up to 3', apis.deleteRecords, 1, {
    timeoutMs: 30_000,
    topics: [
      { name: 'none', partitions: [{ partitionIndex: 0, offset: 0 }] },
      {
        name: orders,
        partitions: [
          { partitionIndex: 0, offset: 3 },
          { partitionIndex: 1, offset: 999 },
          { partitionIndex: 9, offset: 0 },
        ],
      },
    ],
  })
  await ask('after deletion', apis.listOffsets, 7, {
    replicaId: -1,
    topics: [
      {
        name: orders,
        partitions: [
          { partitionIndex: 0, timestamp: -2 },
          { partitionIndex: 0, timestamp: 0 },
        ],
      },
    ],
  })
}

async function until(holds: () => Promise<boolean>): Promise<void> {
  const deadlineMs = performance.now() + 20_000
  while (!(await holds())) {
    if (performance.now() > deadlineMs) throw new Error('a topic got no leader')
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}
