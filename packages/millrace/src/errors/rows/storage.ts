import type { ErrorRows } from '../row.ts'

export const storageErrors = {
  MR_STORAGE_LOCKED: {
    class: 'StorageError',
    retriable: true,
    message: ({
      folder,
      pid,
      facts,
    }: {
      readonly folder: string
      readonly pid: number | undefined
      readonly facts?: string | undefined
    }) =>
      `${folder} is in use by ${pid === undefined ? 'another process' : `process ${pid}`}${facts ? ` (${facts})` : ''}`,
    hint: 'Stop that process, use its broker, or choose another folder. The lock goes with its owner; there is no file to remove.',
  },
  MR_STORAGE_FOREIGN_FOLDER: {
    class: 'StorageError',
    retriable: false,
    message: ({ folder, found }: { readonly folder: string; readonly found: string }) =>
      `${folder} holds no data of Millrace, but is not empty: it has ${found}`,
    hint: 'Choose an empty or new folder. When cluster.json was lost, restore it: without it the topics are unknown.',
  },
  MR_STORAGE_NEWER_FORMAT: {
    class: 'StorageError',
    retriable: false,
    message: ({
      path,
      format,
      known,
    }: {
      readonly path: string
      readonly format: number
      readonly known: number
    }) => `${path} was written in format ${format}; this version knows formats up to ${known}`,
    hint: 'Use the newer version of Millrace that wrote it, or another folder. Nothing was changed.',
  },
  MR_STORAGE_CORRUPT: {
    class: 'StorageError',
    retriable: false,
    message: ({ path, reason }: { readonly path: string; readonly reason: string }) =>
      `${path} cannot be read: ${reason}`,
    hint: 'Restore this file from a copy. It names the topics and their ids, so it is not guessed.',
  },
  MR_STORAGE_FOLDER: {
    class: 'StorageError',
    retriable: false,
    message: ({ folder, reason }: { readonly folder: string; readonly reason: string }) =>
      `${folder} cannot be used as a data folder: ${reason}`,
    hint: 'Check that the path is a folder this user may read and write.',
  },
  MR_STORAGE_DISK_FULL: {
    class: 'StorageError',
    retriable: true, // writes are let in again as soon as there is room
    message: ({ path, bytes }: { readonly path: string; readonly bytes: number }) =>
      `no space left to write ${path} (${bytes} bytes needed)`,
    hint: 'Free disk space or lower retention.ms or retention.bytes. Reading goes on; writing starts again by itself within seconds.',
  },
  MR_STORAGE_WRITE_FAILED: {
    class: 'StorageError',
    retriable: false,
    message: ({ path, reason }: { readonly path: string; readonly reason: string }) =>
      `cannot write ${path}: ${reason}`,
    hint: 'Check the disk, then restart: the partition refuses writes until it has recovered.',
  },
  MR_STORAGE_SYNC_FAILED: {
    class: 'StorageError',
    retriable: false, // after a failed fsync the page cache cannot be believed; only recovery can
    message: ({ path, reason }: { readonly path: string; readonly reason: string }) =>
      `cannot sync ${path}: ${reason}`,
    hint: 'Check the disk, then restart: the partition refuses writes until it has recovered.',
  },
  MR_STORAGE_READ_FAILED: {
    class: 'StorageError',
    retriable: false,
    message: ({ path, reason }: { readonly path: string; readonly reason: string }) =>
      `cannot read ${path}: ${reason}`,
    hint: 'Check the disk. Nothing else may change the files of a running broker.',
  },
  MR_STORAGE_CLOSED: {
    class: 'StorageError',
    retriable: false,
    message: ({ folder }: { readonly folder: string }) => `the store of ${folder} is closed`,
    hint: 'Do not use a store after close().',
  },
  MR_STORAGE_READ_ONLY: {
    class: 'UsageError',
    retriable: false,
    message: ({ folder }: { readonly folder: string }) => `${folder} is open for reading alone`,
    hint: 'Open it without isReadOnly.',
  },
  MR_STORAGE_TOPIC_NAME: {
    class: 'UsageError',
    retriable: false,
    message: ({ topic }: { readonly topic: string }) =>
      `${JSON.stringify(topic)} cannot be the name of a topic`,
    hint: 'Use 1 to 249 letters, digits, dots, underscores and hyphens; not . or .. alone.',
  },
  MR_STORAGE_TOPIC_EXISTS: {
    class: 'UsageError',
    retriable: false,
    message: ({ topic }: { readonly topic: string }) => `there is a topic ${topic} already`,
    hint: 'Use it, or delete it first.',
  },
  MR_STORAGE_TOPIC_UNKNOWN: {
    class: 'UsageError',
    retriable: false,
    message: ({ topic }: { readonly topic: string }) => `there is no topic or partition ${topic}`,
    hint: 'Create it first.',
  },
  MR_STORAGE_PARTITIONS: {
    class: 'UsageError',
    retriable: false,
    message: ({
      topic,
      partitions,
      now,
    }: {
      readonly topic: string
      readonly partitions: number
      readonly now: number
    }) => `${topic} cannot have ${partitions} partitions; it has ${now}`,
    hint: 'A topic has at least one partition, and the number only grows.',
  },
  MR_STORAGE_OFFSET_OUT_OF_RANGE: {
    class: 'UsageError',
    retriable: false,
    message: ({
      partition,
      offset,
      start,
      end,
    }: {
      readonly partition: string
      readonly offset: number
      readonly start: number
      readonly end: number
    }) => `offset ${offset} is outside ${partition}, which holds ${start} to ${end}`,
    hint: 'Choose an offset in that range.',
  },
} as const satisfies ErrorRows
