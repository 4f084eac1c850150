import { randomBytes } from 'node:crypto'
import { failure, isFailure } from '../errors/index.ts'
import { systemClock } from '../kit/index.ts'
import {
  cleanFileName,
  decodeClean,
  decodeRecoveryPoints,
  partitionKey,
  recoveryPointsFileName,
} from './checkpoints.ts'
import { clusterFormat, readClusterFile, type ClusterFile } from './cluster-file.ts'
import { DiskStore } from './disk-store.ts'
import { reasonOf, type FileSystem } from './file-system.ts'
import type { LogStore, LogStoreOptions } from './log-store.ts'
import { nodeFileSystem } from './node-file-system.ts'
import { openPartition, type FoundPartition } from './open-partition.ts'
import { logDefaults, type LogDefaults } from './topic-configs.ts'

/**
 * Opens a data folder, or makes one where there is nothing yet. After a crash it is checked and repaired first;
 * `repairs` says what was lost.
 *
 * @throws MR_STORAGE_LOCKED, MR_STORAGE_FOREIGN_FOLDER, MR_STORAGE_NEWER_FORMAT, MR_STORAGE_CORRUPT,
 * MR_STORAGE_FOLDER, MR_STORAGE_DISK_FULL, MR_STORAGE_WRITE_FAILED
 * @example
 * await using store = await openLogStore({ folder: 'data' })
 * await store.createTopic({ name: 'orders', partitions: 4 })
 */
export async function openLogStore(options: LogStoreOptions): Promise<LogStore> {
  const { folder } = options
  const fs = options.fs ?? nodeFileSystem
  const isReadOnly = options.isReadOnly === true
  checkFolder(fs, folder, isReadOnly)
  const lock = isReadOnly ? undefined : await lockOf(fs, folder)
  try {
    const found = readClusterFile(fs, folder)
    const store = new DiskStore(options, {
      fs,
      clock: options.clock ?? systemClock,
      defaults: defaultsOf(options),
      lock,
      cluster: found ?? newCluster(),
      makeId,
    })
    if (found) await findTopics(store, fs, folder, found)
    else if (!isReadOnly) await store.saveCluster()
    store.start()
    return store
  } catch (error) {
    await lock?.release()
    if (isFailure(error)) throw error
    throw failure('MR_STORAGE_FOLDER', { folder, reason: reasonOf(error) }, { cause: error })
  }
}

async function findTopics(
  store: DiskStore,
  fs: FileSystem,
  folder: string,
  cluster: ClusterFile,
): Promise<void> {
  const { isReadOnly } = store.home
  const clean = decodeClean(fs.readFile(`${folder}/${cleanFileName}`))
  const points = decodeRecoveryPoints(fs.readFile(`${folder}/${recoveryPointsFileName}`))
  if (!isReadOnly) {
    // From now on the folder is not clean, whatever happens next.
    fs.remove(`${folder}/${cleanFileName}`)
    await fs.syncFolder(folder)
    finishDeletions(fs, folder, cluster)
  }
  for (const topic of cluster.topics) {
    const found: FoundPartition[] = []
    for (let index = 0; index < topic.partitions; index++) {
      const key = partitionKey(topic.id, index)
      found.push(
        await openPartition(store.home, {
          topic: topic.name,
          index,
          folder: `${folder}/${topic.name}-${index}`,
          recoveryPoint: points.get(key)?.recoveryPoint ?? 0,
          logStartOffset: points.get(key)?.logStartOffset ?? 0,
          clean: clean.get(key),
        }),
      )
    }
    store.adopt(topic, found)
  }
  for (const name of fs.list(folder)) {
    const [, topic, index] = /^(.+)-(\d+)$/.exec(name) ?? []
    const isStray = topic !== undefined && !(Number(index) < (store.topic(topic)?.partitions ?? 0))
    if (!isStray) continue
    const path = `${folder}/${name}`
    if (!isReadOnly && isInterruptedCreation(fs, path)) fs.remove(path)
    else store.reportStray(path)
  }
}

/** Only files of ours, and not a byte of data. */
function isInterruptedCreation(fs: FileSystem, folder: string): boolean {
  let names: readonly string[]
  try {
    names = fs.list(folder)
  } catch {
    return false // not even a folder
  }
  return names.every(
    (name) =>
      name === 'leader-epoch-checkpoint' ||
      (/^\d{20}\.log$/.test(name) && fs.size(`${folder}/${name}`) === 0),
  )
}

/** A topic's folders get their last name after `cluster.json` has forgotten it; a crash may fall between. */
function finishDeletions(fs: FileSystem, folder: string, cluster: ClusterFile): void {
  const names = new Set(fs.list(folder))
  const living = new Set(cluster.topics.map(({ name }) => name))
  for (const { name, partitions } of cluster.deleted) {
    if (living.has(name)) continue // its folders were renamed before the name was free
    for (let index = 0; index < partitions; index++) fs.remove(`${folder}/${name}-${index}`)
  }
  for (const name of names) if (name.endsWith('.deleted')) fs.remove(`${folder}/${name}`)
}

/** Refuses to settle among foreign files, before anything is written there. */
function checkFolder(fs: FileSystem, folder: string, isReadOnly: boolean): void {
  let names: readonly string[]
  try {
    if (!isReadOnly) fs.makeFolder(folder)
    names = fs.list(folder)
  } catch (error) {
    throw failure('MR_STORAGE_FOLDER', { folder, reason: reasonOf(error) }, { cause: error })
  }
  if (names.includes('cluster.json')) return
  const foreign = names.filter((name) => !isOurLeftover(name))
  if (foreign.length > 0)
    throw failure('MR_STORAGE_FOREIGN_FOLDER', {
      folder,
      found: foreign.toSorted().slice(0, 3).join(', '),
    })
}

/** What a first start that was killed may leave. */
function isOurLeftover(name: string): boolean {
  return name.startsWith('lock.sock') || name === 'reserve' || name === 'cluster.json.new'
}

async function lockOf(fs: FileSystem, folder: string): ReturnType<FileSystem['lock']> {
  try {
    return await fs.lock(folder)
  } catch (error) {
    if (isFailure(error)) throw error
    throw failure('MR_STORAGE_FOLDER', { folder, reason: reasonOf(error) }, { cause: error })
  }
}

function defaultsOf(options: LogStoreOptions): LogDefaults {
  return {
    segmentBytes: options.segmentBytes ?? logDefaults.segmentBytes,
    segmentMs: options.segmentMs ?? logDefaults.segmentMs,
    retentionMs: options.retentionMs ?? logDefaults.retentionMs,
    retentionBytes: options.retentionBytes ?? logDefaults.retentionBytes,
  }
}

function newCluster(): ClusterFile {
  return {
    format: clusterFormat,
    clusterId: makeId(),
    nodeId: 1,
    nextProducerId: 0,
    topics: [],
    deleted: [],
  }
}

/** 16 random bytes as 22 characters, as Kafka's ids: never with a leading hyphen, which command lines trip over. */
function makeId(): string {
  for (;;) {
    const id = randomBytes(16).toString('base64url')
    if (!id.startsWith('-')) return id
  }
}
