import { failure } from '../errors/index.ts'
import { reasonOf, type FileSystem } from './file-system.ts'

export const clusterFileName = 'cluster.json'
export const clusterFormat = 1

export interface StoredTopic {
  readonly name: string
  readonly id: string
  readonly partitions: number
  readonly configs: Readonly<Record<string, string>>
}

/** `cluster.json`: the one file that is not derived from the logs. Replaced as a whole. */
export interface ClusterFile {
  readonly format: number
  readonly clusterId: string
  readonly nodeId: number
  /** Ids below it may have been given to producers. */
  readonly nextProducerId: number
  readonly topics: readonly StoredTopic[]
  /** Topics whose folders may still have their old names. */
  readonly deleted: readonly StoredTopic[]
}

export function encodeClusterFile(cluster: ClusterFile): Buffer {
  return Buffer.from(`${JSON.stringify(cluster, undefined, 1)}\n`)
}

/** @throws MR_STORAGE_NEWER_FORMAT, MR_STORAGE_CORRUPT */
export function readClusterFile(fs: FileSystem, folder: string): ClusterFile | undefined {
  const path = `${folder}/${clusterFileName}`
  const bytes = fs.readFile(path)
  if (!bytes) return undefined
  let value: Partial<ClusterFile>
  try {
    value = JSON.parse(bytes.toString('utf8')) as Partial<ClusterFile>
  } catch (error) {
    throw failure('MR_STORAGE_CORRUPT', { path, reason: reasonOf(error) }, { cause: error })
  }
  const format = value?.format
  if (typeof format === 'number' && format > clusterFormat)
    throw failure('MR_STORAGE_NEWER_FORMAT', { path, format, known: clusterFormat })
  const isWhole =
    typeof format === 'number' &&
    typeof value.clusterId === 'string' &&
    typeof value.nodeId === 'number' &&
    Array.isArray(value.topics) &&
    value.topics.every(isTopic)
  if (!isWhole)
    throw failure('MR_STORAGE_CORRUPT', { path, reason: 'fields are missing or of another type' })
  return { nextProducerId: 0, deleted: [], ...value } as ClusterFile
}

function isTopic(value: unknown): value is StoredTopic {
  const topic = value as Partial<StoredTopic> | null
  return (
    typeof topic === 'object' &&
    topic !== null &&
    typeof topic.name === 'string' &&
    isTopicName(topic.name) &&
    typeof topic.id === 'string' &&
    Number.isInteger(topic.partitions) &&
    typeof topic.configs === 'object'
  )
}

/** Kafka's rule; it also keeps every name inside the data folder. */
export function isTopicName(name: string): boolean {
  return /^[a-zA-Z0-9._-]{1,249}$/.test(name) && name !== '.' && name !== '..'
}
