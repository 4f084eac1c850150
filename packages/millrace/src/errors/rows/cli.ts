import type { ErrorRows } from '../row.ts'

export const cliErrors = {
  MR_CLI_USAGE: {
    class: 'UsageError',
    retriable: false,
    message: ({ reason }: { readonly reason: string }) => reason,
    hint: 'Add --help to the command to see what it takes.',
  },
  MR_CLI_INPUT: {
    class: 'UsageError',
    retriable: false,
    message: ({ reason }: { readonly reason: string }) =>
      `a line of the input is no message envelope: ${reason}`,
    hint: 'With --input ndjson each line is what `millrace tail -o ndjson` prints; --input lines sends lines as they are.',
  },
  MR_CLI_CONFIRMATION_MISSING: {
    class: 'UsageError',
    retriable: false,
    message: ({ what }: { readonly what: string }) => `${what} cannot be undone`,
    hint: 'Say it again with --yes.',
  },
  MR_CLI_TOPIC_UNKNOWN: {
    class: 'UsageError',
    retriable: false,
    message: ({ topic, near }: { readonly topic: string; readonly near?: string | undefined }) =>
      `there is no topic ${topic}${near === undefined ? '' : `; did you mean ${near}?`}`,
    hint: '`millrace topics list` shows what is there, `millrace topics create` makes one.',
  },
  MR_CLI_GROUP_UNKNOWN: {
    class: 'UsageError',
    retriable: false,
    message: ({ group, near }: { readonly group: string; readonly near?: string | undefined }) =>
      `there is no group ${group}${near === undefined ? '' : `; did you mean ${near}?`}`,
    hint: '`millrace groups list` shows what is there. A group appears when its first member joins.',
  },
  MR_DEV_BROKER_ENDED: {
    class: 'InternalError',
    retriable: false,
    message: () => 'the embedded broker ended by itself',
    hint: 'Start again: it repairs its log. If it happens twice, please report it.',
  },
  MR_DEV_WORKER_ENDED: {
    class: 'HandlerError',
    retriable: false,
    message: ({ exitCode }: { readonly exitCode: number }) =>
      `the worker ended by itself with exit code ${exitCode}`,
    hint: 'Its log says why: a critical error, or a fault in the configuration.',
  },
  MR_CLI_GROUP_LIVE: {
    class: 'UsageError',
    retriable: true, // once its members have left
    message: ({
      group,
      members,
    }: {
      readonly group: string
      readonly members: readonly string[]
    }) => `group ${group} is at work: ${members.join(', ')}`,
    hint: 'Stop its members first: a member would commit its own offsets over the new ones.',
  },
  MR_CLI_WAIT_TIMEOUT: {
    class: 'TimeoutError',
    retriable: true,
    message: ({
      open,
      timeoutMs,
    }: {
      readonly open: readonly string[]
      readonly timeoutMs: number
    }) => `after ${timeoutMs} ms it still does not hold that ${open.join(', and that ')}`,
    hint: 'Look at the cluster with `millrace info` and `millrace groups info`; --timeout waits for longer.',
  },
  MR_CLI_FILE: {
    class: 'UsageError',
    retriable: false,
    message: ({ path, reason }: { readonly path: string; readonly reason: string }) =>
      `${path}: ${reason}`,
    hint: 'Check its path and rights. Files of offsets hold lines of topic,partition,offset, as `groups reset --export` writes them.',
  },
  MR_TOPICS_KEYS_WOULD_MOVE: {
    class: 'UsageError',
    retriable: false,
    message: ({ topics }: { readonly topics: readonly string[] }) =>
      `messages of ${topics.join(', ')} have keys: with more partitions, new ones of a key may go to another partition than its old ones, and lose their order`,
    hint: 'Nothing was changed. Let consumers catch up first, then add --allow-key-move; or make a new topic and copy.',
  },
  MR_INSTALL_FILES_EXIST: {
    class: 'UsageError',
    retriable: false,
    message: ({ files }: { readonly files: readonly string[] }) =>
      `${files.join(', ')} ${files.length === 1 ? 'is' : 'are'} there already, and there is no terminal to ask on`,
    hint: 'Add --force to overwrite; --dry-run only shows what would be written.',
  },
  MR_CONFIG_FILE_MISSING: {
    class: 'ConfigError',
    retriable: false,
    message: ({ path }: { readonly path: string }) => `there is no configuration file ${path}`,
    hint: '`millrace install` writes one here; --config names one that lies elsewhere.',
  },
  MR_CONFIG_FILE_BROKEN: {
    class: 'ConfigError',
    retriable: false,
    message: ({
      path,
      reason,
      at,
    }: {
      readonly path: string
      readonly reason: string
      readonly at?: string | undefined
    }) => `${path} cannot be loaded: ${reason}${at === undefined ? '' : `, at ${at}`}`,
    hint: 'Correct it there. Types are stripped, not compiled: no enum, namespace or parameter property, and relative imports end in .ts.',
  },
  MR_CONFIG_FILE_EXPORT: {
    class: 'ConfigError',
    retriable: false,
    message: ({ path, found }: { readonly path: string; readonly found: string }) =>
      `${path} exports no configuration: its default export is ${found}`,
    hint: 'End it with `export default defineConfig({ ... })`.',
  },
} as const satisfies ErrorRows
