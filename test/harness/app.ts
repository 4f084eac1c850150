import {
  defineApp,
  startWorker,
  type AppOptions,
  type Logger,
  type MillraceConfig,
  type StartOptions,
  type Worker,
} from '../../packages/millrace/src/app/index.ts'
import type { Scenario } from './scenario.ts'

export interface ScenarioApp {
  readonly config: MillraceConfig
  /** A worker of the app, as a guest of the scenario's process. */
  readonly start: (options?: StartOptions) => Promise<Worker>
  /** What a group has committed; undefined for nothing. */
  readonly committed: (
    group: string,
    topic: string,
    partition?: number,
  ) => Promise<number | undefined>
}

/** An application under the scenario's unique names: topics and groups are mapped on their way to the wire. */
export function scenarioApp(
  { brokers, client, topic, group }: Scenario,
  app: AppOptions,
  more: Partial<MillraceConfig> = {},
): ScenarioApp {
  const config: MillraceConfig = {
    brokers,
    clientId: 'scenario',
    fetch: { maxWait: '100ms' },
    ...more,
    app: defineApp(app),
    topicName: topic,
    groupId: (_clientId, name) => group(name),
  }
  return {
    config,
    start: (options) => startWorker(config, { signals: false, env: {}, log: false, ...options }),
    async committed(name, of, partition = 0) {
      const all = await client.admin.committedOffsets(group(name))
      const found = all.find((one) => one.topic === topic(of) && one.partition === partition)
      return found === undefined || found.offset < 0 ? undefined : found.offset
    },
  }
}

export interface KeptLine {
  readonly level: 'debug' | 'info' | 'warn' | 'error'
  readonly text: string
  readonly fields: object
}

/** A logger that keeps its lines. */
export function keptLog(): { readonly lines: KeptLine[]; readonly logger: Logger } {
  const lines: KeptLine[] = []
  const at =
    (level: KeptLine['level']) =>
    (fields: object, text: string): void =>
      void lines.push({ level, text, fields })
  return {
    lines,
    logger: { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') },
  }
}
