import { kafkaCodeOf, type Client, type ReaderOptions } from '../client/index.ts'
import { isFailure } from '../errors/index.ts'
import type { PastMessage } from './history.ts'
import type { DrainTopics } from './record.ts'
import { startDrain, type Drain, type DrainOptions } from './start-drain.ts'

/** What a drain needs of a client: `openClient` gives one. */
export interface DrainClient extends Pick<Client, 'producer'> {
  readonly admin: Pick<Client['admin'], 'createTopics'>
  reader(options: ReaderOptions): AsyncIterable<PastMessage>
}

export interface ClusterDrainOptions extends Omit<DrainOptions, 'producer' | 'history'> {
  readonly client: DrainClient
  /** Of topics that are not there yet. Default: the broker's. */
  readonly partitions?: number
  /** Messages read back of each partition at start, to know which frames were taken. Default 20,000. */
  readonly tail?: number
}

/** Values repeat their line, so a body of 1 MiB needs more room than that. */
const maxMessageBytes = 4 * 1024 * 1024

/**
 * Starts a drain on a cluster: makes its topics, reads back which frames a predecessor took, and listens.
 * The client stays the caller's; the producer is closed with the drain.
 *
 * @throws MR_DRAIN_LISTEN, and what the client throws when the cluster refuses a topic
 * @example
 * await using client = openClient({ brokers: ['localhost:9092'] })
 * await using drain = await startClusterDrain({ client })
 */
export async function startClusterDrain(options: ClusterDrainOptions): Promise<Drain> {
  const { client, partitions, tail = 20_000, ...others } = options
  const topics: DrainTopics = {
    router: 'router',
    logs: 'logs',
    unreadable: 'drain-dlt',
    ...options.topics,
  }
  const names = Object.values(topics).filter((name) => name !== null)
  await ensureTopics(client, names, partitions)
  const producer = client.producer({ maxMessageBytes })
  try {
    const history = (): AsyncIterable<PastMessage> =>
      client.reader({ topics: names, from: -tail, to: 'end' })
    const drain = await startDrain({ ...others, topics, producer, history })
    const stop = async (): Promise<void> => {
      await drain.stop()
      await producer.close()
    }
    return {
      port: drain.port,
      url: drain.url,
      counts: () => drain.counts(),
      get held() {
        return drain.held
      },
      stop,
      [Symbol.asyncDispose]: stop,
    }
  } catch (error) {
    await producer.close()
    throw error
  }
}

async function ensureTopics(
  client: DrainClient,
  names: readonly string[],
  partitions: number | undefined,
): Promise<void> {
  const wanted = names.map((name) => ({
    name,
    ...(partitions === undefined ? {} : { partitions }),
    configs: { 'max.message.bytes': String(maxMessageBytes) },
  }))
  for (const { error } of await client.admin.createTopics(wanted)) {
    if (error && !isExisting(error)) throw error
  }
}

const topicAlreadyExists = 36

function isExisting(error: unknown): boolean {
  return isFailure(error) && kafkaCodeOf(error) === topicAlreadyExists
}
