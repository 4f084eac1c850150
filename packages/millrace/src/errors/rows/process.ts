import type { ErrorRows } from '../row.ts'

export const processErrors = {
  MR_HEALTH_LISTEN: {
    class: 'ConfigError',
    retriable: false,
    message: ({
      host,
      port,
      reason,
    }: {
      readonly host: string
      readonly port: number
      readonly reason: string
    }) => `the health endpoint cannot listen on ${host}:${port}: ${reason}`,
    hint: 'Choose another `health.port` (0 takes any that is free), or stop what uses it.',
  },
  MR_CONTROL_FOLDER: {
    class: 'ConfigError',
    retriable: false,
    message: ({ path }: { readonly path: string }) =>
      `${path} is not a folder of this user, so no control socket is opened there`,
    hint: 'Remove it, or choose another data folder (`--data`); its path may be too long for a socket.',
  },
  MR_WORKER_SILENT: {
    class: 'ConnectionError',
    retriable: true,
    message: ({
      name,
      pid,
      reason,
    }: {
      readonly name: string
      readonly pid: number
      readonly reason: string
      /** Its process is gone, or never listened. */
      readonly isGone: boolean
      /** It hung up without a word. */
      readonly isEnding: boolean
    }) => `the worker ${name} (pid ${pid}) does not answer: ${reason}`,
    hint: 'Its event loop may be blocked: look at its log, or send it SIGTERM, and a second one to force it.',
  },
  MR_WORKER_REFUSED: {
    class: 'UsageError',
    retriable: false,
    message: ({
      name,
      pid,
      reason,
    }: {
      readonly name: string
      readonly pid: number
      readonly reason: string
    }) => `the worker ${name} (pid ${pid}) refuses: ${reason}`,
    hint: '`millrace status` shows what it is doing.',
  },
  MR_WORKER_UNKNOWN: {
    class: 'UsageError',
    retriable: false,
    message: ({
      name,
      dataFolder,
      running,
    }: {
      readonly name: string
      readonly dataFolder: string
      readonly running: readonly string[]
    }) =>
      `no worker ${name} runs in ${dataFolder}${running.length === 0 ? '' : `; running: ${running.join(', ')}`}`,
    hint: '`millrace workers list` shows who runs; `--data` names another folder.',
  },
  MR_WORKER_STILL_RUNS: {
    class: 'TimeoutError',
    retriable: true,
    message: ({
      running,
      timeout,
    }: {
      readonly running: readonly string[]
      readonly timeout: number
    }) => `still running after ${timeout / 1000} s: ${running.join(', ')}`,
    hint: '`millrace stop --force` ends it at once; what is in hand comes again after the next start.',
  },
  MR_ASSIGNMENT_INVALID: {
    class: 'UsageError',
    retriable: false,
    message: ({ what }: { readonly what: string }) =>
      `these partitions cannot be assigned: ${what}`,
    hint: "Name partitions by number, or 'all': { orders: [0, 1], users: 'all' }.",
  },
  MR_ASSIGNMENT_MISSING: {
    class: 'KafkaError',
    retriable: true,
    message: ({ places }: { readonly places: readonly string[] }) =>
      `assigned, but not there: ${places.join(', ')}; looked for again until they are`,
    hint: 'Compare with `millrace topics info TOPIC --partitions`: they are counted from 0.',
  },
  MR_ASSIGNMENT_GROUP_JOINED: {
    class: 'KafkaError',
    retriable: true,
    message: ({ groupId }: { readonly groupId: string }) =>
      `positions of assigned partitions cannot be kept in ${groupId}: it has members that joined it`,
    hint: 'Give the assigned consumer a group of its own, or stop the members; until then nothing is committed.',
  },
  MR_WORKER_KILLED: {
    class: 'HandlerError',
    retriable: false,
    message: ({
      topic,
      partition,
      offset,
      crashes,
    }: {
      readonly topic: string
      readonly partition: number
      readonly offset: number
      readonly crashes: number
    }) =>
      `${topic}/${partition}@${offset} has ended ${crashes} processes while it was handled, and is handled no more`,
    hint: 'Look for what ends a process: an endless loop, memory, a native crash. `swarm.crashLimit` is the number.',
  },
  MR_TOPICS_DIFFER: {
    class: 'ConfigError',
    retriable: false,
    message: ({ differences }: { readonly differences: readonly string[] }) =>
      `the cluster is not as declared: ${differences.join('; ')}`,
    hint: '`millrace topics plan` shows it, `millrace topics migrate` brings it about; `declared: warn` starts anyway.',
  },
} as const satisfies ErrorRows
