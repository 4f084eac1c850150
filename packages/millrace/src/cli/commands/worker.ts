import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'

import type { ChildSpec, ResolvedConfig } from '../../app/index.ts'
import { failure } from '../../errors/index.ts'
import { defineCommand, ports } from '../command.ts'
import { parsePlace } from '../parse-places.ts'
import { dataFolderOf, workerFolderOptions } from '../workers/worker-options.ts'

const logLevels = ['debug', 'info', 'warn', 'error', 'silent']

export const worker = defineCommand({
  arguments: {
    worker: {
      about: 'one consumer of several processes, by its name and instance: price_drops:1',
      isRequired: false,
    },
  },
  options: {
    include: {
      type: 'list',
      about: 'only these: group:mail, topic:orders, consumer:welcome, or a name; may be repeated',
    },
    exclude: { type: 'list', about: 'all but these' },
    assign: {
      type: 'list',
      about:
        'only these partitions, without joining a group: orders:0,1 or orders; may be repeated',
    },
    // The flags of the application's option table, which is too heavy to load for a `--help`.
    processes: {
      type: 'number',
      range: [1, 64],
      about: 'so many worker processes under one parent, which starts them again',
    },
    scale: {
      type: 'text',
      about: 'a file of names and scales (price_drops: 2): a process for each, under one parent',
    },
    memoryLimit: { type: 'size', about: 'a process that takes more is started anew' },
    createTopics: { type: 'flag', about: 'create declared topics that are missing' },
    clientId: { type: 'text', about: 'name of this application' },
    concurrency: { type: 'number', about: 'handler calls at once in the process' },
    shutdownTimeout: { type: 'duration', about: 'bound of a graceful stop' },
    healthPort: { type: 'number', range: ports, about: 'serve GET /healthz and /readyz there' },
    healthHost: { type: 'text', about: 'where they listen (default 127.0.0.1)' },
    logLevel: { type: 'text', choices: logLevels, about: 'least level of a log line' },
    ...workerFolderOptions,
  },
  examples: [
    'millrace worker',
    'millrace worker price_drops:1',
    'millrace worker --processes 3',
    'millrace worker --scale kafka_consumers.yml',
    'millrace worker --assign orders:0,1',
    'millrace worker --include group:mail --concurrency 4',
  ],

  async run(typed, { folder, globals, env, print }) {
    const { internals, startWorker } = await import('../../app/index.ts')
    const { chooseBrokers } = await import('../cluster.ts')
    const { loadConfig } = await import('../load-config.ts')
    const { startBanner } = await import('../workers/start-banner.ts')
    const { packageVersion } = await import('../version.ts')
    // As one of several processes it runs what its parent was told.
    const orders = internals.readOrders(env)
    const input = orders === undefined ? typed : (orders.input as typeof typed)
    const name = orders === undefined ? input.worker : orders.worker
    // Refused before the application's code is loaded.
    if (name !== undefined) internals.parseWorkerName(name)
    if (input.processes !== undefined && input.scale !== undefined)
      throw failure('MR_CLI_USAGE', { reason: '--processes and --scale: one of the two' })
    const hasChildren = input.processes !== undefined || input.scale !== undefined
    if (hasChildren && input.assign !== undefined)
      throw failure('MR_CLI_USAGE', {
        reason: '--assign: every process would take the same partitions; start them one by one',
      })
    const { config, path } = await loadConfig({ folder, file: globals.config })
    const assign = input.assign?.map(parsePlace).map(({ topic, partitions }) => ({
      topic,
      partitions: partitions === undefined ? ('all' as const) : [...partitions],
    }))
    const { brokers, tls } = await chooseBrokers({ ...globals, env, folder })
    const whole = { ...config, ...(tls ? { tls } : {}) }
    const options = {
      env,
      flags: {
        brokers,
        clientId: input.clientId,
        'worker.concurrency': input.concurrency,
        'worker.shutdownTimeout': input.shutdownTimeout,
        'health.port': input.healthPort,
        'health.host': input.healthHost,
        'swarm.memoryLimit': input.memoryLimit,
        'log.level': input.logLevel,
      },
      dataFolder: dataFolderOf(folder, input.data),
      ...(orders === undefined ? {} : { child: orders }),
      ...(name === undefined ? {} : { name }),
      ...(assign === undefined ? {} : { assign }),
      ...(input.include === undefined ? {} : { include: input.include }),
      ...(input.exclude === undefined ? {} : { exclude: input.exclude }),
      ...(input.createTopics === undefined ? {} : { createTopics: input.createTopics }),
    }
    if (orders !== undefined) return (await startWorker(whole, options)).done

    const resolved = internals.resolveStart(whole, options)
    if (resolved.plans.length === 0)
      print.talk(
        'warning: the configuration declares no consumers (app.consumers), so there is nothing to do',
      )
    print.talk(
      startBanner({
        version: packageVersion(),
        name,
        bootFile: path,
        environment: env['NODE_ENV'] ?? 'development',
        resolved,
        isAligned: process.stderr.isTTY,
      }),
    )
    const children = await childrenOf(input, resolved, folder)
    if (children === undefined) return (await startWorker(whole, options)).done
    const { dataFolder } = options
    const code = await internals.runSwarm({
      resolved,
      name: name ?? 'worker',
      children,
      program: process.argv[1] ?? '',
      args: ['worker', '--brokers', brokers.join(','), '--config', path],
      env,
      dataFolder,
      input,
    })
    // What a configuration keeps open must not keep the parent.
    process.exit(code)
  },
})

/** The processes of a parent; undefined: this one alone. @throws MR_CONFIG_INVALID for faults of a scale file */
async function childrenOf(
  { processes, scale, worker: named }: ChildChoice,
  { plans, options }: ResolvedConfig,
  folder: string,
): Promise<readonly ChildSpec[] | undefined> {
  const { internals } = await import('../../app/index.ts')
  if (scale !== undefined) {
    const text = await readFile(resolve(folder, scale), 'utf8').catch((cause: unknown) => {
      throw failure('MR_CLI_USAGE', { reason: `--scale: ${(cause as Error).message}` }, { cause })
    })
    const names = plans.map((plan) => plan.name)
    const { workers, faults } = await internals.readScaleFile(text, scale, names)
    if (faults.length > 0) throw failure('MR_CONFIG_INVALID', { faults })
    // Static only when the application says so: what one leaves behind when the scale shrinks goes to the others at once.
    const { instanceId } = options
    return workers.map(({ name }, index) => ({
      index: index + 1,
      name,
      instanceId: instanceId === undefined ? undefined : `${instanceId}-${name.replace(':', '-')}`,
      worker: name,
    }))
  }
  if (processes === undefined) return undefined
  return Array.from({ length: processes }, (_, at) => {
    const index = at + 1
    return {
      index,
      name: `${named ?? 'worker'}:${index}`,
      instanceId: internals.instanceIdOfChild(index),
      worker: named === undefined ? undefined : `${named}:${index}`,
    }
  })
}

interface ChildChoice {
  readonly processes: number | undefined
  readonly scale: string | undefined
  readonly worker: string | undefined
}
