import type { Admin, DescribedConfig, DescribedTopic } from '../../client/index.ts'
import { topicConfigs } from '../worker/create-topics.ts'
import type { AnyTopic, Topic } from '../topic/define-topic.ts'
import { connect, type Connected, type ConnectOptions } from './connect.ts'
import { groupAdmin, type GroupAdmin } from './groups.ts'
import { watermarksOf, whole, type Watermarks } from './watermarks.ts'

export interface TopicAdmin {
  /** By name, without those that Kafka keeps for itself. */
  list(): Promise<readonly DescribedTopic[]>
  /** @throws MR_TOPIC_UNKNOWN */
  describe(topic: AnyTopic | string): Promise<DescribedTopic>
  /** As declared, or as given; false when it is there already, whatever it looks like. */
  create(topic: AnyTopic | string, options?: CreateTopicOptions): Promise<boolean>
  /** With everything in it. */
  delete(topic: AnyTopic | string): Promise<void>
  /** @param count - the new total; keys move to other partitions */
  addPartitions(topic: AnyTopic | string, count: number): Promise<void>
  configs(topic: AnyTopic | string): Promise<readonly DescribedConfig[]>
  /** By Kafka's names; null sets one back to its default. The others stay. */
  setConfigs(
    topic: AnyTopic | string,
    configs: Readonly<Record<string, string | number | boolean | null>>,
  ): Promise<void>
  /** Of every partition, in order. */
  watermarks(topic: AnyTopic | string): Promise<readonly Watermarks[]>
  /** In each partition the first message at or after a date; null where there is none. */
  offsetsAt(
    topic: AnyTopic | string,
    date: Date,
  ): Promise<readonly { readonly partition: number; readonly offset: number | null }[]>
}

export interface CreateTopicOptions {
  readonly partitions?: number
  readonly replicas?: number
  readonly configs?: Readonly<Record<string, string>>
}

/** Looks after a cluster from scripts and tools. Calls fail as a whole, with the first error. */
export interface AppAdmin extends AsyncDisposable {
  readonly topics: TopicAdmin
  readonly groups: GroupAdmin
  /** The client's own admin, for everything else: results item by item, names as at the broker. */
  readonly kafka: Admin
  close(): Promise<void>
}

/**
 * Opens the administration of a cluster. Topics may be given as declared, groups by their declared names; any other
 * name is one at the broker.
 *
 * @param cluster - one of the configuration's clusters, default `main`; or where to connect
 * @throws MR_APP_NO_CONFIG, MR_CONFIG_INVALID, MR_ADMIN_CLUSTER_UNKNOWN
 * @example
 * await using admin = openAdmin({ brokers: ['localhost:9092'] })
 * for (const { topic, partition, lag } of await admin.groups.lag('shop_mail')) console.log(topic, partition, lag)
 */
export function openAdmin(cluster: string | ConnectOptions = {}): AppAdmin {
  const connected = connect(typeof cluster === 'string' ? { cluster } : cluster)
  const { client } = connected
  const close = (): Promise<void> => client.close({ timeoutMs: 1000 })
  return {
    topics: topicAdmin(connected),
    groups: groupAdmin(connected),
    kafka: client.admin,
    close,
    [Symbol.asyncDispose]: close,
  }
}

function topicAdmin({ client, wireName }: Connected): TopicAdmin {
  const { admin } = client
  const describe = async (topic: AnyTopic | string): Promise<DescribedTopic> => {
    const [described] = await admin.describeTopics([wireName(topic)])
    if (described?.error !== undefined) throw described.error
    return described as DescribedTopic
  }
  const places = async (
    topic: AnyTopic | string,
  ): Promise<readonly { readonly topic: string; readonly partition: number }[]> => {
    const { name, partitions } = await describe(topic)
    return partitions.map(({ partition }) => ({ topic: name, partition }))
  }
  return {
    async list() {
      const all = await admin.describeTopics()
      return all.filter(({ isInternal }) => !isInternal)
    },
    describe,
    async create(topic, options = {}) {
      const declared = typeof topic === 'string' ? {} : (topic as unknown as Topic).options
      const partitions = options.partitions ?? declared.partitions
      const replicas = options.replicas ?? declared.replicas
      const [created] = await admin.createTopics([
        {
          name: wireName(topic),
          ...(partitions === undefined ? {} : { partitions }),
          ...(replicas === undefined ? {} : { replicas }),
          configs: { ...topicConfigs(declared), ...options.configs },
        },
      ])
      const error = created?.error
      if (error?.context['name'] === 'TOPIC_ALREADY_EXISTS') return false
      if (error !== undefined) throw error
      return true
    },
    async delete(topic) {
      whole(await admin.deleteTopics([wireName(topic)]))
    },
    async addPartitions(topic, count) {
      whole(await admin.createPartitions([{ name: wireName(topic), count }]))
    },
    configs: (topic) => admin.describeConfigs({ topic: wireName(topic) }),
    async setConfigs(topic, configs) {
      const entries = Object.entries(configs)
      const set = entries.flatMap(([name, value]) =>
        value === null ? [] : [[name, String(value)] as const],
      )
      const unset = entries.flatMap(([name, value]) => (value === null ? [name] : []))
      whole(
        await admin.alterConfigs([{ topic: wireName(topic), set: Object.fromEntries(set), unset }]),
      )
    },
    async watermarks(topic) {
      return watermarksOf(client, await places(topic))
    },
    async offsetsAt(topic, date) {
      const at = date.getTime()
      const found = whole(
        await admin.listOffsets((await places(topic)).map((place) => ({ ...place, at }))),
      )
      return found.map(({ partition, offset }) => ({
        partition,
        offset: offset < 0 ? null : offset,
      }))
    },
  }
}
