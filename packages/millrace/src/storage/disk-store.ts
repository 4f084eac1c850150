import { BufferPool, type Clock } from '../kit/index.ts'
import { failure, isFailure, type MillraceError } from '../errors/index.ts'
import { BackgroundSync } from './background-sync.ts'
import { cleanFileName, encodeClean, partitionKey, recoveryPointsFileName } from './checkpoints.ts'
import {
  clusterFileName,
  encodeClusterFile,
  isTopicName,
  type ClusterFile,
  type StoredTopic,
} from './cluster-file.ts'
import type { DiskPartition } from './disk-partition.ts'
import { DiskSpace } from './disk-space.ts'
import { FileCache } from './file-cache.ts'
import {
  isNoSpace,
  reasonOf,
  replaceFile,
  type FileSystem,
  type FolderLock,
} from './file-system.ts'
import { IndexCache } from './index-cache.ts'
import { LateRemoval } from './late-removal.ts'
import type {
  LogStore,
  LogStoreOptions,
  NewTopic,
  RetentionReport,
  StorageReport,
} from './log-store.ts'
import type { PartitionLog, Repair, TopicConfigs, TopicRecord } from './log-types.ts'
import type { CleanPartition, FoundPartition } from './open-partition.ts'
import type { PartitionHome } from './partition-home.ts'
import { PartitionMaker } from './partition-maker.ts'
import { retainLogs } from './retain-logs.ts'
import { SavedPoints } from './saved-points.ts'
import { StoreWork } from './store-work.ts'
import { TopicCatalog } from './topic-catalog.ts'
import { logConfigs, type LogDefaults } from './topic-configs.ts'
import { TurnWriter } from './turn-writer.ts'

const defaultSyncBytes = 8 * 1024 * 1024
const defaultReserveBytes = 16 * 1024 * 1024
const dayMs = 86_400_000
const parallelCloses = 8

export interface DiskStoreParts {
  readonly fs: FileSystem
  readonly clock: Clock
  readonly defaults: LogDefaults
  readonly lock: FolderLock | undefined
  readonly cluster: ClusterFile
  readonly makeId: () => string
}

/** A store over a file system. `openLogStore` finds what is in the folder and hands it over. */
export class DiskStore implements LogStore {
  readonly folder: string
  readonly home: PartitionHome
  readonly repairs: Repair[] = []

  readonly #fs: FileSystem
  readonly #clock: Clock
  readonly #options: LogStoreOptions
  readonly #parts: DiskStoreParts
  readonly #catalog: TopicCatalog
  readonly #writer: TurnWriter
  readonly #files: FileCache
  readonly #space: DiskSpace
  readonly #background: BackgroundSync
  readonly #removal: LateRemoval
  readonly #indexes = new IndexCache()
  readonly #points: SavedPoints
  readonly #work = new StoreWork(() => this.#checkOpen())
  readonly #maker: PartitionMaker
  #closing: Promise<void> | undefined

  constructor(options: LogStoreOptions, parts: DiskStoreParts) {
    const { fs, clock } = parts
    this.#options = options
    this.#parts = parts
    this.#fs = fs
    this.#clock = clock
    this.folder = options.folder
    this.#catalog = new TopicCatalog(parts.cluster, (cluster) =>
      this.#save(clusterFileName, encodeClusterFile(cluster)),
    )
    this.#writer = new TurnWriter(options.endOfTurn)
    this.#files = new FileCache(fs, options.isReadOnly ? 'read' : 'change', options.openFiles)
    this.#space = new DiskSpace({
      fs,
      clock,
      folder: options.folder,
      reserveBytes: options.reserveBytes ?? defaultReserveBytes,
      makeRoom: () => this.#removal.finish(),
      onFull: (path, bytes) => this.#report({ kind: 'disk-full', path, bytes }),
      onFree: () => this.#report({ kind: 'disk-free' }),
    })
    this.#background = new BackgroundSync({
      clock,
      intervalMs: options.syncIntervalMs ?? 1000,
      bytes: options.syncBytes ?? defaultSyncBytes,
      onSynced: () => this.#tell(this.#points.saveIfMoved()),
    })
    this.#removal = new LateRemoval(fs, clock, (path, error) =>
      this.#report({ kind: 'removal-failed', error: this.#writeError(path, error) }),
    )
    this.#points = new SavedPoints(
      () => this.#catalog.partitions(),
      (bytes) => this.#save(recoveryPointsFileName, bytes),
    )
    this.home = this.#makeHome()
    this.#maker = new PartitionMaker({
      folder: options.folder,
      home: this.home,
      defaults: parts.defaults,
      makeId: parts.makeId,
      onStray: (path) => this.reportStray(path),
    })
  }

  /** Takes over what was found. Before `start`. */
  adopt(topic: StoredTopic, found: readonly FoundPartition[]): void {
    const partitions = found.map((one, index) => this.#maker.of(topic, index, one))
    this.#catalog.adopt(topic, partitions)
    for (const [index, { repair, needsSync, snapshot }] of found.entries()) {
      const partition = partitions[index] as DiskPartition
      if (needsSync && !this.#options.isReadOnly) partition.markRecovered(snapshot)
      if (!repair) continue
      this.repairs.push(repair)
      this.#report({ kind: 'repaired', ...repair })
    }
  }

  /** Begins what goes on in the background. */
  start(): void {
    if (!this.#options.isReadOnly) this.#space.start()
  }

  reportStray(path: string): void {
    this.#report({ kind: 'stray-folder', path })
  }

  get clusterId(): string {
    return this.#catalog.clusterId
  }

  get nodeId(): number {
    return this.#catalog.nodeId
  }

  get isDiskFull(): boolean {
    return this.#space.isFull
  }

  topics(): readonly TopicRecord[] {
    return Array.from(this.#catalog.topics(), ({ record }) => record)
  }

  topic(name: string): TopicRecord | undefined {
    return this.#catalog.byName(name)?.record
  }

  topicById(id: string): TopicRecord | undefined {
    return this.#catalog.byId(id)?.record
  }

  partition(topic: string, index: number): PartitionLog | undefined {
    return this.#catalog.byName(topic)?.partitions[index]
  }

  written(): Promise<void> {
    return this.#writer.written()
  }

  createTopic(topic: NewTopic): Promise<TopicRecord> {
    return this.#work.run(() => this.#createTopic(topic))
  }

  async #createTopic({ name, partitions, configs = {} }: NewTopic): Promise<TopicRecord> {
    if (!isTopicName(name)) throw failure('MR_STORAGE_TOPIC_NAME', { topic: name })
    if (this.#catalog.isTaken(name)) throw failure('MR_STORAGE_TOPIC_EXISTS', { topic: name })
    if (!Number.isInteger(partitions) || partitions < 1)
      throw failure('MR_STORAGE_PARTITIONS', { topic: name, partitions, now: 0 })
    const id = this.#parts.makeId()
    const stored: StoredTopic = { name, id, partitions, configs: { ...configs } }
    const made = this.#makePartitions(stored, 0)
    const topic = await this.#orUnmake(made, this.#catalog.add(stored, made))
    return topic.record
  }

  addPartitions(name: string, count: number): Promise<void> {
    return this.#work.runInOrder(name, () => this.#addPartitions(name, count))
  }

  async #addPartitions(name: string, count: number): Promise<void> {
    const topic = this.#catalog.known(name)
    const now = topic.partitions.length
    if (!Number.isInteger(count) || count < now)
      throw failure('MR_STORAGE_PARTITIONS', { topic: name, partitions: count, now })
    const made = this.#makePartitions({ ...topic.record, partitions: count }, now)
    await this.#orUnmake(made, this.#catalog.update(topic, { partitions: count }))
    topic.partitions.push(...made)
  }

  setConfigs(
    name: string,
    configs: TopicConfigs | ((now: TopicConfigs) => TopicConfigs),
  ): Promise<void> {
    return this.#work.runInOrder(name, async () => {
      const topic = this.#catalog.known(name)
      const now = topic.record.configs
      const next = typeof configs === 'function' ? configs(now) : configs
      if (next === now) return
      await this.#catalog.update(topic, { configs: { ...next } })
      const effective = logConfigs(next, this.#parts.defaults)
      for (const partition of topic.partitions) partition.configs = effective
    })
  }

  deleteTopic(name: string): Promise<void> {
    return this.#work.runInOrder(name, () => this.#deleteTopic(name))
  }

  async #deleteTopic(name: string): Promise<void> {
    const topic = this.#catalog.known(name)
    // The file comes first: from there on a restart finishes what is not done below.
    await this.#catalog.remove(topic)
    let isDone = false
    try {
      for (const partition of topic.partitions) {
        this.#flushNow(partition)
        const gone = `${this.folder}/${partitionKey(topic.record.id, partition.index)}.deleted`
        const { folder } = partition
        partition.markDeleted(gone)
        this.#fs.rename(folder, gone)
        this.#removal.add(gone)
      }
      isDone = true
    } catch (error) {
      throw this.#writeError(this.#maker.folderOf(topic.record, 0), error)
    } finally {
      this.#catalog.forget(topic, isDone)
    }
  }

  retain(): Promise<RetentionReport> {
    return this.#work.run(() => this.#retain())
  }

  #retain(): Promise<RetentionReport> {
    const nowMs = this.#clock.now()
    return retainLogs({
      partitions: () => this.#catalog.partitions(),
      nowMs,
      producersIdleSinceMs: nowMs - (this.#options.producerExpiryMs ?? dayMs),
      flush: (partition) => this.#flushNow(partition),
      roll: (partition) => this.#roll(partition),
      saveLogStarts: () => this.#points.save(),
      removed: (segment) => {
        this.#indexes.remove(segment)
        for (const suffix of ['.log', '.index', '.timeindex'])
          this.#removal.add(`${segment.path(suffix)}.deleted`)
      },
    })
  }

  deleteRecords(topic: string, index: number, beforeOffset: number): Promise<number> {
    return this.#work.run(() => this.#deleteRecords(topic, index, beforeOffset))
  }

  async #deleteRecords(topic: string, index: number, beforeOffset: number): Promise<number> {
    const partition = this.#catalog.byName(topic)?.partitions[index]
    if (!partition) throw failure('MR_STORAGE_TOPIC_UNKNOWN', { topic: `${topic}/${index}` })
    const end = partition.highWatermark
    const before = beforeOffset === -1 ? end : beforeOffset
    if (before < 0 || before > end)
      throw failure('MR_STORAGE_OFFSET_OUT_OF_RANGE', {
        partition: `${topic}/${index}`,
        offset: beforeOffset,
        start: partition.logStartOffset,
        end,
      })
    if (before > partition.logStartOffset) {
      // What stands behind was perhaps written to replace what goes: it must not be lost when that is.
      await partition.syncWritten()
      if (partition.failure) throw partition.failure
      partition.moveLogStart(before)
      await this.#points.save()
      partition.notify()
    }
    return partition.logStartOffset
  }

  nextProducerId(): Promise<number> {
    this.#checkOpen()
    return this.#catalog.nextProducerId()
  }

  announce(facts: Readonly<Record<string, string | number>>): void {
    this.#parts.lock?.announce(facts)
  }

  async sync(): Promise<void> {
    await this.#background.runNow()
  }

  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  async #close(): Promise<void> {
    try {
      if (!this.#options.isReadOnly) await this.#leaveClean()
    } finally {
      this.#files.close()
      await this.#parts.lock?.release()
    }
  }

  async #leaveClean(): Promise<void> {
    await this.#work.idle()
    this.#writer.flush()
    await Promise.all([this.#background.stop(), this.#space.stop()])
    const queue = [...this.#catalog.partitions()]
    let isClean = true
    const closeSome = async (): Promise<void> => {
      for (let next = queue.pop(); next; next = queue.pop())
        isClean = (await next.close()) && isClean
    }
    await Promise.all(Array.from({ length: parallelCloses }, closeSome))
    this.#removal.finish()
    await this.#tell(this.#points.saveIfMoved())
    await this.#catalog.idle()
    if (isClean) await this.#tell(this.#save(cleanFileName, encodeClean(this.#cleanPartitions())))
  }

  #cleanPartitions(): ReadonlyMap<string, CleanPartition> {
    const clean = new Map<string, CleanPartition>()
    for (const partition of this.#catalog.partitions()) {
      const { active } = partition
      clean.set(partitionKey(partition.topicId, partition.index), {
        base: active.baseOffset,
        size: active.size,
        maxTimestamp: active.maxTimestamp,
        end: partition.highWatermark,
        start: partition.logStartOffset,
      })
    }
    return clean
  }

  #makeHome(): PartitionHome {
    return {
      fs: this.#fs,
      clock: this.#clock,
      pool: this.#options.pool ?? new BufferPool(),
      files: this.#files,
      isReadOnly: this.#options.isReadOnly === true,
      indexIntervalBytes: this.#options.indexIntervalBytes ?? 4096,
      indexed: (segment) => this.#indexes.add(segment),
      isFull: () => this.#space.isFull,
      dirty: (partition) => this.#writer.add(partition),
      unsynced: (partition) => this.#background.note(partition),
      noSpace: (path, bytes) => this.#space.full(path, bytes),
      failed: ({ topic, index }, error) =>
        this.#report({ kind: 'partition-failed', topic, partition: index, error }),
    }
  }

  /** Before the layout changes under it. The turn's promise stays with the turn. */
  #flushNow(partition: DiskPartition): void {
    if (this.#writer.has(partition)) this.#writer.flush()
  }

  #roll(partition: DiskPartition): boolean {
    try {
      partition.roll()
      return true
    } catch (error) {
      if (!isNoSpace(error)) throw error
      this.#space.full(partition.active.logPath, 0)
      return false
    }
  }

  #makePartitions(topic: StoredTopic, from: number): DiskPartition[] {
    try {
      return this.#maker.make(topic, from)
    } catch (error) {
      throw this.#writeError(this.#maker.folderOf(topic, from), error)
    }
  }

  async #orUnmake<T>(made: readonly DiskPartition[], saved: Promise<T>): Promise<T> {
    try {
      return await saved
    } catch (error) {
      this.#maker.unmake(made)
      throw error
    }
  }

  #checkOpen(): void {
    if (this.#closing) throw failure('MR_STORAGE_CLOSED', { folder: this.folder })
    if (this.#options.isReadOnly) throw failure('MR_STORAGE_READ_ONLY', { folder: this.folder })
  }

  /** The first thing that a new folder gets. */
  saveCluster(): Promise<void> {
    return this.#catalog.save()
  }

  /** These files save work at the next start, nothing hangs on them: a failure is told, not thrown. */
  async #tell(saving: Promise<void>): Promise<void> {
    try {
      await saving
    } catch (error) {
      if (!isFailure(error)) throw error
      this.#report({ kind: 'checkpoint-failed', error })
    }
  }

  async #save(name: string, bytes: Buffer): Promise<void> {
    try {
      await replaceFile(this.#fs, this.folder, name, bytes)
    } catch (error) {
      throw this.#writeError(`${this.folder}/${name}`, error, bytes.length)
    }
  }

  #writeError(path: string, error: unknown, bytes = 0): MillraceError {
    if (isNoSpace(error)) {
      this.#space.full(path, bytes)
      return failure('MR_STORAGE_DISK_FULL', { path, bytes }, { cause: error })
    }
    return failure('MR_STORAGE_WRITE_FAILED', { path, reason: reasonOf(error) }, { cause: error })
  }

  /** In a microtask: a listener that throws must not stop a write half way. */
  #report(report: StorageReport): void {
    const { onReport } = this.#options
    if (onReport) queueMicrotask(() => onReport(report))
  }
}
