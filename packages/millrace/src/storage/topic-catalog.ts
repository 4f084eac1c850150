import { failure } from '../errors/index.ts'
import { clusterFormat, type ClusterFile, type StoredTopic } from './cluster-file.ts'
import type { DiskPartition } from './disk-partition.ts'
import { LatestSave } from './latest-save.ts'
import type { TopicRecord } from './log-types.ts'

/** A topic with its open logs. The record is replaced when it changes. */
export interface Topic {
  record: TopicRecord
  readonly partitions: DiskPartition[]
}

const producerIdBlock = 1000
const internalTopics: ReadonlySet<string> = new Set(['__consumer_offsets', '__transaction_state'])

export function isInternalTopic(name: string): boolean {
  return internalTopics.has(name)
}

/**
 * Which topics there are, and what `cluster.json` says of them. The file comes first: a change is seen when it is
 * on disk, and a change that cannot be saved has not happened.
 */
export class TopicCatalog {
  readonly clusterId: string
  readonly nodeId: number
  readonly #topics = new Map<string, Topic>()
  readonly #topicsById = new Map<string, Topic>()
  /** As the file has it, or will have it when the present save ends. */
  readonly #stored = new Map<string, StoredTopic>()
  #deleted: readonly StoredTopic[] = []
  readonly #save: LatestSave
  #nextProducerId: number
  /** What the file says, or will say with the next save. */
  #producerIdLimit: number
  #producerIdsSaved: number

  constructor(cluster: ClusterFile, write: (cluster: ClusterFile) => Promise<void>) {
    this.clusterId = cluster.clusterId
    this.nodeId = cluster.nodeId
    this.#nextProducerId = cluster.nextProducerId
    this.#producerIdLimit = cluster.nextProducerId
    this.#producerIdsSaved = cluster.nextProducerId
    this.#save = new LatestSave(() => write(this.#file()))
  }

  topics(): Iterable<Topic> {
    return this.#topics.values()
  }

  *partitions(): Iterable<DiskPartition> {
    for (const { partitions } of this.#topics.values()) yield* partitions
  }

  byName(name: string): Topic | undefined {
    return this.#topics.get(name)
  }

  byId(id: string): Topic | undefined {
    return this.#topicsById.get(id)
  }

  /** @throws MR_STORAGE_TOPIC_UNKNOWN */
  known(name: string): Topic {
    const topic = this.#topics.get(name)
    if (!topic) throw failure('MR_STORAGE_TOPIC_UNKNOWN', { topic: name })
    return topic
  }

  /** Taken, also by a topic that is just being made or deleted. */
  isTaken(name: string): boolean {
    return this.#topics.has(name) || this.#stored.has(name)
  }

  /** A topic that the file has already. */
  adopt(stored: StoredTopic, partitions: DiskPartition[]): Topic {
    const topic: Topic = {
      record: { ...stored, isInternal: isInternalTopic(stored.name) },
      partitions,
    }
    this.#stored.set(stored.name, stored)
    this.#topics.set(stored.name, topic)
    this.#topicsById.set(stored.id, topic)
    return topic
  }

  async add(stored: StoredTopic, partitions: DiskPartition[]): Promise<Topic> {
    await this.#change(stored.name, stored)
    return this.adopt(stored, partitions)
  }

  async update(
    topic: Topic,
    change: { readonly partitions?: number; readonly configs?: StoredTopic['configs'] },
  ): Promise<void> {
    const { name } = topic.record
    const stored = { ...(this.#stored.get(name) ?? topic.record), ...change }
    await this.#change(name, stored)
    topic.record = { ...topic.record, ...change }
  }

  /** The name stays taken until `forget`: its folders still stand. */
  async remove(topic: Topic): Promise<void> {
    const { name, id } = topic.record
    const stored = this.#stored.get(name)
    if (!stored) throw failure('MR_STORAGE_TOPIC_UNKNOWN', { topic: name })
    this.#deleted = [...this.#deleted, stored]
    this.#stored.delete(name)
    try {
      await this.#save.save()
    } catch (error) {
      this.#deleted = this.#deleted.filter((one) => one !== stored)
      this.#stored.set(name, stored)
      throw error
    }
    this.#topicsById.delete(id)
  }

  /** The name is free. `isDone`: all its folders have their last names, a restart has nothing to finish. */
  forget({ record: { name, id } }: Topic, isDone: boolean): void {
    this.#topics.delete(name)
    if (isDone) this.#deleted = this.#deleted.filter((one) => one.id !== id)
  }

  async nextProducerId(): Promise<number> {
    const id = this.#nextProducerId++
    // A block is on disk before its first id is given, so that no crash gives an id twice.
    if (id >= this.#producerIdsSaved) {
      this.#producerIdLimit = Math.max(this.#producerIdLimit, id + producerIdBlock)
      const limit = this.#producerIdLimit
      await this.#save.save()
      this.#producerIdsSaved = Math.max(this.#producerIdsSaved, limit)
    }
    return id
  }

  save(): Promise<void> {
    return this.#save.save()
  }

  /** Nothing is being written. */
  idle(): Promise<void> {
    return this.#save.idle()
  }

  async #change(name: string, to: StoredTopic): Promise<void> {
    const before = this.#stored.get(name)
    this.#stored.set(name, to)
    try {
      await this.#save.save()
    } catch (error) {
      if (this.#stored.get(name) === to) {
        if (before) this.#stored.set(name, before)
        else this.#stored.delete(name)
      }
      throw error
    }
  }

  #file(): ClusterFile {
    return {
      format: clusterFormat,
      clusterId: this.clusterId,
      nodeId: this.nodeId,
      nextProducerId: this.#producerIdLimit,
      topics: Array.from(this.#stored.values(), ({ name, id, partitions, configs }) => ({
        name,
        id,
        partitions,
        configs,
      })),
      deleted: this.#deleted,
    }
  }
}
