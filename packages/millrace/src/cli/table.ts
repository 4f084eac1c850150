import type { AnyCommand } from './command.ts'
import { broker } from './commands/broker.ts'
import { config } from './commands/config.ts'
import { console } from './commands/console.ts'
import { deadLettersList } from './commands/dead-letters/list.ts'
import { deadLettersRedrive } from './commands/dead-letters/redrive.ts'
import { deadLettersShow } from './commands/dead-letters/show.ts'
import { dev } from './commands/dev.ts'
import { doctor } from './commands/doctor.ts'
import { drain } from './commands/drain.ts'
import { dump } from './commands/dump.ts'
import { explain } from './commands/explain.ts'
import { flow } from './commands/flow.ts'
import { generateAlerts } from './commands/generate/alerts.ts'
import { generateGrafanaDashboard } from './commands/generate/grafana-dashboard.ts'
import { groupsDelete } from './commands/groups/delete.ts'
import { groupsForget } from './commands/groups/forget.ts'
import { groupsInfo } from './commands/groups/info.ts'
import { groupsList } from './commands/groups/list.ts'
import { groupsReset } from './commands/groups/reset.ts'
import { info } from './commands/info.ts'
import { install } from './commands/install.ts'
import { lag } from './commands/lag.ts'
import { offsets } from './commands/offsets.ts'
import { outboxDrop } from './commands/outbox/drop.ts'
import { outboxList } from './commands/outbox/list.ts'
import { outboxRetry } from './commands/outbox/retry.ts'
import { quiet } from './commands/quiet.ts'
import { status } from './commands/status.ts'
import { stop } from './commands/stop.ts'
import { tail } from './commands/tail.ts'
import { topicsAlign } from './commands/topics/align.ts'
import { topicsAlter } from './commands/topics/alter.ts'
import { topicsCreate } from './commands/topics/create.ts'
import { topicsDelete } from './commands/topics/delete.ts'
import { topicsInfo } from './commands/topics/info.ts'
import { topicsList } from './commands/topics/list.ts'
import { topicsMigrate } from './commands/topics/migrate.ts'
import { topicsPlan } from './commands/topics/plan.ts'
import { topicsRepartition } from './commands/topics/repartition.ts'
import { topicsReset } from './commands/topics/reset.ts'
import { topicsTrim } from './commands/topics/trim.ts'
import { wait } from './commands/wait.ts'
import { worker } from './commands/worker.ts'
import { workersList } from './commands/workers/list.ts'
import { workersPause } from './commands/workers/pause.ts'
import { workersResume } from './commands/workers/resume.ts'
import { write } from './commands/write.ts'

/**
 * Every command. Program, help, reference and their tests are made from this list; adding a row is the whole change.
 * Importing it loads no client and no broker: a command imports what it runs when it runs.
 */
export const commands: readonly AnyCommand[] = [
  dev,
  worker,
  status,
  workersList,
  workersPause,
  workersResume,
  quiet,
  stop,
  dump,
  broker,
  drain,
  install,
  flow,
  console,
  info,
  topicsList,
  topicsInfo,
  topicsCreate,
  topicsAlter,
  topicsTrim,
  topicsDelete,
  topicsPlan,
  topicsMigrate,
  topicsAlign,
  topicsRepartition,
  topicsReset,
  tail,
  write,
  groupsList,
  groupsInfo,
  groupsReset,
  groupsForget,
  groupsDelete,
  deadLettersList,
  deadLettersShow,
  deadLettersRedrive,
  lag,
  offsets,
  outboxList,
  outboxRetry,
  outboxDrop,
  wait,
  generateAlerts,
  generateGrafanaDashboard,
  config,
  doctor,
  explain,
]
