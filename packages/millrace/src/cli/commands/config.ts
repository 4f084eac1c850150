import type { OptionTable } from '../../config/index.ts'
import { chooseBrokers } from '../cluster.ts'
import { defineCommand } from '../command.ts'
import { columns } from '../text.ts'

export const config = defineCommand({
  name: 'config',
  about: 'Prints every option with its value and where that came from. Secrets are masked.',
  safety: 'read',
  arguments: {},
  options: {
    changed: { type: 'flag', about: 'only what differs from the default' },
  },
  examples: ['millrace config', 'millrace config --changed --json'],

  async run({ changed }, { print, env, folder, globals }) {
    const { resolveOptions } = await import('../../config/index.ts')
    const { brokerOptions } = await import('../../broker/index.ts')
    const loaded = await loadIfThere(folder, globals.config)
    const sections: readonly (readonly [name: string, table: OptionTable])[] = [
      ['broker', brokerOptions],
    ]
    const chosen = await chooseBrokers({ ...globals, env, folder })
    const rows: ConfigRow[] = clusterRows(chosen, env)
    for (const [section, table] of sections) {
      const file = (loaded?.config as Readonly<Record<string, unknown>> | undefined)?.[section]
      const { values, origins, faults } = resolveOptions(table, {
        env,
        file: (file as Readonly<Record<string, unknown>> | undefined) ?? {},
      })
      for (const fault of faults) print.talk(`${section}.${fault}`)
      for (const [key, row] of Object.entries(table)) {
        const value: unknown = values[key]
        const origin = origins[key]
        rows.push({
          option: `${section}.${key}`,
          value: row.secret === true && value !== undefined ? '***' : shown(value),
          origin:
            origin === 'env' ? (row.env ?? 'env') : origin === 'file' ? loaded!.path : origin!,
        })
      }
    }
    const wanted = rows.filter(
      ({ origin }) => changed !== true || !['default', 'unset'].includes(origin),
    )
    await print.document(wanted, () => columns(wanted.map((row) => ({ ...row }))))
  },
})

interface ConfigRow {
  readonly option: string
  readonly value: string
  readonly origin: string
}

async function loadIfThere(
  folder: string,
  file: string | undefined,
): Promise<{ readonly path: string; readonly config: unknown } | undefined> {
  const { findConfig, loadConfig } = await import('../load-config.ts')
  if (file === undefined && (await findConfig(folder)) === undefined) return undefined
  return loadConfig({ folder, file })
}

function clusterRows(
  { brokers, origin, tls }: Awaited<ReturnType<typeof chooseBrokers>>,
  env: Readonly<Record<string, string | undefined>>,
): ConfigRow[] {
  const secretRow = (option: string, name: string): ConfigRow => ({
    option,
    value: env[name] === undefined ? '' : '***',
    origin: env[name] === undefined ? 'unset' : name,
  })
  return [
    { option: 'brokers', value: brokers.join(','), origin },
    { option: 'tls', value: tls === undefined ? 'off' : 'on', origin },
    secretRow('tls.trusted', 'KAFKA_TRUSTED_CERT'),
    secretRow('tls.cert', 'KAFKA_CLIENT_CERT'),
    secretRow('tls.key', 'KAFKA_CLIENT_CERT_KEY'),
  ]
}

function shown(value: unknown): string {
  if (value === undefined) return ''
  if (Array.isArray(value)) return value.join(',')
  return typeof value === 'string' ? value : JSON.stringify(value)
}
