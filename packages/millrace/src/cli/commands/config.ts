import type { MillraceConfig } from '../../app/index.ts'
import { resolveOptions, type OptionTable, type OptionType } from '../../config/index.ts'
import { failure } from '../../errors/index.ts'
import { formatDuration, formatSize } from '../../kit/index.ts'
import { chooseBrokers, type ChosenBrokers } from '../cluster.ts'
import { defineCommand } from '../command.ts'
import { columns } from '../text.ts'

type Env = Readonly<Record<string, string | undefined>>

export const config = defineCommand({
  arguments: {},
  options: {
    changed: { type: 'flag', about: 'only what differs from the default' },
  },
  examples: ['millrace config', 'millrace config --changed --json'],

  async run({ changed }, { print, env, folder, globals }) {
    const { appOptions, resolveConfig } = await import('../../app/index.ts')
    const { brokerOptions } = await import('../../broker/index.ts')
    const loaded = await loadIfThere(folder, globals.config)
    const { brokers: _, ...application } = appOptions
    const { rows: applicationRows } = rowsOf(application, { env, file: loaded })
    const broker = rowsOf(brokerOptions, { env, prefix: 'broker.' })
    const rows = [
      ...clusterRows(await chooseBrokers({ ...globals, env, folder }), env),
      ...applicationRows,
      ...broker.rows,
    ].filter(({ origin }) => changed !== true || (origin !== 'default' && origin !== 'unset'))
    await print.document(rows, () => columns(rows.map((row) => ({ ...row }))))
    if (broker.faults.length > 0) throw failure('MR_CONFIG_INVALID', { faults: broker.faults })
    // With the topics and consumers, as the worker will see them.
    resolveConfig(loaded?.config ?? {}, { env })
  },
})

interface ConfigRow {
  readonly option: string
  readonly value: string
  /** The variable or file that says so, or `default`, or `unset`. */
  readonly origin: string
  /** What it is for. */
  readonly about: string
}

interface LoadedFile {
  readonly path: string
  readonly config: MillraceConfig
}

async function loadIfThere(
  folder: string,
  file: string | undefined,
): Promise<LoadedFile | undefined> {
  const { findConfig, loadConfig } = await import('../load-config.ts')
  if (file === undefined && (await findConfig(folder)) === undefined) return undefined
  return loadConfig({ folder, file })
}

function rowsOf(
  table: OptionTable,
  sources: {
    readonly env: Env
    readonly file?: LoadedFile | undefined
    readonly prefix?: string
  },
): { readonly rows: readonly ConfigRow[]; readonly faults: readonly string[] } {
  const { env, file, prefix = '' } = sources
  const { values, origins, faults } = resolveOptions(table, {
    env,
    ...(file === undefined ? {} : { file: valuesIn(file.config, table) }),
  })
  const rows = Object.entries(table).map(([key, row]) => {
    const value: unknown = values[key]
    const origin = origins[key] ?? 'unset'
    const places: Readonly<Record<string, string | undefined>> = { env: row.env, file: file?.path }
    return {
      option: `${prefix}${key}`,
      value: row.secret === true && value !== undefined ? '***' : shown(value, row.type),
      origin: places[origin] ?? origin,
      about: row.about,
    }
  })
  return { rows, faults: faults.map((fault) => `${prefix}${fault}`) }
}

/** What a configuration holds for the keys of a table; topics, consumers and hooks in it are not options. */
function valuesIn(object: unknown, table: OptionTable): Record<string, unknown> {
  const values: Record<string, unknown> = {}
  for (const key of Object.keys(table)) {
    let value: unknown = object
    for (const part of key.split('.'))
      value = (value as Record<string, unknown> | undefined)?.[part]
    if (value !== undefined) values[key] = value
  }
  return values
}

function clusterRows({ brokers, origin, tls }: ChosenBrokers, env: Env): readonly ConfigRow[] {
  const secretRow = (option: string, name: string, about: string): ConfigRow => ({
    option,
    value: env[name] === undefined ? '' : '***',
    origin: env[name] === undefined ? 'unset' : name,
    about,
  })
  return [
    {
      option: 'brokers',
      value: brokers.join(','),
      origin,
      about: 'Where the cluster is: host:port, several separated by commas.',
    },
    {
      option: 'tls',
      value: tls === undefined ? 'off' : 'on',
      origin: tls ? origin : 'default',
      about: 'Encrypted connections; kafka+ssl:// in front of an address switches them on.',
    },
    secretRow(
      'tls.trusted',
      'KAFKA_TRUSTED_CERT',
      'Certificate that the brokers must be signed by.',
    ),
    secretRow('tls.cert', 'KAFKA_CLIENT_CERT', 'Certificate of this client.'),
    secretRow('tls.key', 'KAFKA_CLIENT_CERT_KEY', 'Key of that certificate.'),
  ]
}

/** As one would write it. */
function shown(value: unknown, type: OptionType): string {
  if (value === undefined) return ''
  if (typeof value === 'number' && type === 'duration') return formatDuration(value)
  if (typeof value === 'number' && type === 'size') return formatSize(value)
  if (Array.isArray(value)) return value.join(',')
  return typeof value === 'string' ? value : JSON.stringify(value)
}
