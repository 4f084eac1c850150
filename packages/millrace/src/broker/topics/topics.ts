import { failure, isFailure } from '../../errors/index.ts'
import { produceConfigOf, type ProduceConfig } from '../../protocol/index.ts'
import type { LogStore, PartitionLog, TopicConfigs, TopicRecord } from '../../storage/index.ts'
import { events } from '../../telemetry/index.ts'

/** 22 characters, as decoded; in a request it means "by name". */
export const zeroUuid = 'AAAAAAAAAAAAAAAAAAAAAA'

export const offsetsTopic = '__consumer_offsets'

/** Of one topic. Each is a folder and an open log. */
export const mostPartitions = 10_000

/** The topics of the store as requests name them, and what is derived from their configs. */
export class Topics {
  readonly #store: LogStore
  readonly #defaultPartitions: number
  /** One creation at a time for a name: ten clients ask for the metadata of a new topic at once. */
  readonly #creating = new Map<string, Promise<TopicRecord>>()
  /** By topic id: a topic made anew has another. */
  readonly #produceConfigs = new Map<string, ProduceConfig>()
  readonly #onDeleted: ((topic: TopicRecord) => Promise<void>)[] = []

  constructor(store: LogStore, settings: { readonly defaultPartitions: number }) {
    this.#store = store
    this.#defaultPartitions = settings.defaultPartitions
  }

  get all(): readonly TopicRecord[] {
    return this.#store.topics()
  }

  named(name: string): TopicRecord | undefined {
    return this.#store.topic(name)
  }

  withId(id: string): TopicRecord | undefined {
    return this.#store.topicById(id)
  }

  partition(topic: TopicRecord, index: number): PartitionLog | undefined {
    return this.#store.partition(topic.name, index)
  }

  /** A topic that would be called the same where dots become underscores, as in names of metrics. */
  collidingWith(name: string): string | undefined {
    if (!/[._]/.test(name)) return undefined
    const flat = name.replaceAll('.', '_')
    return this.all.find((topic) => topic.name !== name && topic.name.replaceAll('.', '_') === flat)
      ?.name
  }

  /** What a produced batch must fulfil; read once per topic and change. */
  produceConfig(topic: TopicRecord): ProduceConfig {
    let config = this.#produceConfigs.get(topic.id)
    if (config === undefined) {
      config = produceConfigOf(topic.configs)
      this.#produceConfigs.set(topic.id, config)
    }
    return config
  }

  /**
   * @param options.partitions - -1: the broker's default
   * @throws MR_STORAGE_TOPIC_EXISTS, MR_STORAGE_TOPIC_NAME, MR_STORAGE_PARTITIONS, MR_STORAGE_DISK_FULL
   */
  async create(options: {
    readonly name: string
    readonly partitions: number
    readonly configs: Readonly<Record<string, string>>
    readonly isAutomatic?: boolean
  }): Promise<TopicRecord> {
    const { name, configs, isAutomatic = false } = options
    if (this.#creating.has(name)) throw failure('MR_STORAGE_TOPIC_EXISTS', { topic: name })
    const partitions = options.partitions === -1 ? this.#defaultPartitions : options.partitions
    const creation = this.#store.createTopic({ name, partitions, configs: { ...configs } })
    this.#creating.set(name, creation)
    try {
      const topic = await creation
      events.brokerTopicCreated.publish({ topic: name, partitions, isAutomatic })
      return topic
    } finally {
      this.#creating.delete(name)
    }
  }

  /** The topic, made if need be. */
  async ensure(
    name: string,
    options: {
      readonly partitions?: number
      readonly configs?: Readonly<Record<string, string>>
    } = {},
  ): Promise<TopicRecord> {
    const known = this.named(name) ?? (await this.#creating.get(name))
    if (known !== undefined) return known
    try {
      return await this.create({
        name,
        partitions: options.partitions ?? -1,
        configs: options.configs ?? {},
        isAutomatic: true,
      })
    } catch (error) {
      const rival = isFailure(error, 'MR_STORAGE_TOPIC_EXISTS') ? this.named(name) : undefined
      if (rival !== undefined) return rival
      throw error
    }
  }

  async addPartitions(topic: TopicRecord, count: number): Promise<void> {
    await this.#store.addPartitions(topic.name, count)
  }

  /** @param change - gives back the present set where nothing is to change */
  async changeConfigs(
    topic: TopicRecord,
    change: (now: TopicConfigs) => TopicConfigs,
  ): Promise<void> {
    await this.#store.setConfigs(topic.name, change)
    this.#produceConfigs.delete(topic.id)
  }

  async delete(topic: TopicRecord): Promise<void> {
    await this.#store.deleteTopic(topic.name)
    this.#produceConfigs.delete(topic.id)
    events.brokerTopicDeleted.publish({ topic: topic.name })
    for (const listener of this.#onDeleted) await listener(topic)
  }

  /** Called, and awaited, once a topic is gone: groups forget its offsets. */
  onDeleted(listener: (topic: TopicRecord) => Promise<void>): void {
    this.#onDeleted.push(listener)
  }
}
