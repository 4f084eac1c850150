import type { AnyCommand, CommandRow } from './command.ts'

/**
 * Every command. Program, help, reference and their tests are made from these rows; adding one is the whole change. A
 * command's arguments, options and code are loaded when it is the one that was called, or is asked for its help.
 */
export const commandRows: readonly CommandRow[] = [
  {
    name: 'dev',
    about:
      'Runs it all on this machine: embedded broker, log drain, worker, and what the application brings.',
    safety: 'run',
    load: async () => (await import('./commands/dev.ts')).dev,
  },
  {
    name: 'worker',
    about: 'Runs the consumers of millrace.config.ts until it is told to stop.',
    safety: 'run',
    load: async () => (await import('./commands/worker.ts')).worker,
  },
  {
    name: 'status',
    about:
      'Shows what the workers of this folder do: state, partitions, lag, last error, restarts.',
    safety: 'read',
    load: async () => (await import('./commands/status.ts')).status,
  },
  {
    name: 'workers list',
    about: 'Lists the workers that run in this folder, a line each.',
    safety: 'read',
    load: async () => (await import('./commands/workers/list.ts')).workersList,
  },
  {
    name: 'workers pause',
    about:
      'Stops handling a topic, or partitions of it, until workers resume; restarts do not end it.',
    safety: 'write',
    load: async () => (await import('./commands/workers/pause.ts')).workersPause,
  },
  {
    name: 'workers resume',
    about: 'Ends pauses made with workers pause.',
    safety: 'write',
    load: async () => (await import('./commands/workers/resume.ts')).workersResume,
  },
  {
    name: 'quiet',
    about:
      'Tells workers of this folder to finish what is in hand, take no more, and keep their partitions.',
    safety: 'write',
    load: async () => (await import('./commands/quiet.ts')).quiet,
  },
  {
    name: 'stop',
    about: 'Stops workers of this folder in good order and waits until they have ended.',
    safety: 'write',
    load: async () => (await import('./commands/stop.ts')).stop,
  },
  {
    name: 'dump',
    about:
      'Prints everything about workers of this folder as JSON: jobs, queues, event loop, handles.',
    safety: 'read',
    load: async () => (await import('./commands/dump.ts')).dump,
  },
  {
    name: 'broker',
    about: 'Runs the embedded broker alone: Kafka on one machine, without Java.',
    safety: 'run',
    load: async () => (await import('./commands/broker.ts')).broker,
  },
  {
    name: 'drain',
    about: 'Takes log drains over HTTP and writes their lines to topics.',
    safety: 'run',
    load: async () => (await import('./commands/drain.ts')).drain,
  },
  {
    name: 'gateway',
    about:
      'Lets any Redis client produce and consume: Rafka’s commands and Redis Streams in front of topics.',
    safety: 'run',
    load: async () => (await import('./commands/gateway.ts')).gateway,
  },
  {
    name: 'install',
    about:
      'Sets Millrace up in an existing application: boot file, base classes, and how to start it in your framework.',
    safety: 'write',
    load: async () => (await import('./commands/install.ts')).install,
  },
  {
    name: 'flow',
    about:
      'Shows each consumed topic and the topics that its consumer writes to, always or conditionally.',
    safety: 'read',
    load: async () => (await import('./commands/flow.ts')).flow,
  },
  {
    name: 'console',
    about:
      'A read-eval-print loop with the application loaded: topics, responders, consumers, producer, await. Takes a script from a pipe, too.',
    safety: 'write',
    load: async () => (await import('./commands/console.ts')).console,
  },
  {
    name: 'info',
    about: 'Shows the cluster in a dozen lines.',
    safety: 'read',
    load: async () => (await import('./commands/info.ts')).info,
  },
  {
    name: 'topics list',
    about: 'Lists topics with their partitions, messages and size.',
    safety: 'read',
    load: async () => (await import('./commands/topics/list.ts')).topicsList,
  },
  {
    name: 'topics info',
    aliases: ['describe'],
    about: 'Shows a topic: rates, partitions, retention, the groups that read it.',
    safety: 'read',
    load: async () => (await import('./commands/topics/info.ts')).topicsInfo,
  },
  {
    name: 'topics create',
    about: 'Makes a topic.',
    safety: 'write',
    load: async () => (await import('./commands/topics/create.ts')).topicsCreate,
  },
  {
    name: 'topics alter',
    aliases: ['configure'],
    about: 'Changes settings or the number of partitions of a topic, and shows before and after.',
    safety: 'change',
    load: async () => (await import('./commands/topics/alter.ts')).topicsAlter,
  },
  {
    name: 'topics trim',
    about: 'Deletes messages from the start of a topic. Shows what will be lost and wants --yes.',
    safety: 'destroy',
    load: async () => (await import('./commands/topics/trim.ts')).topicsTrim,
  },
  {
    name: 'topics delete',
    about: 'Deletes topics and all their messages. Shows what will be lost and wants --yes.',
    safety: 'destroy',
    load: async () => (await import('./commands/topics/delete.ts')).topicsDelete,
  },
  {
    name: 'topics plan',
    about: 'Shows how the declared topics differ from those of the cluster. Changes nothing.',
    safety: 'read',
    load: async () => (await import('./commands/topics/plan.ts')).topicsPlan,
  },
  {
    name: 'topics migrate',
    about:
      'Makes the cluster have what is declared: creates topics, adds partitions, aligns settings. Never shrinks, deletes, or touches a topic that is not declared.',
    safety: 'change',
    load: async () => (await import('./commands/topics/migrate.ts')).topicsMigrate,
  },
  {
    name: 'topics align',
    about: 'Sets what is declared on topics that are there. Creates none.',
    safety: 'change',
    load: async () => (await import('./commands/topics/align.ts')).topicsAlign,
  },
  {
    name: 'topics repartition',
    about:
      'Adds the declared partitions to topics that are there. Creates none, and never shrinks.',
    safety: 'change',
    load: async () => (await import('./commands/topics/repartition.ts')).topicsRepartition,
  },
  {
    name: 'topics reset',
    about:
      'Deletes declared topics with all their messages, and creates them anew. Shows what will be lost and wants --yes.',
    safety: 'destroy',
    load: async () => (await import('./commands/topics/reset.ts')).topicsReset,
  },
  {
    name: 'tail',
    about: 'Shows messages as they come, all partitions, from the end until Ctrl-C.',
    safety: 'read',
    load: async () => (await import('./commands/tail.ts')).tail,
  },
  {
    name: 'write',
    about: 'Sends messages: one from the argument, or one a line from standard input or a file.',
    safety: 'write',
    load: async () => (await import('./commands/write.ts')).write,
  },
  {
    name: 'groups list',
    about: 'Lists consumer groups with state, members, topics and lag.',
    safety: 'read',
    load: async () => (await import('./commands/groups/list.ts')).groupsList,
  },
  {
    name: 'groups info',
    aliases: ['describe'],
    about: 'Shows a group: per partition what is committed, the end, the lag, and who reads it.',
    safety: 'read',
    load: async () => (await import('./commands/groups/info.ts')).groupsInfo,
  },
  {
    name: 'groups reset',
    about:
      'Moves the committed offsets of a stopped group; without --execute it only shows the plan.',
    safety: 'change',
    load: async () => (await import('./commands/groups/reset.ts')).groupsReset,
  },
  {
    name: 'groups forget',
    about:
      'Forgets what a group has committed for topics. Shows what will be lost and wants --yes.',
    safety: 'destroy',
    load: async () => (await import('./commands/groups/forget.ts')).groupsForget,
  },
  {
    name: 'groups delete',
    about: 'Deletes groups and what they have committed. Shows what will be lost and wants --yes.',
    safety: 'destroy',
    load: async () => (await import('./commands/groups/delete.ts')).groupsDelete,
  },
  {
    name: 'dead-letters list',
    about:
      'Counts dead letters by topic, group and error; without a topic all whose name ends in -dlt.',
    safety: 'read',
    load: async () => (await import('./commands/dead-letters/list.ts')).deadLettersList,
  },
  {
    name: 'dead-letters show',
    about: 'Shows one dead letter: where it came from, why it was given up, its headers and value.',
    safety: 'read',
    load: async () => (await import('./commands/dead-letters/show.ts')).deadLettersShow,
  },
  {
    name: 'dead-letters redrive',
    about:
      'Sends dead letters back to where they came from; without --execute it only shows which.',
    safety: 'change',
    load: async () => (await import('./commands/dead-letters/redrive.ts')).deadLettersRedrive,
  },
  {
    name: 'lag',
    about: 'Shows how far groups are behind; with --max-lag exit 3 when one is further.',
    safety: 'read',
    load: async () => (await import('./commands/lag.ts')).lag,
  },
  {
    name: 'offsets',
    about: 'Shows where the log of each partition starts and ends, and where a time lies in it.',
    safety: 'read',
    load: async () => (await import('./commands/offsets.ts')).offsets,
  },
  {
    name: 'outbox list',
    about:
      'Lists the messages that wait in the outbox of the application, the oldest first, and why one was refused.',
    safety: 'read',
    load: async () => (await import('./commands/outbox/list.ts')).outboxList,
  },
  {
    name: 'outbox retry',
    about:
      'Lets refused messages of the outbox be sent again: those named, or all. What waits behind them goes on.',
    safety: 'change',
    load: async () => (await import('./commands/outbox/retry.ts')).outboxRetry,
  },
  {
    name: 'outbox drop',
    about:
      'Deletes refused messages of the outbox, those named or all; they are never sent. Wants --yes.',
    safety: 'destroy',
    load: async () => (await import('./commands/outbox/drop.ts')).outboxDrop,
  },
  {
    name: 'wait',
    about:
      'Waits until everything named holds: a broker answers, topics are there, groups have caught up.',
    safety: 'read',
    load: async () => (await import('./commands/wait.ts')).wait,
  },
  {
    name: 'generate alerts',
    about: 'Prints rules for Prometheus: what to alarm at, with thresholds to begin with.',
    safety: 'read',
    load: async () => (await import('./commands/generate/alerts.ts')).generateAlerts,
  },
  {
    name: 'generate grafana-dashboard',
    about:
      'Prints a dashboard for Grafana, to be imported there: lag, time lag, processing, errors.',
    safety: 'read',
    load: async () =>
      (await import('./commands/generate/grafana-dashboard.ts')).generateGrafanaDashboard,
  },
  {
    name: 'config',
    about:
      'Prints every option with its value, where that came from, and what it is for. Secrets are masked.',
    safety: 'read',
    load: async () => (await import('./commands/config.ts')).config,
  },
  {
    name: 'doctor',
    about:
      'Checks this machine, this application and its cluster; exit 3 when something must be mended.',
    safety: 'read',
    load: async () => (await import('./commands/doctor.ts')).doctor,
  },
  {
    name: 'explain',
    about: 'Says what an error code means and what to do about it, offline.',
    safety: 'read',
    load: async () => (await import('./commands/explain.ts')).explain,
  },
]

/** Every command, loaded: for the reference and for tests. */
export function loadCommands(): Promise<readonly AnyCommand[]> {
  return Promise.all(commandRows.map(loadCommand))
}

export async function loadCommand({ load, ...head }: CommandRow): Promise<AnyCommand> {
  return { ...head, ...(await load()) }
}
