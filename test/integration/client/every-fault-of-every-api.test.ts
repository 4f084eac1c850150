import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import {
  openClient,
  type Client,
  type OwnedPartition,
} from '../../../packages/millrace/src/client/index.ts'
import type { KafkaErrorName } from '../../../packages/millrace/src/protocol/index.ts'
import {
  startTestBroker,
  type ApiName,
  type FaultRule,
} from '../../../packages/millrace/src/testing/index.ts'
import { readLog } from '../../harness/read-log.ts'
import { until } from '../../harness/until.ts'

const topic = 'orders'
const group = 'mail'
const rounds = 3
const perRound = 10

/** What brokers answer these with when the client is to try again, by itself or with a new view of the cluster. */
const errorsByApi: Partial<Readonly<Record<ApiName, readonly KafkaErrorName[]>>> = {
  apiVersions: [],
  metadata: ['LEADER_NOT_AVAILABLE'],
  createTopics: ['NOT_CONTROLLER'],
  initProducerId: ['COORDINATOR_LOAD_IN_PROGRESS'],
  produce: [
    'NOT_LEADER_OR_FOLLOWER',
    'NOT_ENOUGH_REPLICAS',
    'NOT_ENOUGH_REPLICAS_AFTER_APPEND',
    'REQUEST_TIMED_OUT',
    'KAFKA_STORAGE_ERROR',
  ],
  listOffsets: ['NOT_LEADER_OR_FOLLOWER', 'OFFSET_NOT_AVAILABLE'],
  fetch: ['NOT_LEADER_OR_FOLLOWER', 'UNKNOWN_TOPIC_OR_PARTITION', 'KAFKA_STORAGE_ERROR'],
  findCoordinator: ['COORDINATOR_NOT_AVAILABLE'],
  joinGroup: ['COORDINATOR_LOAD_IN_PROGRESS', 'NOT_COORDINATOR', 'UNKNOWN_MEMBER_ID'],
  // Not UNKNOWN_MEMBER_ID: the broker, which lies then, would wait for that member until its session ends.
  syncGroup: ['REBALANCE_IN_PROGRESS', 'NOT_COORDINATOR', 'ILLEGAL_GENERATION'],
  heartbeat: [
    'REBALANCE_IN_PROGRESS',
    'NOT_COORDINATOR',
    'UNKNOWN_MEMBER_ID',
    'ILLEGAL_GENERATION',
  ],
  offsetFetch: ['COORDINATOR_LOAD_IN_PROGRESS', 'NOT_COORDINATOR', 'UNSTABLE_OFFSET_COMMIT'],
  offsetCommit: ['COORDINATOR_LOAD_IN_PROGRESS', 'NOT_COORDINATOR', 'REBALANCE_IN_PROGRESS'],
  leaveGroup: ['NOT_COORDINATOR', 'UNKNOWN_MEMBER_ID'],
}

const faults = (errors: readonly KafkaErrorName[]): Readonly<Record<string, FaultRule>> => ({
  'an answer that is late': { delay: '150ms' },
  'a connection closed before it was handled': { close: 'before' },
  'a connection closed after it was handled': { close: 'after' },
  ...Object.fromEntries(errors.map((error) => [error, { error }])),
})

/**
 * The same round trip under each fault, which meets the first two requests: a topic is made, messages are written idempotently
 * from several sides at once, a group reads them and commits. Whatever the fault, each message is in the log once and in
 * its producer's order, all of them were read, and the last commit stands.
 */
describe(
  'every API meets every fault, and nothing is lost or doubled',
  { timeout: 110_000 },
  () => {
    for (const [api, errors] of Object.entries(errorsByApi) as [ApiName, KafkaErrorName[]][])
      for (const [what, rule] of Object.entries(faults(errors)))
        it(`${api}: ${what}`, { timeout: 20_000 }, async () => {
          await using broker = await startTestBroker()
          using fault = broker.fail(api, { ...rule, times: 2 })
          await using client = openClient({ brokers: [broker.address], requestTimeoutMs: 5000 })
          await roundTrip(client)
          await fault.hit()
        })
  },
)

async function roundTrip(client: Client): Promise<void> {
  const [made] = await client.admin.createTopics([{ name: topic, partitions: 1 }])
  // Made by the request that was cut off, and found by the one that came after it.
  assert.ok(
    made?.error === undefined || made.error.message.includes('TOPIC_ALREADY_EXISTS'),
    String(made?.error),
  )

  const read = new Map<number, string>()
  const member = client.joinGroup({
    groupId: group,
    topics: [topic],
    sessionTimeoutMs: 10_000,
    heartbeatIntervalMs: 40,
    onAssigned: (partitions) => {
      for (const partition of partitions) void take(partition)
    },
  })
  const take = async (source: OwnedPartition): Promise<void> => {
    while (source.isOwned) {
      const messages = source.take(100)
      for (const { offset, value } of messages) read.set(offset, String(value))
      const last = messages.at(-1)
      if (last !== undefined) await member.commit([{ partition: source, offset: last.offset + 1 }])
      else await source.available()
      await wait(1)
    }
  }

  const producer = client.producer()
  for (let round = 0; round < rounds; round++)
    await producer.sendMany(
      Array.from({ length: perRound }, (_, n) => ({ topic, value: String(round * perRound + n) })),
    )
  const total = rounds * perRound
  await until('everything was read', () => read.size >= total, { lastSeen: () => read.size })
  await until(
    'and committed',
    async () => (await client.admin.committedOffsets(group))[0]?.offset === total,
  )
  await wait(100)
  await member.close({ timeoutMs: 5000 })

  const { records } = await readLog(client, topic, 0)
  const values = Array.from({ length: total }, (_, n) => String(n))
  assert.deepEqual(
    records.map(({ value }) => String(value)),
    values,
  )
  assert.deepEqual([...read.values()], values)
}
