/**
 * Sends mutated requests of every API and version to a broker in this process.
 *
 * Promises held: the process lives, a well-formed connection beside it is answered throughout, every connection
 * that got a mutated frame is answered, closed, or waits for more bytes, and what is answered is a frame for a
 * request that was sent.
 */
import { connect, type Socket } from 'node:net'
import { once } from 'node:events'
import { apis, encodeRequest, type AnyApi } from '../../packages/millrace/src/protocol/index.ts'
import { startTestBroker } from '../../packages/millrace/src/testing/index.ts'
import { batchOf } from '../integration/broker/batches.ts'
import { connectRaw } from '../integration/broker/raw-client.ts'

export interface FuzzReport {
  readonly seed: number
  readonly sent: number
  /** Connections that the broker closed. */
  readonly closed: number
  readonly answered: number
}

/** Sample bodies; a key that is missing here is sent with all defaults. */
const bodies: Readonly<Record<string, object>> = {
  Produce: {
    transactionalId: null,
    acks: 1,
    topicData: [{ name: 'fuzz', partitionData: [{ index: 0, records: batchOf(['a', 'b']) }] }],
  },
  Fetch: {
    maxWaitMs: 0,
    topics: [
      { topic: 'fuzz', partitions: [{ partition: 0, fetchOffset: 0, partitionMaxBytes: 9999 }] },
    ],
    forgottenTopicsData: [{ topic: 'fuzz', partitions: [1] }],
  },
  ListOffsets: {
    topics: [{ name: 'fuzz', partitions: [{ partitionIndex: 0, timestamp: 1 }] }],
  },
  Metadata: { topics: [{ name: 'fuzz' }], allowAutoTopicCreation: false },
  OffsetCommit: {
    groupId: 'g',
    topics: [{ name: 'fuzz', partitions: [{ partitionIndex: 0, committedOffset: 1 }] }],
  },
  OffsetFetch: {
    groupId: 'g',
    topics: [{ name: 'fuzz', partitionIndexes: [0, 1] }],
    groups: [{ groupId: 'g', topics: null }],
  },
  FindCoordinator: { key: 'g', coordinatorKeys: ['g'] },
  JoinGroup: {
    groupId: 'g',
    sessionTimeoutMs: 6000,
    rebalanceTimeoutMs: 10,
    protocolType: 'consumer',
    protocols: [{ name: 'range', metadata: Buffer.from('abc') }],
  },
  SyncGroup: {
    groupId: 'g',
    assignments: [{ memberId: 'm', assignment: Buffer.from('abc') }],
  },
  Heartbeat: { groupId: 'g', memberId: 'm' },
  LeaveGroup: { groupId: 'g', memberId: 'm', members: [{ memberId: 'm' }] },
  DescribeGroups: { groups: ['g'] },
  ApiVersions: { clientSoftwareName: 'fuzz', clientSoftwareVersion: '1' },
  CreateTopics: {
    validateOnly: true,
    topics: [{ name: 'new', numPartitions: 1, replicationFactor: 1, configs: [{ name: 'a' }] }],
  },
  DeleteTopics: { topicNames: ['none'], topics: [{ name: 'none' }] },
  InitProducerId: { transactionalId: null },
  OffsetForLeaderEpoch: { topics: [{ topic: 'fuzz', partitions: [{ leaderEpoch: 0 }] }] },
  DescribeConfigs: { resources: [{ resourceType: 2, resourceName: 'fuzz' }] },
  CreatePartitions: { topics: [{ name: 'fuzz', count: 3 }], validateOnly: true },
  DeleteGroups: { groupsNames: ['h'] },
}

/** @param options.seed - default: from the clock; print it, it replays the run */
export async function fuzzBroker(options: {
  readonly count: number
  readonly seed?: number
}): Promise<FuzzReport> {
  const { count, seed = Date.now() % 1_000_000_007 } = options
  const random = randomFrom(seed)
  await using broker = await startTestBroker({
    // A wounded frame may give its own topic ten thousand partitions: the witness asks for another.
    topics: { fuzz: 2, witness: 1 },
    options: { autoCreateTopics: false },
  })
  await using witness = await connectRaw(broker.port)
  const samples = sampleFrames()
  let closed = 0
  let answered = 0
  let socket: Socket | undefined
  let hears = { isClosed: false, answers: 0 }
  for (let sent = 0; sent < count; sent++) {
    if (socket === undefined) {
      socket = connect({ port: broker.port, host: '127.0.0.1' })
      hears = listen(socket)
      await once(socket, 'connect')
    }
    const answersBefore = hears.answers
    socket.write(mutated(samples[Math.floor(random() * samples.length)]!, random))
    // Its answer comes behind whatever the broker had to do with that frame.
    const answer = await witness.ask(apis.metadata, 5, { topics: [{ name: 'witness' }] })
    if (answer.topics[0]?.errorCode !== 0)
      throw new Error(`seed ${seed}: the broker lost its topic after ${sent} frames`)
    await new Promise((resolve) => setImmediate(resolve))
    if (hears.isClosed) closed++
    if (hears.answers > answersBefore && !hears.isClosed) {
      answered++
      continue
    }
    // Closed, waiting for the rest of a frame, or in a join: the next frame would not be looked at.
    socket.destroy()
    socket = undefined
  }
  socket?.destroy()
  return { seed, sent: count, closed, answered }
}

function listen(socket: Socket): { isClosed: boolean; answers: number } {
  const hears = { isClosed: false, answers: 0 }
  socket.on('error', () => socket.destroy())
  socket.on('end', () => (hears.isClosed = true))
  socket.on('close', () => (hears.isClosed = true))
  socket.on('data', () => hears.answers++)
  return hears
}

function sampleFrames(): Buffer[] {
  return Object.values(apis as Readonly<Record<string, AnyApi>>).flatMap((api) => {
    const [min, max] = api.versions
    return Array.from({ length: max - min + 1 }, (_, index) =>
      Buffer.concat(
        encodeRequest(
          api,
          min + index,
          { correlationId: api.key * 100 + index, clientId: 'fuzz' },
          bodies[api.name] ?? {},
        ),
      ),
    )
  })
}

/** One to four wounds: bits, bytes, lengths, cuts, insertions. The size in front is mostly put right again. */
function mutated(sample: Buffer, random: () => number): Buffer {
  let bytes = Buffer.from(sample)
  const wounds = 1 + Math.floor(random() ** 2 * 4)
  for (let wound = 0; wound < wounds; wound++) {
    // Key and version are left alone most of the time: what is behind them is more interesting.
    const first = random() < 0.1 ? 4 : 8
    const at = Math.min(bytes.length - 1, first + Math.floor(random() * (bytes.length - first)))
    switch (Math.floor(random() * 6)) {
      case 0:
        bytes[at] = bytes[at]! ^ (1 << Math.floor(random() * 8))
        break
      case 1:
        bytes[at] = Math.floor(random() * 256)
        break
      case 2:
        if (at + 4 <= bytes.length)
          bytes.writeInt32BE(
            [-1, 0, 0x7fffffff, -0x80000000, 65_536][Math.floor(random() * 5)]!,
            at,
          )
        break
      case 3:
        bytes = bytes.subarray(0, Math.max(8, at))
        break
      case 4:
        bytes = Buffer.concat([
          bytes.subarray(0, at),
          Buffer.alloc(1 + (at % 7), 0xff),
          bytes.subarray(at),
        ])
        break
      case 5:
        bytes = Buffer.concat([
          bytes.subarray(0, at),
          bytes.subarray(Math.min(bytes.length, at + 3)),
        ])
    }
    if (bytes.length < 12) bytes = Buffer.concat([bytes, Buffer.alloc(12 - bytes.length)])
  }
  if (random() < 0.97) bytes.writeInt32BE(bytes.length - 4, 0)
  return bytes
}

/** Mulberry32: small, and the same everywhere. */
function randomFrom(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = state
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}
